"""Holds: locks that a handler may be asked for anywhere, and that outlive nobody who had them."""

from __future__ import annotations

import os
import threading
from weakref import WeakSet

__all__ = ["Hold"]


class Hold:
    """A lock that the thread which has it may take again, and that is free in a fork's child.

    It is taken again where the garbage collector ends a run, which it may do in the middle of
    anything. And a thread of the parent that had it is not in the child to let go of it.
    """

    def __init__(self) -> None:
        """Make one that nobody has."""
        self.renew()
        _every.add(self)

    def renew(self) -> None:
        """Take it from whoever has it."""
        self._lock = threading.RLock()

    def __enter__(self) -> None:
        self._lock.acquire()

    def __exit__(self, *exc_info: object) -> None:
        self._lock.release()


_every: WeakSet[Hold] = WeakSet()


def _after_fork() -> None:
    for hold in list(_every):
        hold.renew()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)
