"""What the export thread does, one step at a time: it takes, sends, spools, and sends again.

Nothing here waits. Each step returns when the next is due, so that a test can drive it with a
clock of its own, and the thread that drives it otherwise is a loop of two lines.

The rules:

- A batch is sent when it is full, or when `linger` has passed since the queue had something.
- A sink that fails is left alone until `not_before`: by backoff, and as it asks. One batch is
  held meanwhile. Where there is a spool, the batch goes there after the second failure in a row,
  or at once if somebody waits, and so does what comes after it, until the sink takes something.
- What is in the spool is sent when nothing else is due, the oldest first. It is also what a sink
  that has failed is tried with.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from time import monotonic

from callboard.errors import KeyRefusedError, SinkUnavailableError
from callboard.export.bell import FOREVER
from callboard.export.counters import Fate, Ledger
from callboard.export.delivery import deliver
from callboard.export.intake import Batch, Intake
from callboard.export.notices import Notices
from callboard.export.retry import Backoff
from callboard.export.sinks.base import Limits, Sink
from callboard.export.spool.spool import Parcel, Spool

__all__ = ["Pace", "Shipping", "store"]

logger = logging.getLogger(__name__)

_PATIENCE = 2
"""How many failures in a row a batch is held for, before it goes to the spool."""
_ADOPT_EVERY = 60.0
"""Seconds between looks for what other processes have left in the spool."""
_REFUSED_PAUSE = 30.0
"""Seconds: a key that was refused is not tried again earlier."""


@dataclass(frozen=True)
class Pace:
    """How fast things go.

    Attributes:
        linger: How many seconds a batch may wait to grow.
        backoff: How long to wait after failures.
        now: Tells the time in seconds, from any start, never backwards.
    """

    linger: float = 0.5
    backoff: Backoff = field(default_factory=Backoff)
    now: Callable[[], float] = monotonic


class Shipping:
    """Moves operations from the queue to the sink, by way of the spool if it must be."""

    def __init__(
        self,
        intake: Intake,
        ledger: Ledger,
        sink: Sink,
        spool: Spool | None,
        *,
        limits: Limits,
        pace: Pace,
    ) -> None:
        """Make the steps; none is taken yet.

        Args:
            intake: The queue.
            ledger: Counts what comes of it.
            sink: Where operations go.
            spool: Where they wait on disk, if they may.
            limits: How much makes a batch, if the sink takes that much.
            pace: How fast things go.
        """
        self._intake = intake
        self._ledger = ledger
        self._sink = sink
        self._spool = spool
        self._limits = limits
        self._pace = pace
        self._notices = Notices(logger)
        self._held: Batch | None = None
        self._parcel: Parcel | None = None
        self._growing_since: float | None = None
        self._failures = 0
        self._not_before = 0.0
        self._adopt_at = 0.0
        self.closing = False

    @property
    def is_idle(self) -> bool:
        """Whether nothing waits in memory, or is under way from there."""
        return self._held is None and self._intake.is_empty

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
        return pause

    def _next(self, now: float) -> float:
        if self._held is None:
            self._held = self._due_batch(now)
        if self._held is not None:
            return self._ship(self._held, now)
        pauses = [self._adopt_at - now if self._spool else FOREVER]
        if self._growing_since is not None:
            pauses.append(self._growing_since + self._pace.linger - now)
        if self._spool is not None and not self.closing and self._has_spooled(self._spool):
            if now >= self._not_before:
                return self._resend(self._spool)
            pauses.append(self._not_before - now)
        return max(0.0, min(pauses))

    def _batch_limits(self) -> Limits:
        # While the sink is out of reach it is not asked: to ask may take it seconds to fail.
        if self._failures:
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
        if now - self._growing_since < self._pace.linger and not self._intake.is_due(*limits):
            return None
        self._growing_since = None
        return self._intake.take(*limits)

    # To the sink.

    def _ship(self, batch: Batch, now: float) -> float:
        if now < self._not_before:
            if self._spool is None or not self._may_spool(batch):
                return self._not_before - now
            return self._store(batch, self._spool, now)
        try:
            deliver(batch, self._sink, partial(self._intake.settle, batch), self._notices)
        except (SinkUnavailableError, KeyRefusedError) as error:
            self._failed(error)
            return 0.0
        self._held = None
        self._recovered()
        return 0.0

    def _may_spool(self, batch: Batch) -> bool:
        return self._failures >= _PATIENCE or self.closing or self._intake.is_hurried(batch)

    def _failed(self, error: SinkUnavailableError | KeyRefusedError) -> None:
        self._failures += 1
        if isinstance(error, KeyRefusedError):
            self._failures = max(self._failures, _PATIENCE)
            pause = self._pace.backoff.seconds(self._failures, _REFUSED_PAUSE)
        else:
            pause = self._pace.backoff.seconds(self._failures, error.retry_after)
        # Sending may have taken its time: the pause begins now.
        self._not_before = self._pace.now() + pause
        level = logging.ERROR if isinstance(error, KeyRefusedError) else logging.WARNING
        where = "wait in the spool" if self._spool else "wait in memory as long as there is room"
        self._notices.once(
            type(error).__name__,
            "%s Operations %s until it takes them. This is said once in each outage.",
            error,
            where,
            level=level,
        )

    def _recovered(self) -> None:
        if self._failures:
            self._failures = 0
            self._not_before = 0.0
            for kind in (SinkUnavailableError, KeyRefusedError):
                self._notices.forget(kind.__name__)
            logger.info("%r takes operations again.", self._sink)

    # To the spool, and back.

    def _store(self, batch: Batch, spool: Spool, now: float) -> float:
        if store(batch, spool, self._intake, self._ledger):
            self._held = None
            return 0.0
        return self._not_before - now

    def _has_spooled(self, spool: Spool) -> bool:
        return self._parcel is not None or not spool.is_empty

    def _resend(self, spool: Spool) -> float:
        parcel = self._parcel
        if parcel is None:
            parcel = self._parcel = spool.take(*self._batch_limits())
            if parcel is None:
                # It can't be read; that has been said, and may pass.
                self._not_before = self._pace.now() + self._pace.backoff.seconds(_PATIENCE)
                return 0.0
            self._ledger.unspool(Fate.DROPPED, parcel.lost)
        try:
            deliver(parcel, self._sink, partial(self._settle_parcel, parcel), self._notices)
        except (SinkUnavailableError, KeyRefusedError) as error:
            self._failed(error)
            return 0.0
        self._parcel = None
        spool.done()
        self._recovered()
        return 0.0

    def _settle_parcel(self, parcel: Parcel, fate: Fate, count: int) -> None:
        parcel.strike(count)
        self._ledger.unspool(fate, count)

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


def store(batch: Batch, spool: Spool, intake: Intake, ledger: Ledger) -> bool:
    """Put a batch into the spool.

    Args:
        batch: What to put there; it is settled as far as that goes.
        spool: Where to.
        intake: The queue that it is from.
        ledger: Counts what is dropped to make room.

    Returns:
        Whether all of it is settled; if not, the spool can't be written.
    """
    appended = spool.append(batch.operations)
    intake.settle(batch, Fate.SPOOLED, appended.written)
    intake.settle(batch, Fate.DROPPED, appended.refused)
    ledger.unspool(Fate.DROPPED, appended.evicted)
    return appended.error is None
