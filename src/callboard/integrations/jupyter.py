"""The handler that draws runs as a tree in a notebook, while they run."""

from __future__ import annotations

import logging
import sys
import threading
import time
from typing import Any, TextIO

from callboard.integrations.base import RunRecord
from callboard.integrations.extras import load
from callboard.integrations.holds import Hold
from callboard.integrations.lines import Line, LinesHandler, plain_tree
from callboard.integrations.markup import brief, html_tree
from callboard.integrations.messages import said_in, said_out

__all__ = ["JupyterCallbackHandler"]

logger = logging.getLogger(__name__)

_SPEED = 2_000_000
"""How many characters a second are sent to the notebook of one tree, at the most."""


class JupyterCallbackHandler(LinesHandler):
    """Draws each trace as a tree in the notebook's cell, live, with what runs were given and say.

    It takes no widgets: any front end that shows HTML will do, and others show the tree as text.
    Outside of a notebook, each tree is written as text when it is done. Runs may be in any thread
    or task; nothing of a run can become markup.
    """

    def __init__(
        self,
        *,
        stream: TextIO | None = None,
        refresh_per_second: float = 10.0,
        **options: Any,
    ) -> None:
        """Make a handler.

        Args:
            stream: Where trees are written outside of a notebook; standard output, by default.
            refresh_per_second: How often a tree is drawn anew at the most; a large one is less
                often.
            **options: See `RunTreeHandler`: ``redaction``, ``prices``, ``content``, ``max_runs``.

        Raises:
            MissingExtraError: IPython is not installed.
        """
        display = load("IPython.display", "ipython", "jupyter")
        super().__init__(**options)
        self._display = display.display if _is_in_notebook() else None
        self._stream = stream
        self._pause = 1 / refresh_per_second
        self._drawing = Hold()
        # Those of which something has changed since they were drawn.
        self._due: set[_Area] = set()

    def tree_started(self, root: Line) -> None:
        """Draw a tree in the cell that is running."""
        if self._display is not None:
            with self._drawing:
                root.kept = _Area(self._display, root)

    def line_changed(self, line: Line) -> None:
        """Have the line's tree drawn anew, a moment later."""
        area = line.root.kept
        if area is not None and area not in self._due:
            self._due.add(area)
            self._draw_later(area)

    def tree_ended(self, root: Line) -> None:
        """Draw a tree for good."""
        with self._drawing:
            if root.kept is not None:
                self._due.add(root.kept)
                self._draw(root.kept)
            elif self._display is None:
                print(plain_tree(root), file=self._stream or sys.stdout, flush=True)

    def flush(self) -> None:
        """Draw at once what has changed."""
        for area in list(self._due):
            self._draw(area)

    def shown(self, record: RunRecord) -> str:
        """Return what a run was given, or has returned, where that can be folded."""
        if self._display is None:
            return ""
        is_over = record.status != "running"
        if record.is_model:
            said = said_out(record) if is_over else said_in(record)
            return brief("\n".join(f"{each.role}: {each.text or each.tool_calls}" for each in said))
        return brief(record.outputs if is_over else record.inputs)

    def _draw_later(self, area: _Area) -> None:
        timer = threading.Timer(max(self._pause, area.size / _SPEED), self._draw, (area,))
        timer.daemon = True
        try:
            timer.start()
        except RuntimeError:  # No more threads; or none at all, where Python runs in a browser.
            if time.monotonic() - area.drawn < self._pause:
                self._due.discard(area)
            self._draw(area)

    def _draw(self, area: _Area) -> None:
        try:
            with self._drawing:
                if area in self._due:
                    self._due.remove(area)  # What comes from here on is to be drawn again.
                    area.draw()
        except Exception as error:  # noqa: BLE001 - of a front end that has gone, for one
            logger.warning("The tree of runs can't be drawn: %r", error)


class _Area:
    """Where a tree is drawn in a notebook."""

    def __init__(self, display: Any, root: Line) -> None:
        self.root = root
        self.size = 0
        self.drawn = 0.0
        self._handle = display(self._drawn(), raw=True, display_id=True)

    def draw(self) -> None:
        self._handle.update(self._drawn(), raw=True)

    def _drawn(self) -> dict[str, str]:
        html = html_tree(self.root)
        self.size, self.drawn = len(html), time.monotonic()
        return {"text/html": html, "text/plain": plain_tree(self.root)}


def _is_in_notebook() -> bool:
    """Whether there is a front end that updates what it has shown: not IPython in a terminal."""
    shell = load("IPython", "ipython", "jupyter").get_ipython()
    kinds = {kind.__name__ for kind in type(shell).__mro__}
    return shell is not None and "TerminalInteractiveShell" not in kinds
