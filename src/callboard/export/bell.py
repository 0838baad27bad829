"""A bell: what one thread waits for and any other rings."""

from __future__ import annotations

import threading
from contextlib import suppress

__all__ = ["FOREVER", "Bell"]

FOREVER = threading.TIMEOUT_MAX
"""The longest that can be waited, in seconds."""


class Bell:
    """Rung once or often before somebody waits, it is heard once.

    An Event would do, but ringing it takes a lock that is not reentrant, and the garbage
    collector may run code that rings while the bell is being rung. To release a bare lock is
    one step.
    """

    __slots__ = ("_silence",)

    def __init__(self) -> None:
        self._silence = threading.Lock()
        self._silence.acquire()

    def ring(self) -> None:
        """Wake whoever waits, or who waits next."""
        with suppress(RuntimeError):  # It is ringing already.
            self._silence.release()

    def wait(self, seconds: float) -> bool:
        """Wait until the bell is rung, and silence it.

        Args:
            seconds: How long at the most.

        Returns:
            Whether it was rung.
        """
        return self._silence.acquire(timeout=min(max(seconds, 0), FOREVER))
