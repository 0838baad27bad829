"""The handler that writes the steps of chains and agents to a file."""

from __future__ import annotations

import os
from threading import Lock
from typing import Literal, Self, TextIO, cast, get_args

from callboard.errors import BadOptionError, ClosedHandlerError
from callboard.handlers.steps import StepsHandler

__all__ = ["FileCallbackHandler"]

Mode = Literal["a", "w", "x"]


class FileCallbackHandler(StepsHandler):
    """Writes chains as they start and end, agents' actions, tools' outputs, and texts.

    In a ``with`` block the file is open for the length of the block, and the handler is
    closed after it; of nested blocks, after the outermost. Without one it is opened for each
    write, so that no handle stays open, until `close` is called. Every write is whole, also
    when runs are concurrent, and is in the file when it returns.

    Attributes:
        filename: The file's path, as it was given.
        mode: How the file was begun.
        color: What texts are written in, if anything.
        file: The open file inside a ``with`` block; None outside of one.
    """

    def __init__(self, filename: str, mode: str = "a", color: str | None = None) -> None:
        """Make a handler, and the file unless it is there.

        Args:
            filename: The file's path; a relative one starts from the directory that is the
                current one now. It is written in UTF-8.
            mode: What to do with a file that is there: ``"a"`` appends to it, ``"w"``
                empties it, ``"x"`` refuses it.
            color: What to write agents' steps, tools' outputs and texts in: blue, yellow,
                pink, green or red.

        Raises:
            BadOptionError: There is no such mode or colour.
            OSError: The file can't be written; of the kind that says why, such as
                PermissionError or FileExistsError.
        """
        super().__init__(color)
        if mode not in get_args(Mode):
            raise BadOptionError(f"Unknown mode {mode!r}; accepted are 'a', 'w' and 'x'.")
        self.filename = filename
        self.mode = mode
        self.file: TextIO | None = None
        self._path = _absolute(filename)
        self._closed = False
        self._depth = 0
        self._lock = Lock()
        # Opened and closed at once: whether it can be written is known here, not at some
        # event later, and emptying it is done once.
        self._open(cast("Mode", mode)).close()

    def _open(self, mode: Mode) -> TextIO:
        try:
            return open(self._path, mode, encoding="utf-8")  # noqa: PTH123 - typed as text
        except OSError as error:
            why = f"FileCallbackHandler can't write to {os.fspath(self.filename)!r}: "
            raise type(error)(error.errno, why + (error.strerror or "")) from error

    def __enter__(self) -> Self:
        """Open the file for the length of the block."""
        with self._lock:
            if self.file is None:
                self.file = self._open("a")
            self._closed = False
            self._depth += 1
        return self

    def __exit__(self, *exc_info: object) -> None:
        """Close the handler, if this is the outermost block."""
        with self._lock:
            self._depth -= 1
            if self._depth <= 0:
                self._close()

    def close(self) -> None:
        """Close the file; from now on the handler refuses to write. May be called again."""
        with self._lock:
            self._close()

    def _close(self) -> None:
        # Blocks that are still under way count no more: one that begins later is outermost.
        self._depth = 0
        self._closed = True
        if self.file is not None:
            self.file.close()
            self.file = None

    def _write(self, text: str) -> None:
        with self._lock:
            if self._closed:
                raise ClosedHandlerError(f"The handler for {self.filename!r} is closed.")
            if self.file is not None:
                self.file.write(text)
                self.file.flush()
            else:
                with self._open("a") as file:
                    file.write(text)


def _absolute(filename: str) -> str:
    """Return a path that stays the same when the current directory changes.

    Nothing else about it changes: ``..`` after a link, or a slash at the end, mean something.
    """
    path = os.fsdecode(filename)
    return path if os.path.isabs(path) else os.path.join(os.getcwd(), path)  # noqa: PTH109, PTH117, PTH118
