"""The queue between the application and the export thread: bounded in bytes, never waited for.

Operations are counted in by position: the first is 0. A position is all that `flush` needs to
know what was there before it.

What waits is as the application told it; what is taken out has been redacted. There is no other
way out, neither to a sink nor to the disk.
"""

from __future__ import annotations

import logging
import threading
from collections import deque
from collections.abc import Callable, Iterable
from enum import Enum, auto
from typing import Any, TypeAlias

from callboard.export.consignment import Consignment
from callboard.export.counters import Fate, Ledger
from callboard.export.notices import Notices
from callboard.redaction import Redaction, redacted
from callboard.wire.operations import LateOperation, Operation, finalise

__all__ = ["OVERHEAD", "Added", "Batch", "Intake"]

logger = logging.getLogger(__name__)

Redactions: TypeAlias = tuple[Redaction, ...]
"""What an operation goes through before it leaves the queue, in that order."""

Waiting: TypeAlias = tuple[Operation, Redactions, int]
"""An operation, what it goes through, and about how many bytes it took when it came."""

OVERHEAD = 200
"""Bytes that an operation takes in the queue beyond its own estimate."""


class Added(Enum):
    """What came of adding an operation."""

    QUIETLY = auto()
    DUE = auto()
    """The export thread has a reason to look."""
    HIGH = auto()
    """The queue has just risen over its mark."""
    REFUSED = auto()
    """There was no room; it is counted as dropped."""


# Looking a member up on its class costs as much as the rest of the comparison.
_QUIETLY, _DUE, _HIGH, _REFUSED = Added


class Batch(Consignment):
    """Operations on their way from the queue to a sink or the spool.

    Attributes:
        unready: What was taken, and what each goes through before it leaves; None when all have.
        size: What they were estimated to take; it counts against the queue's bound until the
            last of them is settled.
        position: The position of the first.
    """

    __slots__ = ("position", "size", "unready")

    def __init__(self, taken: list[Waiting], size: int, position: int) -> None:
        super().__init__([operation for operation, _, _ in taken])
        self.size = size
        self.position = position
        self.unready: list[Waiting] | None = taken

    def fill(self, ready: list[Operation]) -> None:
        """Put in place of what was taken what may leave.

        Args:
            ready: As many operations, or fewer.
        """
        self.groups = [ready] if ready else []
        self.unready = None

    def seized(self) -> list[Waiting]:
        """Return what is not settled, and what it has yet to go through."""
        if self.unready is not None:
            return self.unready
        return [(operation, (), 0) for operation in self.unsettled]


def _redacted(whole: Iterable[Waiting]) -> list[Operation]:
    """Return operations as they may leave."""
    return [redacted(each, redactions) if redactions else each for each, redactions, _ in whole]


