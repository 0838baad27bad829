"""A reading: a segment that is being sent, parcel by parcel."""

from __future__ import annotations

from callboard.export.consignment import Consignment
from callboard.export.notices import Notices
from callboard.export.spool.box import Box
from callboard.export.spool.claim import records_of
from callboard.export.spool.frames import frame
from callboard.export.spool.records import operation_from, record_of
from callboard.export.spool.segment import Segment
from callboard.wire.operations import Operation

__all__ = ["Parcel", "Reading"]


class Parcel(Consignment):
    """Operations read from a spool, to be sent.

    Attributes:
        lost: How many stood between them that could not be read.
        size: How many bytes they take.
    """

    __slots__ = ("lost", "size")

    def __init__(self, operations: list[Operation], lost: int, size: int) -> None:
        super().__init__(operations)
        self.lost = lost
        self.size = size


class Reading:
    """A segment, how far it has been read, and what of that is under way.

    Attributes:
        box: Where it is.
        segment: Which.
        under_way: Parcels that are not settled.
    """

    __slots__ = ("_count", "_lost", "_notices", "_records", "box", "segment", "under_way")

    def __init__(self, box: Box, segment: Segment, notices: Notices) -> None:
        """Read a segment.

        Args:
            box: Where it is.
            segment: Which.
            notices: Tells what can't be read.

        Raises:
            OSError: It can't be read at all.
        """
        self.box = box
        self.segment = segment
        self.under_way: list[Parcel] = []
        self._notices = notices
        self._records = records_of(segment, notices)
        self._records.reverse()  # The next one is the last: to take it moves no other.
        self._count = len(self._records)
        self._lost = max(0, (segment.count or 0) - self._count)

    @property
    def is_exhausted(self) -> bool:
        """Whether all of it has been read."""
        return not self._records

    def take(self, count: int, max_size: int) -> Parcel:
        """Read what is next.

        Args:
            count: How many operations at the most.
            max_size: How many bytes at the most; a single operation may have more.
        """
        operations: list[Operation] = []
        size = 0
        lost, self._lost = self._lost, 0
        while self._records and len(operations) < count:
            record = self._records[-1]
            if operations and size + len(record) > max_size:
                break
            self._records.pop()
            size += len(record)
            try:
                operations.append(operation_from(record))
            except ValueError as error:
                lost += 1
                self._notices.once(
                    "record", "A record of %s is skipped: %s", self.segment.path, error
                )
        parcel = Parcel(operations, lost, size)
        self.under_way.append(parcel)
        return parcel

    def left(self) -> list[bytes] | None:
        """Return the records that are not settled, in their frames; None if that is all of them."""
        left = [record_of(each) for parcel in self.under_way for each in parcel.unsettled]
        left.extend(reversed(self._records))
        return [frame(record) for record in left] if len(left) < self._count else None
