"""What the export thread does, one step at a time: it takes, sends, spools, and sends again.

Nothing here waits. Each step returns when the next is due, so that a test can drive it with a
clock of its own, and the thread that drives it otherwise is a loop of two lines.

The rules:

- A batch is sent when it is full, or when `linger` has passed since the queue had something.
- A sink that fails is left alone for a while: by backoff, and as it asks. One batch is held
  meanwhile. Where there is a spool, the batch goes there after the second failure in a row, or
  at once if somebody waits, and so does what comes after it, until the sink takes something.
- What is in the spool is sent when nothing else is due, the oldest first. It is also what a sink
  that has failed is tried with. What is told meanwhile of runs that are in the spool goes there
  too, so that a run is told of in order.
- What the sink may have failed over is set aside after the second time, so that it is tried with
  something else (`callboard.export.doubts`). With a spool, that is what came from there.
"""

from __future__ import annotations

import logging
from typing import cast
from uuid import UUID

from callboard.errors import KeyRefusedError, SinkUnavailableError
from callboard.export.bell import FOREVER
from callboard.export.consignment import Consignment
from callboard.export.counters import Fate, Ledger
from callboard.export.delivery import Delivery
from callboard.export.detour import Detour
from callboard.export.doubts import Doubts, Suspect
from callboard.export.intake import Batch, Intake
from callboard.export.live import Live
from callboard.export.notices import Notices
from callboard.export.outage import PATIENCE, Outage, Trouble
from callboard.export.pace import Pace
from callboard.export.sinks.base import Limits, Sink
from callboard.export.spool.reading import Parcel
from callboard.export.spool.spool import Spool
from callboard.export.telling import Telling

__all__ = ["Shipping"]

logger = logging.getLogger(__name__)

_ADOPT_EVERY = 60.0
"""Seconds between looks for what other processes have left in the spool."""


