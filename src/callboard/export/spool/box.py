"""A box: the part of a spool that one process writes, and one process empties.

In the spool's directory a box is a directory of segments, and a lock beside it::

    0198c0de....lock    locked as long as the process lives that has the box
    0198c0de....box/    0000000001-100.segment  0000000002.part

The lock is taken before the directory is made, and removed after it. So a box whose lock can
be taken belongs to nobody: its process has ended, and whoever takes the lock may empty it.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path

from callboard.export.spool.segment import Segment, SegmentWriter, segments_in
from callboard.ids import uuid7
from callboard.locks import FileLock

__all__ = ["Box", "boxes_in"]

_BOX = ".box"
_LOCK = ".lock"


class Box:
    """Segments that only this process touches.

    Attributes:
        path: The directory.
        segments: Those complete, the oldest first.
    """

    def __init__(self, path: Path, lock: FileLock) -> None:
        """Take a box that is locked: see `create` and `adopt`."""
        self.path = path
        self.segments: list[Segment] = []
        self._lock = lock
        self._writer: SegmentWriter | None = None
        self._number = 0

    @classmethod
    def create(cls, directory: Path) -> Box:
        """Make a new box, later in order than those made before it.

        Args:
            directory: The spool's.

        Raises:
            OSError: It can't be made.
        """
        path = directory / f"{uuid7().hex}{_BOX}"
        lock = FileLock(path.with_suffix(_LOCK))
        box = cls(path, lock)
        try:
            path.mkdir(mode=0o700)
        except OSError:
            box._unlock_for_good()
            raise
        return box

    @classmethod
    def adopt(cls, path: Path) -> Box | None:
        """Take a box whose process has ended.

        Args:
            path: The box.

        Returns:
            None if some process has it, or it is gone.

        Raises:
            OSError: It can't be locked or read.
        """
        try:
            lock = FileLock(path.with_suffix(_LOCK))
        except BlockingIOError:
            return None
        box = cls(path, lock)
        try:
            box.segments = segments_in(path)
        except FileNotFoundError:  # Whoever had it emptied it meanwhile.
            box._unlock_for_good()
            return None
        except OSError:
            lock.release()
            raise
        return box

    @property
    def size(self) -> int:
        """How much it holds, in bytes."""
        writing = self._writer.size if self._writer else 0
        return writing + sum(segment.size for segment in self.segments)

    @property
    def is_writing(self) -> bool:
        """Whether there is a segment that is not complete."""
        return self._writer is not None

    def append(self, frames: Sequence[bytes], segment_bytes: int) -> None:
        """Append records: all of them, or if that fails none.

        Args:
            frames: The records, each in its frame.
            segment_bytes: How big a segment is when the next is begun.

        Raises:
            OSError: They can't be written.
        """
        if self._writer is None:
            self._number += 1
            self._writer = SegmentWriter(self.path, self._number)
        self._writer.append(frames)
        if self._writer.size >= segment_bytes:
            self.complete()

    def complete(self) -> None:
        """Complete the segment that is being written, if there is one."""
        writer, self._writer = self._writer, None
        if writer is not None:
            self.segments.append(writer.complete())

    def remove(self, segment: Segment) -> None:
        """Remove a segment.

        Raises:
            OSError: It can't be removed.
        """
        self.segments.remove(segment)
        segment.remove()

    def replace(self, segment: Segment, frames: Sequence[bytes]) -> None:
        """Put another segment in the place of one.

        Args:
            segment: Which.
            frames: What the other holds: fewer records than this one.

        Raises:
            OSError: It can't be done; the one is still there.
        """
        writer = SegmentWriter(self.path, segment.number)
        try:
            writer.append(frames)
        finally:
            other = writer.complete()
        self.segments[self.segments.index(segment)] = other
        segment.remove()

    def release(self) -> None:
        """Let go of the box: remove it if it is empty, and leave it to others if not."""
        self.complete()
        try:
            self.path.rmdir()
        except OSError:  # It is not empty, or it can't be removed: it stays, with its lock file.
            self._lock.release()
        else:
            self._unlock_for_good()

    def _unlock_for_good(self) -> None:
        """Release the lock and remove its file: there is no box that it would be for."""
        # In this order, as Windows removes no file that is open. Who locks it in between finds
        # no box, and does the same.
        self._lock.release()
        with suppress(OSError):
            self.path.with_suffix(_LOCK).unlink(missing_ok=True)

    def abandon(self) -> None:
        """Close what is open, in the child of a fork, and leave the box to the parent."""
        # The parent may have been closing them just then.
        with suppress(OSError):
            self._lock.release()
        with suppress(OSError):
            if self._writer is not None:
                self._writer.abandon()


def boxes_in(directory: Path) -> Iterator[tuple[Path, int]]:
    """Yield the boxes of a spool, the oldest first, each with how many bytes it holds.

    Raises:
        OSError: The directory can't be read.
    """
    with suppress(FileNotFoundError):
        for path in sorted(directory.glob(f"*{_BOX}")):
            size = 0
            # Whoever has it may be emptying it.
            with suppress(FileNotFoundError), os.scandir(path) as files:
                size = sum(file.stat().st_size for file in files)
            yield path, size
