"""A segment: one file of records, first written by one process, later read once and removed.

While it grows it is called ``<number>.part``. When it is complete it is renamed in one step to
``<number>-<records>.segment``, so that how many it holds is known without reading it.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from callboard.export.spool.frames import HEADER

__all__ = ["Segment", "SegmentWriter", "segments_in"]

_PART = ".part"
_COMPLETE = ".segment"
_CLOSED = -1
# Without it Windows turns line ends, which records may well contain, into others.
_BINARY = getattr(os, "O_BINARY", 0)


class Segment:
    """A segment that nobody writes any more.

    Attributes:
        path: Where it is.
        count: How many records it holds; None if that is not known without reading it.
        size: How big it is, in bytes.
    """

    __slots__ = ("count", "path", "size")

    def __init__(self, path: Path, count: int | None, size: int) -> None:
        self.path = path
        self.count = count
        self.size = size

    @property
    def number(self) -> int:
        """Its place among the segments of its directory."""
        number, _, _ = self.path.stem.partition("-")
        return int(number)

    def read(self) -> bytes:
        """Return all of it.

        Raises:
            OSError: It can't be read.
        """
        return self.path.read_bytes()

    def remove(self) -> None:
        """Remove it.

        Raises:
            OSError: It can't be removed.
        """
        self.path.unlink(missing_ok=True)


class SegmentWriter:
    """A segment that grows.

    What was appended has been given to the system: it outlives the process, however that ends.
    It outlives a loss of power when the segment is complete, which is when it is synchronised.

    Attributes:
        count: How many records it holds.
        size: How big it is, in bytes.
    """

    def __init__(self, directory: Path, number: int) -> None:
        """Begin a segment.

        Args:
            directory: Where to.
            number: Segments of a directory are read in the order of their numbers.

        Raises:
            OSError: It can't be written.
        """
        self._path = directory / f"{number:010}{_PART}"
        self._descriptor = os.open(
            self._path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND | _BINARY, 0o600
        )
        self.count = 0
        self.size = 0
        try:
            self._write(HEADER)
        except OSError:
            os.close(self._descriptor)
            self._path.unlink(missing_ok=True)
            raise

    def append(self, frames: Sequence[bytes]) -> None:
        """Append records in their frames: all of them, or if that fails none.

        Raises:
            OSError: They can't be written.
        """
        self._write(b"".join(frames))
        self.count += len(frames)

    def _write(self, data: bytes) -> None:
        left = memoryview(data)
        try:
            while left:
                left = left[os.write(self._descriptor, left) :]
        except OSError:
            # What comes after half a frame could not be read.
            os.ftruncate(self._descriptor, self.size)
            raise
        self.size += len(data)

    def complete(self) -> Segment:
        """Synchronise it with the disk and give it its last name.

        Where that fails the segment keeps its first name, and can be read all the same.
        """
        segment = Segment(self._path, self.count, self.size)
        try:
            os.fsync(self._descriptor)
        except OSError:
            return segment
        finally:
            self.abandon()
        complete = self._path.with_name(f"{self._path.stem}-{self.count}{_COMPLETE}")
        try:
            self._path.replace(complete)
            synchronise(complete.parent)
        except OSError:
            return segment
        segment.path = complete
        return segment

    def abandon(self) -> None:
        """Close the file, and leave it as it is."""
        descriptor, self._descriptor = self._descriptor, _CLOSED
        if descriptor != _CLOSED:
            os.close(descriptor)


def synchronise(directory: Path) -> None:
    """Make the names in a directory outlive a loss of power, where the system can do that.

    Raises:
        OSError: It can't be done.
    """
    if os.name == "nt":  # Directories can't be opened there.
        return
    descriptor = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def segments_in(directory: Path) -> list[Segment]:
    """Return the segments in a directory that nobody writes any more, in order.

    Raises:
        OSError: The directory can't be read.
    """
    segments: list[Segment] = []
    for path in sorted(directory.iterdir()):
        if path.suffix == _COMPLETE:
            _, _, count = path.stem.partition("-")
            known = int(count) if count.isdigit() else None
            segments.append(Segment(path, known, path.stat().st_size))
        elif path.suffix == _PART:
            segments.append(Segment(path, None, path.stat().st_size))
    return segments