class Intake:
    """Operations that wait, and those under way."""

    def __init__(
        self, ledger: Ledger, *, max_bytes: int, mark: int, batch_count: int, batch_bytes: int
    ) -> None:
        """Make an empty queue.

        Args:
            ledger: Counts what comes and goes; its lock guards the queue too.
            max_bytes: How much may wait or be under way.
            mark: From how many bytes on it is time to make room otherwise than by sending.
            batch_count: From how many operations on the export thread is to look.
            batch_bytes: From how many bytes on it is to look.
        """
        self._ledger = ledger
        self._lock = ledger.lock
        self._settled = threading.Condition(self._lock)
        self._max_bytes = max_bytes
        self._mark = mark
        self._batch_count = batch_count
        self._batch_bytes = batch_bytes
        self._waiting: deque[Waiting] = deque()
        self._waiting_bytes = 0
        self._under_way: list[Batch] = []  # Two or three: one a thread.
        self._under_way_bytes = 0
        self._next = 0
        self._hurried_to = 0
        self._closed = False
        self._notices = Notices(logger)

    def add(
        self, operation: Operation, size: int, urgent: bool = False, redactions: Redactions = ()
    ) -> Added:
        """Add an operation, if there is room.

        Args:
            operation: It must not change any more.
            size: About how many bytes it takes.
            urgent: Whether it and all before it are to be sent at once.
            redactions: What it goes through before it leaves.
        """
        size += OVERHEAD
        with self._lock:
            self._ledger.emitted += 1
            before = self._waiting_bytes
            after = before + size
            if after + self._under_way_bytes > self._max_bytes or self._closed:
                self._ledger.settle(Fate.DROPPED, 1)
                finalise(operation)
                return _REFUSED
            self._waiting.append((operation, redactions, size))
            self._waiting_bytes += size  # By now that may be more than it was: see `Ledger`.
            self._next += 1
            if urgent:
                self._hurried_to = self._next
            count = len(self._waiting)
        return self._told(before, after, urgent or count in (1, self._batch_count))

    def retell(
        self, operation: LateOperation, told: Any, size: int, urgent: bool = False
    ) -> Added | None:
        """Replace what an operation tells that was added before, if it still waits.

        Args:
            operation: Which.
            told: What it is read from; must not change any more.
            size: About how many bytes it takes then.
            urgent: Whether it and all before it are to be sent at once.

        Returns:
            None if it is on its way already, or there is no room: it is as it was.
        """
        with self._lock:
            before = self._waiting_bytes
            more = size - operation.size
            after = before + more
            if after + self._under_way_bytes > self._max_bytes or not operation.retell(told, size):
                return None
            self._waiting_bytes += more
            if urgent:
                self._hurried_to = self._next
        return self._told(before, after, urgent)

    def _told(self, before: int, after: int, is_due: bool) -> Added:
        """Return what came of more bytes that wait than before, and of what else is due."""
        if before <= self._mark < after:
            return _HIGH
        return _DUE if is_due or before < self._batch_bytes <= after else _QUIETLY

    def seal(self) -> None:
        """Let everything that waits tell what it tells now, whatever becomes of its runs."""
        with self._lock:
            self.disown()
            waiting = list(self._waiting)
        self._put_together(waiting)

    def disown(self) -> None:
        """Let nothing that waits be told anew; without the lock, for the child of a fork.

        There, nobody will ever let go of it.
        """
        for operation, _, _ in list(self._waiting):  # A signal's handler may add to it meanwhile.
            finalise(operation)

    @property
    def size(self) -> int:
        """About how many bytes wait or are under way."""
        with self._lock:
            return self._waiting_bytes + self._under_way_bytes

    @property
    def is_high(self) -> bool:
        """Whether more waits than the mark."""
        return self._waiting_bytes > self._mark

    @property
    def is_empty(self) -> bool:
        """Whether nothing waits."""
        return not self._waiting

    def hurry(self) -> int:
        """Let everything that waits be sent at once.

        Returns:
            The position after the last of it, for `wait_past`.
        """
        with self._lock:
            self._hurried_to = self._next
            return self._next

    def is_hurried(self, batch: Batch) -> bool:
        """Whether somebody waits for a batch.

        Args:
            batch: One that is under way.
        """
        return batch.position < self._hurried_to

    def close(self) -> None:
        """Take no more; what comes is counted as dropped."""
        with self._lock:
            self._closed = True

    def is_due(self, count: int, size: int) -> bool:
        """Whether there is a batch to send that need not wait to grow.

        Args:
            count: How many operations make a full batch.
            size: How many bytes make a full batch.
        """
        with self._lock:
            if not self._waiting:
                return False
            return (
                self._closed
                or len(self._waiting) >= count
                or self._waiting_bytes >= size
                or self._next - len(self._waiting) < self._hurried_to
            )

    def take(self, count: int, max_size: int) -> Batch | None:
        """Take a batch, the oldest operations first.

        Args:
            count: How many operations at the most.
            max_size: How many bytes at the most; a single operation may have more.

        Returns:
            None if nothing waits. The batch is under way until `settle` was told of all of it.
        """
        with self._lock:
            batch = self._take(count, max_size)
        if batch is not None and batch.unready is not None:
            # Not under the lock: redaction takes time, and may log.
            ready = _redacted(self._put_together(batch.unready))
            with self._lock:
                lost = len(batch.unready) - len(ready)
                is_seized = batch not in self._under_way
                batch.fill([] if is_seized else ready)
                if not is_seized:
                    self._count(batch, Fate.DROPPED, lost)
        return batch

    def _put_together(self, taken: Iterable[Waiting]) -> list[Waiting]:
        """Have operations put together, so that nothing changes them any more.

        Returns:
            Them, but for those that can't be put together: nobody could send them.
        """
        whole: list[Waiting] = []
        for each in taken:
            operation = each[0]
            try:
                operation.head  # noqa: B018 - now it is put together
            except Exception as error:  # noqa: BLE001 - what it is made of may be anybody's
                self._notices.once(
                    "unreadable",
                    "What is told of the run %s can't be put together, and is dropped: %r. This is "
                    "said once; the counters tell how many operations were dropped.",
                    operation.run_id,
                    error,
                    level=logging.ERROR,
                )
            else:
                whole.append(each)
        return whole

    def _take(self, count: int, max_size: int) -> Batch | None:
        if not self._waiting:
            return None
        position = self._next - len(self._waiting)
        taken: list[Waiting] = []
        total = 0
        while self._waiting and len(taken) < count:
            operation, _, size = self._waiting[0]
            size += finalise(operation)
            if taken and total + size > max_size:
                break
            taken.append(self._waiting.popleft())
            total += size
        self._waiting_bytes -= total
        self._under_way_bytes += total
        batch = Batch(taken, total, position)
        self._under_way.append(batch)
        return batch

    def settle(self, consignment: Consignment, fate: Fate, count: int) -> None:
        """Say what became of the first operations of a batch, or of a part of one.

        Args:
            consignment: Which. If somebody else has settled it since (`seize`), nothing happens.
            fate: What became of them.
            count: How many.
        """
        with self._lock:
            batch = next((each for each in self._under_way if each is consignment.whole), None)
            if batch is None:
                consignment.groups.clear()
                return
            consignment.strike(count)
            self._count(batch, fate, count)

    def _count(self, batch: Batch, fate: Fate, count: int) -> None:
        self._ledger.settle(fate, count)
        if batch.is_settled:
            self._under_way.remove(batch)
            self._under_way_bytes -= batch.size
            self._settled.notify_all()

    def seize(self) -> list[Operation]:
        """Take everything, also what is under way: whoever had it can't settle it any more.

        Returns:
            It all, in order, but for what can't be put together; still counted as queued.
        """
        with self._lock:
            under_way = sorted(self._under_way, key=lambda batch: batch.position)
            seized = [each for batch in under_way for each in batch.seized()]
            self.disown()
            seized += self._waiting
            self._under_way.clear()
            self._waiting.clear()
            self._waiting_bytes = self._under_way_bytes = 0
            self._settled.notify_all()
        ready = self._put_together(seized)
        self._ledger.settle(Fate.DROPPED, len(seized) - len(ready))
        return _redacted(ready)

    def wait_past(self, position: int, timeout: float, give_up: Callable[[], bool]) -> bool:
        """Wait until everything before a position has left memory.

        Args:
            position: As `hurry` returned it.
            timeout: How long at the most, in seconds.
            give_up: Returns whether there is no sense in waiting.

        Returns:
            Whether it has.
        """
        with self._settled:
            self._settled.wait_for(lambda: self._is_past(position) or give_up(), timeout)
            return self._is_past(position)

    def _is_past(self, position: int) -> bool:
        oldest = min((batch.position for batch in self._under_way), default=self._next)
        return min(oldest, self._next - len(self._waiting)) >= position
