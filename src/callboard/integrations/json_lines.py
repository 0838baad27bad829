"""The handler that writes runs to a file, a line of JSON each, when they end."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any, TextIO

from callboard.integrations.base import RunRecord, RunTreeHandler
from callboard.integrations.holds import Hold
from callboard.integrations.rows import row_of
from callboard.wire import json

__all__ = ["JsonLinesCallbackHandler"]


class JsonLinesCallbackHandler(RunTreeHandler):
    """Writes a line of JSON for each run when it ends, children before their parents.

    Lines are whole also when runs are concurrent, in processes that write to the same file, too. A
    file that the handler opened is closed with
    it; a stream that it was given stays open.
    """

    def __init__(self, target: str | os.PathLike[str] | TextIO, **options: Any) -> None:
        """Make a handler.

        Args:
            target: The file's path, to which lines are appended in UTF-8; or a text stream.
            **options: See `RunTreeHandler`: ``redaction``, ``prices``, ``content``, ``max_runs``.

        Raises:
            OSError: The file can't be written.
        """
        super().__init__(**options)
        self._writing = Hold()
        self._is_ours = isinstance(target, (str, os.PathLike))
        self._stream: Any = target
        if isinstance(target, (str, os.PathLike)):
            # A line at a time: no child of a fork writes what its parent had still to write.
            self._stream = Path(target).open("a", buffering=1, encoding="utf-8")  # noqa: SIM115

    def run_ended(self, record: RunRecord) -> None:
        """Write a run's line; in a stream of the application's, it is by the end of its trace."""
        line = json.encode(row_of(record)).decode() + "\n"
        with self._writing:
            self._stream.write(line)
            if record.parent is None:
                self._stream.flush()

    def flush(self) -> None:
        """Have all lines be in the file."""
        with self._writing:
            if not self._stream.closed:
                self._stream.flush()

    def close(self) -> None:
        """Write what is unfinished, and close the file if the handler opened it."""
        super().close()
        if self._is_ours:
            with self._writing:
                self._stream.close()
