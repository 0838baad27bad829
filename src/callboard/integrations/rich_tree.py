"""The handler that draws runs as a tree in the terminal, while they run."""

from __future__ import annotations

from typing import Any

from callboard.integrations.extras import load
from callboard.integrations.holds import Hold
from callboard.integrations.lines import Line, LinesHandler

__all__ = ["RichTreeCallbackHandler"]

_STYLES = {
    "running": "yellow",
    "ok": "green",
    "error": "red",
    "unfinished": "dim",
    "type": "dim",
    "name": "bold",
    "figure": "dim",
    "message": "red",
}
_MAX_TEXT = 200


class RichTreeCallbackHandler(LinesHandler):
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
        self._drawing = Hold()
        self._live: Any = None
        self._shown: Line | None = None

    def tree_started(self, root: Line) -> None:
        """Draw a tree live, if none is."""
        with self._drawing:
            if self._live is None and self._console.is_terminal:
                self._show(root)

    def tree_ended(self, root: Line) -> None:
        """Draw a tree for good."""
        with self._drawing:
            if root is self._shown:
                self._live.update(self._tree(root))
                self._hide()
            else:
                self._console.print(self._tree(root))

    def close(self) -> None:
        """Draw what is unfinished as such, and give the terminal back."""
        super().close()
        with self._drawing:
            self._hide()

    def _show(self, line: Line) -> None:
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

    def _tree(self, line: Line) -> Any:
        tree = load("rich.tree", "rich", "rich").Tree(_label(line), guide_style="dim")
        self._grow(tree, line)
        return tree

    def _grow(self, tree: Any, line: Line) -> None:
        if line.missing:
            tree.add(f"[dim]{line.missing}[/]")
        for child in list(line.children):
            self._grow(tree.add(_label(child)), child)


def _label(line: Line) -> str:
    escape = load("rich.markup", "rich", "rich").escape
    parts = [f"[{_STYLES[kind]}]{escape(text)}[/]" for kind, text in line.pieces()]
    if line.record.status == "running" and line.text:
        said = " ".join(line.text[-_MAX_TEXT:].split())
        parts.append(f"[italic]{escape(said)}[/]")
    return " ".join(parts)
