"""The spool: operations on disk that can't be sent now.

What is promised:

- *Acknowledged is kept.* What `Spool.append` says is written outlives the process, even when it
  is killed. It outlives a loss of power too once its segment is complete: that is when a
  segment is full, begins to be sent, or the spool is closed. To synchronise each record would
  be safer by half a second or so, and cost a thousand times as much.
- *Sent in order*, the oldest segment first, by this process, or by the next one if this one
  ends. No two processes send the same segment (`callboard.export.spool.box`). A segment stays
  until all of it is settled. If a process is killed half-way through one, all of it is sent
  again: whoever takes operations in merges by the run's id.
- *Bounded.* When there is no room the oldest segment is dropped, and counted. What other
  running processes have in the same directory counts as taken, and is theirs.
- *Private.* Traces hold what users said: directories are made for their owner alone.
- What can't be read is said: a record cut short by a crash is skipped; a segment of a newer
  version, or a file that is none, is left alone.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from callboard.errors import BadOptionError, SpoolError
from callboard.export.notices import Notices
from callboard.export.spool.box import Box, boxes_in
from callboard.export.spool.claim import claim
from callboard.export.spool.frames import HEADER, frame
from callboard.export.spool.reading import Parcel, Reading
from callboard.export.spool.records import record_of
from callboard.export.spool.segment import Segment
from callboard.wire.operations import Operation

__all__ = ["Appended", "Parcel", "Spool"]

logger = logging.getLogger(__name__)

_QUARANTINE = "quarantine"
_QUARANTINE_BYTES = 16 * 1024 * 1024


class Appended(NamedTuple):
    """What became of operations given to a spool.

    Attributes:
        written: How many of them are on disk now.
        refused: How many of them never will be: there is no room for them.
        evicted: How many older ones were dropped for them.
        error: Why it stopped before the others, if it did; they are the caller's.
    """

    written: int = 0
    refused: int = 0
    evicted: int = 0
    error: SpoolError | None = None


class Spool:
    """A directory that operations wait in; several processes may share it.

    Nothing is made or read before it is needed. Safe between threads.
    """

    def __init__(
        self,
        directory: str | Path,
        *,
        max_bytes: int = 512 * 1024 * 1024,
        segment_bytes: int = 4 * 1024 * 1024,
    ) -> None:
        """Make a spool.

        Args:
            directory: Where; made if it is missing.
            max_bytes: How much it may hold, what other processes have there included.
            segment_bytes: From what size on a segment is complete. A segment is what is
                dropped at once, and what is sent again after a crash.

        Raises:
            BadOptionError: A number is not positive, or the directory is in a home directory
                that nobody knows.
        """
        for name, number in (("max_bytes", max_bytes), ("segment_bytes", segment_bytes)):
            if number <= 0:
                raise BadOptionError(f"{name} is {number}, and takes a positive number of bytes.")
        self.directory = _expanded(Path(directory))
        self._max_bytes = max_bytes
        # Small enough that dropping one makes room, and does not empty the spool.
        self._segment_bytes = min(segment_bytes, max(1, max_bytes // 8))
        self._begin()

    def __repr__(self) -> str:
        return f"<Spool {self.directory}>"

    def _begin(self) -> None:
        self._lock = threading.Lock()
        self._notices = Notices(logger)
        self._own: Box | None = None
        self._adopted: list[Box] = []
        self._reading: Reading | None = None
        # Read to the end, with parcels that are not settled yet.
        self._read: list[Reading] = []
        self._quarantine: Spool | None = None
        self._taken_by_others = 0

    @property
    def is_empty(self) -> bool:
        """Whether this process has nothing to send from here."""
        with self._lock:
            writing = self._own is not None and self._own.is_writing
            return self._reading is None and not writing and self._oldest() is None

    @property
    def is_idle(self) -> bool:
        """Whether nothing is here, not even under way from here."""
        return self.is_empty and not self._read

    @property
    def quarantine(self) -> Spool:
        """Where operations are kept that were dropped for what they are: nobody sends them."""
        with self._lock:
            if self._quarantine is None:
                room = min(_QUARANTINE_BYTES, max(1, self._max_bytes // 8))
                self._quarantine = Spool(self.directory / _QUARANTINE, max_bytes=room)
            return self._quarantine

    def _boxes(self) -> list[Box]:
        return [*self._adopted, self._own] if self._own else self._adopted

    # Writing.

    def append(self, operations: Sequence[Operation]) -> Appended:
        """Write operations, as many as can be.

        Args:
            operations: In the order in which they are to be sent.

        Returns:
            What became of them; those that are neither written nor refused are the last ones.
        """
        written = refused = evicted = 0
        with self._lock:
            try:
                for chunk, unreadable in self._chunks(operations):
                    refused += unreadable
                    size = sum(map(len, chunk))
                    evicted += self._make_room(size)
                    if self._free() < size:
                        refused += len(chunk)
                        self._notices.once(
                            "full",
                            "The spool %s is full: what does not fit into its %d bytes is "
                            "dropped. This is said once; the counters tell how much.",
                            self.directory,
                            self._max_bytes,
                        )
                        continue
                    if chunk:
                        self._box().append(chunk, self._segment_bytes)
                    written += len(chunk)
            except OSError as error:
                return Appended(written, refused, evicted, self._failed(error))
        if evicted:
            self._notices.once(
                "evicted",
                "The spool %s has reached %d bytes: the oldest operations are dropped for newer "
                "ones. This is said once; the counters tell how many.",
                self.directory,
                self._max_bytes,
            )
        return Appended(written, refused, evicted)

    def _chunks(self, operations: Iterable[Operation]) -> Iterator[tuple[list[bytes], int]]:
        """Yield the operations' frames, as many at once as a segment holds.

        With each chunk comes how many operations before its end have no form at all.
        """
        chunk: list[bytes] = []
        size = unreadable = 0
        for operation in operations:
            try:
                framed = frame(record_of(operation))
            except Exception as error:  # noqa: BLE001 - an attachment, say, that is no bytes
                unreadable += 1
                self._notices.once("encode", "%r can't be spooled: %r.", operation, error)
                continue
            if chunk and size + len(framed) > self._segment_bytes:
                yield chunk, unreadable
                chunk, size, unreadable = [], 0, 0
            chunk.append(framed)
            size += len(framed)
        if chunk or unreadable:
            yield chunk, unreadable

    def _free(self) -> int:
        taken = self._taken_by_others + sum(box.size for box in self._boxes())
        return self._max_bytes - taken - len(HEADER)

    def _make_room(self, size: int) -> int:
        """Drop the oldest segments until there is room, or there is none left to drop.

        Returns:
            How many operations were dropped.
        """
        evicted = 0
        while self._free() < size:
            oldest = self._oldest()
            if oldest is None:
                break
            box, segment = oldest
            box.remove(segment)
            evicted += segment.count or 0
        return evicted

    def _oldest(self) -> tuple[Box, Segment] | None:
        """Return the oldest segment that is not being sent."""
        begun = [reading.segment for reading in self._readings()]
        for box in self._boxes():
            for segment in box.segments:
                if segment not in begun:
                    return box, segment
        return None

    def _readings(self) -> list[Reading]:
        return [*self._read, self._reading] if self._reading else self._read

    def _box(self) -> Box:
        if self._own is None:
            self.directory.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._own = Box.create(self.directory)
            self._look_around()
        return self._own

    def _look_around(self) -> None:
        mine = {box.path for box in self._boxes()}
        self._taken_by_others = sum(
            size for path, size in boxes_in(self.directory) if path not in mine
        )

    def _failed(self, error: OSError) -> SpoolError:
        self._notices.once(
            f"failed: {error.errno}",
            "The spool %s can't be used: %s. What it should hold stays in memory as long as there "
            "is room, and is dropped and counted then. This is said once.",
            self.directory,
            error.strerror or error,
        )
        return SpoolError(*error.args)

    # Reading.

    def adopt(self) -> int:
        """Take over what processes that have ended have left.

        Returns:
            How many operations that are.
        """
        with self._lock:
            try:
                return self._adopt()
            except OSError as error:
                self._failed(error)
                return 0

    def _adopt(self) -> int:
        found = 0
        mine = {box.path for box in self._boxes()}
        for path, _ in list(boxes_in(self.directory)):
            box = Box.adopt(path) if path not in mine else None
            if box is None:
                continue
            try:
                found += claim(box, self._notices)
            except OSError:
                box.release()
                raise
            if box.segments:
                self._adopted.append(box)
            else:
                box.release()
        if self._own is not None:
            self._look_around()
        return found

    def take(self, count: int, max_size: int) -> Parcel | None:
        """Read what is to be sent next.

        Args:
            count: How many operations at the most.
            max_size: How many bytes at the most; a single operation may have more.

        Returns:
            None if there is nothing, or it can't be read. To be given to `done` when all of it
            is settled. More may be taken before that.
        """
        with self._lock:
            try:
                reading = self._reading or self._open_next()
            except OSError as error:
                self._failed(error)
                return None
            if reading is None:
                return None
            parcel = reading.take(count, max_size)
            self._reading = reading
            if reading.is_exhausted:
                self._reading = None
                self._read.append(reading)
            return parcel

    def _open_next(self) -> Reading | None:
        """Begin to read the oldest segment, if there is one."""
        oldest = self._oldest()
        if oldest is None and self._own is not None:
            self._own.complete()
            oldest = self._oldest()
        return None if oldest is None else Reading(*oldest, self._notices)

    def done(self, parcel: Parcel) -> None:
        """Say that a parcel is settled, all of it.

        Args:
            parcel: One that was taken. If the spool was closed since, nothing happens.
        """
        with self._lock:
            for reading in self._readings():
                if parcel in reading.under_way:
                    reading.under_way.remove(parcel)
                    break
            else:
                return
            if reading.is_exhausted and not reading.under_way:
                self._read.remove(reading)
                self._remove(reading)

    def _remove(self, reading: Reading) -> None:
        # What can't be removed will be sent again by another process: said, not lost.
        try:
            reading.box.remove(reading.segment)
        except OSError as error:
            self._failed(error)
        if not reading.box.segments and reading.box is not self._own:
            self._adopted.remove(reading.box)
            reading.box.release()

    # Ends.

    def close(self) -> None:
        """Leave what is there to the next process; the spool can be used again after that."""
        with self._lock:
            for reading in self._readings():
                # If it can't be done, the next process sends all of the segment again.
                with suppress(OSError):
                    self._leave(reading)
            boxes, quarantine = self._boxes(), self._quarantine
            self._own, self._adopted, self._quarantine = None, [], None
            self._reading, self._read = None, []
            for box in boxes:
                # To close is all that is wanted, however that goes.
                with suppress(OSError):
                    box.release()
        if quarantine is not None:
            quarantine.close()

    def _leave(self, reading: Reading) -> None:
        """Take what was sent out of a segment that was sent in part."""
        left = reading.left()
        if left:
            reading.box.replace(reading.segment, left)
        elif left is not None:
            reading.box.remove(reading.segment)

    def after_fork(self) -> None:
        """Begin anew, in the child of a fork: what is on disk is the parent's."""
        boxes, quarantine = self._boxes(), self._quarantine
        self._begin()
        for box in boxes:
            box.abandon()
        if quarantine is not None:
            quarantine.after_fork()


def _expanded(directory: Path) -> Path:
    try:
        return directory.expanduser()
    except RuntimeError:  # A container's user, say, that has none.
        raise BadOptionError(
            f"The directory of a spool is {str(directory)!r}, and there is no such home directory: "
            "it takes a path that needs none."
        ) from None
