"""The handler that draws runs as a tree in the terminal, while they run."""

from __future__ import annotations

import threading
from collections import deque
from typing import Any

from callboard.integrations.base import RunRecord, RunTreeHandler
from callboard.integrations.extras import load

__all__ = ["RichTreeCallbackHandler"]

_MARKS = {"running": "[yellow]●[/]", "ok": "[green]✓[/]", "error": "[red]✗[/]"}
_UNFINISHED = "[dim]?[/]"
_MAX_TEXT = 200
_MAX_CHILDREN = 100


class _Line:
    """What is drawn of a run: its line, the end of its text, and the runs inside it."""

    def __init__(self, record: RunRecord) -> None:
        self.record = record
        self.children: deque[_Line] = deque(maxlen=_MAX_CHILDREN)
        self.left_out = 0
        self.text = ""

    def add(self, child: _Line) -> None:
        self.left_out += len(self.children) == _MAX_CHILDREN
        self.children.append(child)


class RichTreeCallbackHandler(RunTreeHandler):
    """Draws the tree of runs, live: how long each takes, tokens, costs, and the text as it comes.

    One trace is drawn at a time, live; others are printed when they end, as all are where the
    console is no terminal.
    """

    def __init__(
        self, console: Any = None, *, refresh_per_second: float = 10, **options: Any
    ) -> None:
        """Make a handler.

        Args:
            console: The ``rich.console.Console`` to draw on; one on standard output, by default.
            refresh_per_second: How often it is drawn anew.
            **options: See `RunTreeHandler`: ``redaction``, ``prices``, ``content``, ``max_runs``.

        Raises:
            MissingExtraError: rich is not installed.
        """
        rich = load("rich", "rich", "rich")
        super().__init__(**options)
        self._console = rich.get_console() if console is None else console
        self._refresh = refresh_per_second
        self._drawing = threading.RLock()
        self._live: Any = None
        self._shown: _Line | None = None

    def run_started(self, record: RunRecord) -> None:
        """Draw a run under its parent; a root on its own."""
        line = record.kept = _Line(record)
        with self._drawing:
            if record.parent is not None and isinstance(record.parent.kept, _Line):
                record.parent.kept.add(line)
            elif self._live is None and self._console.is_terminal:
                self._show(line)

    def run_streamed(self, record: RunRecord, text: str) -> None:
        """Draw the end of what a model has said so far."""
        if isinstance(record.kept, _Line):
            record.kept.text = (record.kept.text + text)[-_MAX_TEXT:]

    def run_ended(self, record: RunRecord) -> None:
        """Draw how a run has ended; a root's tree for good."""
        if not isinstance(record.kept, _Line) or record.parent is not None:
            return
        with self._drawing:
            if record.kept is self._shown:
                self._live.update(self._tree(record.kept))
                self._hide()
            else:
                self._console.print(self._tree(record.kept))
        record.kept = None

    def close(self) -> None:
        """Draw what is unfinished as such, and give the terminal back."""
        super().close()
        with self._drawing:
            self._hide()

    def _show(self, line: _Line) -> None:
        self._shown = line
        self._live = load("rich.live", "rich", "rich").Live(
            console=self._console,
            get_renderable=lambda: self._tree(line),
            refresh_per_second=self._refresh,
            vertical_overflow="ellipsis",
        )
        self._live.start()

    def _hide(self) -> None:
        live, self._live, self._shown = self._live, None, None
        if live is not None:
            live.stop()

    def _tree(self, line: _Line) -> Any:
        tree = load("rich.tree", "rich", "rich").Tree(_label(line), guide_style="dim")
        self._grow(tree, line)
        return tree

    def _grow(self, tree: Any, line: _Line) -> None:
        if line.left_out:
            tree.add(f"[dim]{line.left_out} more before these[/]")
        for child in list(line.children):
            self._grow(tree.add(_label(child)), child)


def _label(line: _Line) -> str:
    record = line.record
    escape = load("rich.markup", "rich", "rich").escape
    parts = [_MARKS.get(record.status, _UNFINISHED), f"[dim]{escape(record.type)}[/]"]
    parts.append(f"[bold]{escape(record.name)}[/]")
    if record.latency is not None:
        parts.append(f"[dim]{record.latency:.2f} s[/]")
    if record.tokens is not None:
        parts.append(f"[dim]{record.tokens.prompt or 0}+{record.tokens.completion or 0} tokens[/]")
    if record.cost is not None and record.cost.total is not None:
        parts.append(f"[dim]${record.cost.total:.6f}[/]")
    if record.error_message is not None:
        parts.append(f"[red]{escape(record.error_message)}[/]")
    elif record.status == "running" and line.text:
        parts.append(f"[italic]{escape(line.text.replace(chr(10), ' '))}[/]")
    return " ".join(parts)
