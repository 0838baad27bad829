"""Locks that a process holds as long as it lives, and the system takes from a dead one.

On POSIX it is ``flock``; on Windows the first byte of the file is locked. Either ends with the
process, however that ends, so there are no stale locks and no process ids to compare. On file
systems that have no such locks (some network ones), locking fails, and whoever wanted the lock
does without what it protects: better no spool than runs sent by two processes.
On Windows a file that is open can't be removed or renamed, so it is closed first, always.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

if sys.platform == "win32":
    import msvcrt
else:
    import fcntl

__all__ = ["FileLock"]

_CLOSED = -1


class FileLock:
    """A lock, held from when it is made until it is released."""

    def __init__(self, path: Path) -> None:
        """Lock a file, which is made if it is missing.

        Args:
            path: The file.

        Raises:
            BlockingIOError: Another process has locked it, or another lock of this process.
            OSError: It can't be opened, or its file system has no locks.
        """
        self._descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            _lock(self._descriptor)
        except BaseException:
            os.close(self._descriptor)
            raise

    def release(self) -> None:
        """Let go of the file.

        In the child of a fork, that leaves the parent's lock as it is: it ends when the last
        descriptor is closed, and the parent has its own.
        """
        descriptor, self._descriptor = self._descriptor, _CLOSED
        if descriptor != _CLOSED:
            os.close(descriptor)


if sys.platform == "win32":

    def _lock(descriptor: int) -> None:
        try:
            msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
        except PermissionError as error:  # How it says that somebody else has it.
            raise BlockingIOError(*error.args) from None

else:

    def _lock(descriptor: int) -> None:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
