"""The session that a handler draws into, from whichever thread a run is in."""

from __future__ import annotations

import threading
from collections.abc import Callable, Generator
from contextlib import contextmanager
from typing import Any

from callboard.integrations.extras import load
from callboard.integrations.holds import Hold

__all__ = ["Session"]


class Session:
    """The session of the script that makes it, for other threads to draw into.

    Streamlit knows a thread's session by an attribute of the thread. Threads of a pool serve many
    sessions: so it is theirs while they draw, and taken back after that.
    """

    def __init__(self) -> None:
        runner = load("streamlit.runtime.scriptrunner", "streamlit", "streamlit")
        self._current: Callable[..., Any] = runner.get_script_run_ctx
        self._add: Callable[..., Any] = runner.add_script_run_ctx
        self._ours = self._current(suppress_warning=True)
        self._lock = Hold()

    @contextmanager
    def drawing(self) -> Generator[None]:
        """Have this thread draw into the session, alone."""
        with self._lock:
            thread, before = threading.current_thread(), self._current(suppress_warning=True)
            if self._ours is None or before is self._ours:
                yield
                return
            self._add(thread, self._ours)
            try:
                yield
            finally:
                self._give_back(thread, before)

    def _give_back(self, thread: threading.Thread, before: Any) -> None:
        if before is not None:
            self._add(thread, before)
        else:
            for name in [each for each in vars(thread) if vars(thread)[each] is self._ours]:
                delattr(thread, name)