class Shipping:
    """Moves operations from the queue to the sink, by way of the spool if it must be.

    Attributes:
        detour: The way into the spool, if there is one.
        closing: Whether the end has begun: nothing new comes.
    """

    def __init__(
        self,
        intake: Intake,
        ledger: Ledger,
        sink: Sink,
        spool: Spool | None,
        *,
        limits: Limits,
        pace: Pace,
        live: Live,
    ) -> None:
        """Make the steps; none is taken yet.

        Args:
            intake: The queue.
            ledger: Counts what comes of it.
            sink: Where operations go.
            spool: Where they wait on disk, if they may.
            limits: How much makes a batch, if the sink takes that much.
            pace: How fast things go.
            live: What running models say, which is told between batches.
        """
        self._intake = intake
        self._ledger = ledger
        self._sink = sink
        self._spool = spool
        self._limits = limits
        self._pace = pace
        self._notices = Notices(logger)
        self._delivery = Delivery(sink, self._settle, self._notices, spool)
        self._outage = Outage(
            pace,
            self._notices,
            "wait in the spool" if spool else "wait in memory as long as there is room",
        )
        self.detour = None if spool is None else Detour(intake, ledger, spool)
        self._telling = Telling(live, sink, pace)
        self._doubts = Doubts()
        self._suspects_not_before = 0.0
        self._held: Batch | None = None
        self._parcel: Parcel | None = None
        self._growing_since: float | None = None
        self._adopt_at = 0.0
        self.closing = False

    @property
    def is_idle(self) -> bool:
        """Whether nothing waits in memory, or is under way from there."""
        in_doubt = self._spool is None and bool(self._doubts)
        return self._held is None and self._intake.is_empty and not in_doubt

    @property
    def is_done(self) -> bool:
        """Whether there will never be anything to do again."""
        return self.closing and self.is_idle

    def step(self) -> float:
        """Do what is due, a batch at the most.

        Returns:
            In how many seconds there will be more to do, if nothing happens before.
        """
        now = self._pace.now()
        if self._spool is not None and not self.closing and now >= self._adopt_at:
            self._adopt(self._spool, now)
        pause = self._next(now)
        self.tell()
        pressed = not self._outage.is_over or self._intake.is_high or self.closing
        return min(pause, self._telling.step(pressed=pressed))

    def _next(self, now: float) -> float:
        suspect = self._due_suspect(now)
        if suspect is not None:
            return self._examine(suspect, now)
        if self._held is None:
            self._held = self._due_batch(now)
        if self._held is not None:
            return self._ship(self._held, now)
        pauses = [self._adopt_at - now if self._spool else FOREVER]
        if self._growing_since is not None:
            pauses.append(self._growing_since + self._pace.linger - now)
        if self._can_resend():
            if self._outage.allows(now):
                return self._resend(now)
            pauses.append(self._outage.not_before - now)
        pauses.append(self._suspects_pause(now))
        return max(0.0, min(pauses))

    def _batch_limits(self) -> Limits:
        # While the sink is out of reach it is not asked: to ask may take it seconds to fail.
        if not self._outage.is_over:
            return self._limits
        theirs = self._sink.limits()
        return Limits(*map(min, self._limits, theirs))

    def _due_batch(self, now: float) -> Batch | None:
        if self._intake.is_empty:
            self._growing_since = None
            return None
        if self._growing_since is None:
            self._growing_since = now
        limits = self._batch_limits()
        if now < self._growing_since + self._pace.linger and not self._intake.is_due(*limits):
            return None
        self._growing_since = None
        return self._intake.take(*limits)

    def _settle(self, consignment: Consignment, fate: Fate, count: int) -> None:
        """Say what became of the first operations of a batch or a parcel, or of a part of one."""
        whole = consignment.whole
        if not isinstance(whole, Parcel):
            self._intake.settle(consignment, fate, count)
            return
        consignment.strike(count)
        self._ledger.unspool(fate, count)
        if whole.is_settled and self._spool is not None:
            self._spool.done(whole)

    # To the sink.

    def _ship(self, batch: Batch, now: float) -> float:
        if not self._outage.allows(now):
            if self.detour is not None and self._may_spool(batch):
                return self._store(batch, self.detour, now)
            return self._outage.not_before - now
        self._put_behind(batch, now)
        if self._sent(batch) or (self._spool is None and self._set_aside(batch, now)):
            self._held = None
        return 0.0

    def _may_spool(self, batch: Batch) -> bool:
        patience = self._outage.failures < PATIENCE
        return not patience or self.closing or self._intake.is_hurried(batch)

    def _sent(self, consignment: Consignment) -> bool:
        """Try to send what has not been in doubt yet; return whether nothing is left of it."""
        if not consignment.groups:
            return True
        try:
            self._delivery.deliver(consignment)
        except (SinkUnavailableError, KeyRefusedError) as error:
            self._outage.failed(error)
            consignment.failures += _is_suspicious(error)
            return False
        self._recovered()
        return True

    def _recovered(self) -> None:
        self._suspects_not_before = 0.0
        if self._outage.recovered():
            logger.info("%r takes operations again.", self._sink)

    # In doubt.

    def _set_aside(self, consignment: Consignment, now: float) -> bool:
        """Set a consignment aside that the sink may have failed over, if it has done so often."""
        if consignment.failures < PATIENCE or self._doubts.is_full:
            return False
        self._doubts.add(consignment, self._outage.not_before, now)
        self._outage.forgive()
        return True

    def _put_behind(self, consignment: Consignment, now: float) -> None:
        """Take out what tells of runs that are in doubt or in the spool, to be sent after that."""
        runs = self._doubts.runs() if self._doubts else set[UUID]()
        detour = self.detour if isinstance(consignment, Batch) else None
        if detour is not None:
            runs |= detour.runs()
        if not runs:
            return
        part = consignment.set_apart(runs)
        if part.groups and not (detour is not None and detour.take(part)):
            self._doubts.add(part, 0.0, now)

    def _due_suspect(self, now: float) -> Suspect | None:
        if self.closing and self._spool is not None:
            return None  # They are left in the spool.
        suspect = self._doubts.next()
        is_due = suspect is not None and self._suspects_time(suspect) <= now
        return suspect if is_due else None

    def _suspects_time(self, suspect: Suspect) -> float:
        return max(suspect.due, self._suspects_not_before, self._outage.not_before)

    def _suspects_pause(self, now: float) -> float:
        suspect = self._doubts.next()
        if suspect is None or (self.closing and self._spool is not None):
            return FOREVER
        return self._suspects_time(suspect) - now

    def _examine(self, suspect: Suspect, now: float) -> float:
        """Try what is in doubt again, or draw the conclusion from how it failed last."""
        if not suspect.consignment.groups:  # Somebody else has settled it.
            self._doubts.remove(suspect)
            return 0.0
        if suspect.was_blamed(self._delivery.passes):
            suspect.failed_at = None
            suspect.strikes += 1
        if suspect.is_condemned(now, sink_is_well=self._outage.is_over):
            self._condemn(suspect)
            return 0.0
        try:
            self._delivery.deliver(suspect.consignment)
        except (SinkUnavailableError, KeyRefusedError) as error:
            self._failed_again(suspect, error)
            return 0.0
        self._doubts.remove(suspect)
        self._recovered()
        return 0.0

    def _failed_again(self, suspect: Suspect, error: Trouble) -> None:
        if not _is_suspicious(error):
            self._outage.failed(error)
            suspect.failed(None, self._outage.not_before)
            return
        due = self._pace.now() + self._pace.backoff.seconds(suspect.attempts + 1)
        if self._outage.is_over:
            suspect.failed(self._delivery.passes, due)
        else:
            # Nobody is to blame for what befalls all, and one is enough to see when it is over.
            suspect.failed(None, due)
            self._suspects_not_before = due
        if not suspect.is_one and (self._outage.is_over or self._is_only_hope(suspect)):
            self._doubts.halve(suspect)

    def _is_only_hope(self, suspect: Suspect) -> bool:
        """Whether nothing but a suspect itself can show if the sink is out of order."""
        waits = self._held is not None or not self._intake.is_empty or self._can_resend()
        return suspect.attempts >= PATIENCE and self._doubts.are_of_one and not waits

    def _condemn(self, suspect: Suspect) -> None:
        [operation] = suspect.consignment.operations
        why = (
            f"{operation!r} is dropped: {self._sink!r} fails whenever it is sent, and takes others."
        )
        self._delivery.drop(suspect.consignment, "condemned", why)
        self._doubts.remove(suspect)

    # To the spool, and back.

    def _store(self, batch: Batch, detour: Detour, now: float) -> float:
        # What the spool does not take waits in memory, as it would without one.
        if detour.take(batch) or self._set_aside(batch, now):
            self._held = None
            return 0.0
        return self._outage.not_before - now

    def _can_resend(self) -> bool:
        if self._spool is None or self.closing:
            return False
        return self._parcel is not None or not (self._doubts.is_full or self._spool.is_empty)

    def _resend(self, now: float) -> float:
        spool = cast("Spool", self._spool)
        parcel = self._parcel
        if parcel is None:
            parcel = self._parcel = spool.take(*self._batch_limits())
            if parcel is None:
                self._outage.wait()  # It can't be read; that has been said, and may pass.
                return 0.0
            self._ledger.unspool(Fate.DROPPED, parcel.lost)
            self._put_behind(parcel, now)
            if parcel.is_settled:  # There was nothing in it that can be read.
                spool.done(parcel)
        if self._sent(parcel) or self._set_aside(parcel, now):
            self._parcel = None
        return 0.0

    def _adopt(self, spool: Spool, now: float) -> None:
        self._adopt_at = now + _ADOPT_EVERY
        found = spool.adopt()
        if found:
            self._ledger.recover(found)
            logger.info("%d operations found in %r will be sent.", found, spool)

    # What is said.

    def tell(self) -> None:
        """Log, once, that something was spooled or dropped."""
        counters = self._ledger.counters
        if self._ledger.has_spooled:
            self._notices.once(
                "spooled", "Operations go to %r, to be sent later: %s.", self._spool, counters
            )
        if counters.dropped:
            self._notices.once("dropped", "Operations were dropped: %s.", counters)

    def tell_of_refusal(self, room: int) -> None:
        """Log, once, that there was no room for an operation.

        Args:
            room: How many bytes may wait.
        """
        if not self.closing:
            self._notices.once(
                "refused",
                "Operations come faster than they leave, and there is no room for more than %d "
                "bytes of them: those that come now are dropped, and counted.",
                room,
            )


def _is_suspicious(error: Trouble) -> bool:
    return isinstance(error, SinkUnavailableError) and error.suspicious
