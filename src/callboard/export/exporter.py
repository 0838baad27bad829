"""The exporter: takes operations from the application and sees them out of the process.

It never makes the application wait, and loses nothing that it accepted without counting it.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Sequence
from time import monotonic, sleep
from typing import Any

from callboard.errors import BadOptionError
from callboard.export import lifecycle
from callboard.export.counters import Counters, Fate, Ledger
from callboard.export.detour import Detour
from callboard.export.intake import Added, Intake
from callboard.export.live import Live
from callboard.export.overflow import Overflow
from callboard.export.pace import Pace
from callboard.export.serverless import is_serverless
from callboard.export.shipping import Shipping
from callboard.export.sinks.base import Limits, ProgressSink, Sink
from callboard.export.spool.spool import Spool
from callboard.export.worker import Worker
from callboard.redaction import Redaction
from callboard.wire.operations import LateOperation, Operation, size_estimate

__all__ = ["Exporter"]

_MIB = 1024 * 1024
_UNKNOWN_SIZE = 1024
_OVERFLOW_TIMEOUT = 1.0
"""Seconds."""

# Looking a member up on its class costs as much as the rest of the comparison.
_QUIETLY, _HIGH = Added.QUIETLY, Added.HIGH


class Exporter:
    """Sends operations to a sink, from a thread of its own.

    The thread starts with the first operation. When a program ends, what is left is sent, for
    `exit_timeout` at the most; the rest goes to the spool, or is counted as dropped. A fork's
    child begins with nothing queued and a thread of its own. No signal handler is installed:
    see `callboard.export.install_signal_handlers`.

    In AWS Lambda, Cloud Functions and Azure Functions a process may be frozen as soon as it
    has answered. There, `submit` with ``urgent=True``, as is done with the end of a root run,
    waits until everything is out, for `urgent_timeout` at the most. Elsewhere ``urgent`` means
    nothing.

    What is redacted is redacted by the thread that sends, before anything is sent or spooled:
    see `callboard.redaction`.

    `live` takes what running models say, for a sink that shows it; it is not an operation, and
    counted for itself.

    With a sink that is out of reach and no spool, operations wait in memory until there is no
    room, and those that come then are dropped and counted.

    Attributes:
        exit_timeout: How many seconds the end of the program may be delayed.
    """

    def __init__(
        self,
        sink: Sink,
        *,
        spool: Spool | None = None,
        redaction: Redaction | None = None,
        max_bytes: int = 64 * _MIB,
        batch_count: int = 100,
        batch_bytes: int = 20 * _MIB,
        linger: float = 0.5,
        exit_timeout: float = 5.0,
        serverless: bool | None = None,
        urgent_timeout: float = 2.0,
        pace: Pace | None = None,
    ) -> None:
        """Make an exporter.

        Args:
            sink: Where operations go. It is the exporter's from now on, and closed with it.
            spool: Where they wait on disk when they can't be sent; the exporter's too.
            redaction: What is taken out of all of them before they are sent or spooled.
            max_bytes: How much may be in memory, by `callboard.wire.operations.size_estimate`.
                A batch that is sent again from the spool comes on top of that.
            batch_count: How many operations are sent at once, if the sink takes as many.
            batch_bytes: How many bytes are sent at once, if the sink takes as many.
            linger: How many seconds an operation may wait for others to be sent with it.
            exit_timeout: How many seconds the end of the program may be delayed.
            serverless: Whether ``urgent`` is to be heeded; None: whether the environment says
                so.
            urgent_timeout: How many seconds `submit` may take then.
            pace: For tests: a clock and chance of their own; in place of `linger`.

        Raises:
            BadOptionError: A number is not positive, or a time is negative.
        """
        for name, number in (
            ("max_bytes", max_bytes),
            ("batch_count", batch_count),
            ("batch_bytes", batch_bytes),
        ):
            if number < 1:
                raise BadOptionError(f"{name} is {number}, and takes a number of at least 1.")
        for name, seconds in (
            ("linger", linger),
            ("exit_timeout", exit_timeout),
            ("urgent_timeout", urgent_timeout),
        ):
            if not seconds >= 0:
                raise BadOptionError(f"{name} is {seconds}, and takes seconds, at least 0.")
        self._sink = sink
        self._spool = spool
        self._redaction = redaction
        self._max_bytes = max_bytes
        self._limits = Limits(batch_count, batch_bytes)
        self._pace = pace or Pace(linger=linger)
        self.exit_timeout = exit_timeout
        self._heeds_urgent = is_serverless() if serverless is None else serverless
        self._urgent_timeout = urgent_timeout
        self.live = Live(self._wake, wanted=isinstance(sink, ProgressSink))
        self._begin()

    def __repr__(self) -> str:
        return f"<Exporter to {self._sink!r}: {self.counters}>"

    def _begin(self) -> None:
        self._ledger = Ledger()
        self._intake = Intake(
            self._ledger,
            max_bytes=self._max_bytes,
            mark=self._max_bytes // 2,
            batch_count=self._limits.operations,
            batch_bytes=self._limits.bytes,
        )
        self._shipping = Shipping(
            self._intake,
            self._ledger,
            self._sink,
            self._spool,
            limits=self._limits,
            pace=self._pace,
            live=self.live,
        )
        self._starting = threading.Lock()
        self._ending = threading.Lock()
        self._thread: Worker | None = None
        self._overflow: Worker | None = None
        self._is_shut = False

    @property
    def counters(self) -> Counters:
        """How many operations are where, now."""
        return self._ledger.counters

    @property
    def redaction(self) -> Redaction | None:
        """What is taken out of all operations that are submitted from now on, if anything."""
        return self._redaction

    @redaction.setter
    def redaction(self, redaction: Redaction | None) -> None:
        if redaction is not self._redaction:  # The environment's is set again and again.
            self._redaction = redaction
            self.seal()  # What is told of runs from now on goes through this one.

    def submit(
        self,
        operation: Operation,
        *,
        urgent: bool = False,
        size: int | None = None,
        redactions: Sequence[Redaction] = (),
    ) -> None:
        """Take an operation, to be sent soon. Never waits, encodes or raises.

        Args:
            operation: It must not change any more.
            urgent: Whether this is the end of a root run: see the class.
            size: About how many bytes it takes, if that is known already. To find it out is
                what costs most here, if the operation has hundreds of values.
            redactions: What else is taken out of it before it is sent or spooled, before what
                `redaction` takes out of all.
        """
        urgent = urgent and self._heeds_urgent
        if type(operation) is LateOperation and not operation.attachments:
            size = operation.size
        elif size is None:
            try:
                size = size_estimate(operation)
            except Exception:  # noqa: BLE001 - what has no size has no form: the sink will tell
                size = _UNKNOWN_SIZE
        redaction = self._redaction
        if redaction is not None and redaction not in redactions:
            redactions = (*redactions, redaction)
        added = self._intake.add(operation, size, urgent, tuple(redactions))
        if self._redaction is not redaction:  # It came meanwhile, and may not have seen this one.
            self.seal()
        if added is not _QUIETLY:
            self._attend(added)
        if urgent:
            self.flush(self._urgent_timeout)

    def retell(
        self, operation: LateOperation, told: Any, size: int, *, urgent: bool = False
    ) -> bool:
        """Replace what an operation tells that was submitted before, if nobody has it yet.

        So a run that has ended by then is sent once. It goes through the same redactions.

        Args:
            operation: Which.
            told: What it is read from; must not change any more.
            size: About how many bytes it takes then.
            urgent: As for `submit`.

        Returns:
            Whether it was replaced. If not, submit what is to be told besides.
        """
        urgent = urgent and self._heeds_urgent
        added = self._intake.retell(operation, told, size, urgent)
        if added is None:
            return False
        if added is not _QUIETLY:
            self._attend(added)
        if urgent:
            self.flush(self._urgent_timeout)
        return True

    def _attend(self, added: Added) -> None:
        """Wake or start the thread that has something to do now."""
        if self._is_shut:
            self._shipping.tell()  # There's no thread any more that would.
            return
        if added is Added.REFUSED:
            self._shipping.tell_of_refusal(self._max_bytes)
        if self._thread is None:
            self._start()
        thread = self._thread
        if thread is not None:
            thread.wake()
        if added is _HIGH and self._overflow is not None:
            self._overflow.wake()
        elif self._overflow is None and self._intake.is_high:
            self._start_overflow(self._shipping.detour)

    def _wake(self) -> None:
        if self._thread is not None:
            self._thread.wake()

    def _start(self) -> None:
        # Somebody else may be starting it: another thread, or this one, interrupted by the
        # garbage collector. Whoever does will see what there is to do.
        if not self._starting.acquire(blocking=False):
            return
        try:
            if self._thread is None and not self._is_shut:
                shipping = self._shipping
                worker = Worker("callboard-export", shipping.step, lambda: shipping.is_done)
                # Also if there can be no thread: then the end of the process sends.
                lifecycle.started(self)
                if worker.start():
                    self._thread = worker
        finally:
            self._starting.release()

    def _start_overflow(self, detour: Detour | None) -> None:
        if detour is None or not self._starting.acquire(blocking=False):
            return
        try:
            if self._overflow is None and not self._is_shut:
                overflow = Overflow(self._intake, detour, self._limits)
                worker = Worker("callboard-overflow", overflow.step, lambda: False)
                if worker.start():
                    self._overflow = worker
        finally:
            self._starting.release()

    def seal(self) -> None:
        """Let what was submitted before tell what it tells now, whatever becomes of its runs."""
        self._intake.seal()

    def flush(self, timeout: float) -> bool:
        """Send what was submitted before, and wait for it.

        Args:
            timeout: How long at the most, in seconds.

        Returns:
            Whether all of it has left memory: it was sent, or if the sink did not take it, it is
            in the spool; or it was dropped. `counters` tells which.
        """
        position = self._intake.hurry()
        thread = self._thread
        if thread is None:
            self._drain(monotonic() + timeout)
        elif thread.is_here:  # A log handler, say, that traces: it can't wait for itself.
            timeout = 0
        else:
            thread.wake()
        return self._intake.wait_past(position, timeout, lambda: self._is_shut)

    async def aflush(self, timeout: float) -> bool:  # noqa: ASYNC109 - as `flush` has it
        """Do what `flush` does, without holding the event loop up.

        Args:
            timeout: How long at the most, in seconds.
        """
        return await asyncio.to_thread(self.flush, timeout)

    def _drain(self, deadline: float) -> None:
        """Take the steps here, where no thread can be started that would: at the very end."""
        if not self._starting.acquire(blocking=False):
            return
        try:
            while self._thread is None and not self._shipping.is_idle and monotonic() < deadline:
                pause = self._shipping.step()
                sleep(max(0.0, min(pause, deadline - monotonic())))
        finally:
            self._starting.release()

    def close_intake(self) -> None:
        """Take no more, and begin to send what is left; `shutdown` waits for it."""
        self._intake.close()
        self._shipping.closing = True
        if self._thread is not None:
            self._thread.wake()

    def shutdown(self, timeout: float | None = None) -> bool:
        """Send what is left, and let go of everything. What comes after that is dropped.

        What can't be sent in time goes to the spool, for the next process.

        Args:
            timeout: How long at the most, in seconds; None: `exit_timeout`.

        Returns:
            Whether nothing was dropped that was there.
        """
        timeout = self.exit_timeout if timeout is None else timeout
        deadline = monotonic() + timeout
        if not self._ending.acquire(timeout=timeout):
            return False  # Somebody else is at it.
        try:
            return self._is_shut or self._shut(deadline)
        finally:
            self._ending.release()

    def _shut(self, deadline: float) -> bool:
        self.close_intake()
        if self._thread is None:
            self._drain(deadline)
        else:
            self._thread.join(max(0.0, deadline - monotonic()))
            self._thread.stop()
        if self._overflow is not None:
            self._overflow.stop()
            # It writes a batch to the disk at the most.
            self._overflow.join(max(_OVERFLOW_TIMEOUT, deadline - monotonic()))
        dropped = self._put_away(self._intake.seize())
        self._is_shut = True
        self._sink.close()
        if self._spool is not None:
            self._spool.close()
        self._shipping.tell()
        lifecycle.ended(self)
        return not dropped

    def _put_away(self, left: list[Operation]) -> int:
        """Spool what was not sent in time.

        Returns:
            How many operations had to be dropped.
        """
        written = 0
        if left and self._spool is not None:
            appended = self._spool.append(left)
            written = appended.written
            self._ledger.settle(Fate.SPOOLED, written)
            self._ledger.unspool(Fate.DROPPED, appended.evicted)
        self._ledger.settle(Fate.DROPPED, len(left) - written)
        return len(left) - written

    def after_fork(self) -> None:
        """Begin anew, in the child of a fork: what is queued is the parent's, and is not sent."""
        was_shut = self._is_shut
        self._sink.after_fork()
        if self._spool is not None:
            self._spool.after_fork()
        self.live.after_fork()
        self._intake.disown()
        self._begin()
        if was_shut:
            self._intake.close()
            self._is_shut = True
