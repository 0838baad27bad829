"""Runs as the lines of a tree, for handlers that draw: what a line says, and what is under it.

A run of many steps keeps the last of them, and one that is deep its outermost: what is drawn, and
held, is bounded.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from typing import Any, NamedTuple

from callboard.integrations.base import RunRecord, RunTreeHandler
from callboard.integrations.printable import printable
from callboard.integrations.rows import used

__all__ = ["Line", "LinesHandler", "Piece", "plain_tree"]

_MARKS = {"running": "●", "ok": "✓", "error": "✗", "unfinished": "?"}
_MAX_TEXT = 2_000
_MAX_CHILDREN = 100
_MAX_DEPTH = 50


class Piece(NamedTuple):
    """A part of what a line says.

    Attributes:
        kind: What it is: the run's status, ``"type"``, ``"name"``, ``"figure"``, or ``"message"``
            for what went wrong.
        text: How it reads.
    """

    kind: str
    text: str


class Line:
    """A run in a tree.

    Attributes:
        record: The run's record.
        parent: The line that it is under; None for the outermost.
        root: The outermost line that it is under, or itself.
        children: The lines under it, as far as they are kept.
        left_out: How many are not kept.
        text: The end of what a model has said so far.
        given: What the run was given, as text, if that is drawn.
        returned: What it returned.
        kept: What a handler keeps with it.
    """

    def __init__(self, record: RunRecord, parent: Line | None) -> None:
        """Make a line, under its parent's.

        Args:
            record: The run's record.
            parent: The line of the run that it is part of.
        """
        self.record = record
        self.parent = parent
        self.root: Line = self if parent is None else parent.root
        self.depth: int = 0 if parent is None else parent.depth + 1
        self.children: deque[Line] = deque(maxlen=_MAX_CHILDREN)
        self.left_out = 0
        self.text = self.given = self.returned = ""
        self.kept: Any = None
        if parent is not None:
            parent.add(self)

    def add(self, child: Line) -> None:
        """Take a line under this one, in place of the first if there are too many.

        Args:
            child: The line.
        """
        if self.depth >= _MAX_DEPTH:
            self.left_out += 1
            return
        self.left_out += len(self.children) == _MAX_CHILDREN
        self.children.append(child)

    def say(self, text: str) -> None:
        """Add to what a model has said so far.

        Args:
            text: A token's.
        """
        self.text = (self.text + text)[-_MAX_TEXT:]

    def pieces(self) -> Iterator[Piece]:
        """Yield what the line says."""
        record = self.record
        yield Piece(record.status, _MARKS[record.status])
        yield Piece("type", record.type)
        yield Piece("name", record.name)
        if record.latency is not None:
            yield Piece("figure", f"{record.latency:.2f} s")
        for figure in used(record):
            yield Piece("figure", figure)
        if record.error_message is not None:
            yield Piece("message", record.error_message)

    @property
    def missing(self) -> str | None:
        """What to say of lines that are not kept, if any are not."""
        return f"{self.left_out} more not shown" if self.left_out else None


class LinesHandler(RunTreeHandler):
    """Keeps a line for each run, under its parent's. A handler that draws them derives from it.

    A run whose parent is not drawn, or not any more, is the outermost of a tree of its own.
    """

    def tree_started(self, root: Line) -> None:
        """Begin to draw a tree: its outermost run has started."""
        raise NotImplementedError

    def tree_ended(self, root: Line) -> None:
        """Draw a tree for good: its outermost run has ended."""
        raise NotImplementedError

    def line_changed(self, line: Line) -> None:
        """Hear that a line has come or has changed, other than by what `tree_ended` tells."""

    def shown(self, record: RunRecord) -> str:
        """Return what is drawn of what a run was given or, once it has ended, has returned."""
        return ""

    def run_started(self, record: RunRecord) -> None:
        """Keep a line for the run."""
        above = None if record.parent is None else record.parent.kept
        line = record.kept = Line(record, above if isinstance(above, Line) else None)
        line.given = self.shown(record)
        if line.parent is None:
            self.tree_started(line)
        else:
            self.line_changed(line)

    def run_streamed(self, record: RunRecord, text: str) -> None:
        """Keep the end of what a model has said so far."""
        if isinstance(record.kept, Line):
            record.kept.say(text)
            self.line_changed(record.kept)

    def run_ended(self, record: RunRecord) -> None:
        """Have the run's end drawn."""
        line = record.kept
        if not isinstance(line, Line):
            return
        line.returned = self.shown(record)
        if line.parent is None:
            record.kept = None
            self.tree_ended(line)
        else:
            self.line_changed(line)


def plain_tree(root: Line) -> str:
    """Return a tree as text, a line for each run.

    Args:
        root: The outermost line.
    """
    return "\n".join([_sentence(root), *_below(root, "")])


def _below(line: Line, indent: str) -> Iterator[str]:
    rest = list(line.children)
    if line.missing:
        yield f"{indent}{'├' if rest else '└'}── {line.missing}"
    for child in rest:
        is_last = child is rest[-1]
        yield f"{indent}{'└' if is_last else '├'}── {_sentence(child)}"
        yield from _below(child, indent + ("    " if is_last else "│   "))


def _sentence(line: Line) -> str:
    """Return what a line says, on one line whoever chose its words."""
    return " ".join(printable(" ".join(text.split())) for _, text in line.pieces())
