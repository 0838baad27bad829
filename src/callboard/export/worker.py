"""A worker: a daemon thread that takes steps, and sleeps when there is none to take."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable

from callboard.export.bell import Bell

__all__ = ["Worker"]

logger = logging.getLogger(__name__)

_AFTER_A_BUG = 1.0
"""Seconds of sleep after a step that raised: it must neither end the thread nor spin."""


class Worker:
    """Runs steps in a thread of its own until it is told to stop.

    The thread is a daemon: it never keeps a program from ending.
    """

    def __init__(self, name: str, step: Callable[[], float], is_done: Callable[[], bool]) -> None:
        """Make a worker that is not running yet.

        Args:
            name: What the thread is called.
            step: Does something and returns for how many seconds to sleep.
            is_done: Whether there will never be anything to do again.
        """
        self._step = step
        self._is_done = is_done
        self._bell = Bell()
        self._stopped = False
        self._bugs = 0
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)

    def start(self) -> bool:
        """Start the thread.

        Returns:
            False if the interpreter does not allow it, as when it is about to end.
        """
        try:
            self._thread.start()
        except RuntimeError:
            return False
        return True

    @property
    def is_alive(self) -> bool:
        """Whether the thread runs."""
        return self._thread.is_alive()

    @property
    def is_here(self) -> bool:
        """Whether this is called from that thread."""
        return threading.current_thread() is self._thread

    def wake(self) -> None:
        """Let it take a step now."""
        self._bell.ring()

    def stop(self) -> None:
        """Let it end after the step that it is in."""
        self._stopped = True
        self._bell.ring()

    def join(self, timeout: float) -> bool:
        """Wait until the thread has ended.

        Args:
            timeout: How long at the most, in seconds.

        Returns:
            Whether it has.
        """
        if self._thread.is_alive():
            self._thread.join(timeout)
        return not self._thread.is_alive()

    def _run(self) -> None:
        while not (self._stopped or self._is_done()):
            try:
                pause = self._step()
            except Exception:
                self._bugs += 1
                if self._bugs == 1:
                    logger.exception("The export thread failed, and goes on. Said once.")
                pause = _AFTER_A_BUG
            if pause > 0:
                self._bell.wait(pause)
