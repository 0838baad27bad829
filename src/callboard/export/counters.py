"""The ledger: what became of every operation that was accepted."""

from __future__ import annotations

import threading
from dataclasses import dataclass, fields
from enum import Enum

__all__ = ["Counters", "Fate", "Ledger"]


class Fate(Enum):
    """What may become of an operation."""

    SENT = "sent"
    SPOOLED = "spooled"
    DROPPED = "dropped"


@dataclass(frozen=True, slots=True)
class Counters:
    """How many operations are where, at one moment.

    Always ``emitted + recovered == queued + sent + spooled + dropped``: nothing is lost without
    being counted.

    Attributes:
        emitted: Given to the exporter by this process.
        recovered: Found in the spool, left there by processes that have ended.
        queued: In memory, waiting or under way.
        sent: Accepted by the sink.
        spooled: On disk, to be sent later.
        dropped: Lost: there was no room, or nobody will ever take them.
    """

    emitted: int = 0
    recovered: int = 0
    queued: int = 0
    sent: int = 0
    spooled: int = 0
    dropped: int = 0

    def __str__(self) -> str:
        names = [each.name for each in fields(self) if each.name != "recovered" or self.recovered]
        return ", ".join(f"{name} {getattr(self, name)}" for name in names)


class Ledger:
    """Counts operations from one place to the next.

    Attributes:
        lock: Held for each change. Reentrant: whoever submits may be interrupted, by a signal
            or by the garbage collector, by somebody who submits. What it guards can't be
            torn by that: no statement calls anything half-way through a change.
        emitted: Changed by the queue, which holds the lock anyway.
        has_spooled: Whether anything was ever spooled by this process.
    """

    def __init__(self) -> None:
        self.lock = threading.RLock()
        self.emitted = 0
        self.has_spooled = False
        self._recovered = 0
        self._sent = 0
        self._spooled = 0
        self._dropped = 0

    def settle(self, fate: Fate, count: int) -> None:
        """Count operations that leave the queue.

        Args:
            fate: What became of them.
            count: How many.
        """
        with self.lock:
            if fate is Fate.SENT:
                self._sent += count
            elif fate is Fate.SPOOLED:
                self._spooled += count
                self.has_spooled = self.has_spooled or count > 0
            else:
                self._dropped += count

    def unspool(self, fate: Fate, count: int) -> None:
        """Count operations that leave the spool.

        Args:
            fate: What became of them: sent or dropped.
            count: How many.
        """
        with self.lock:
            self._spooled -= count
            self.settle(fate, count)

    def recover(self, count: int) -> None:
        """Count operations found in the spool that another process left there."""
        with self.lock:
            self._recovered += count
            self._spooled += count

    @property
    def counters(self) -> Counters:
        """How many operations are where, now."""
        with self.lock:
            settled = self._sent + self._spooled + self._dropped
            return Counters(
                emitted=self.emitted,
                recovered=self._recovered,
                queued=self.emitted + self._recovered - settled,
                sent=self._sent,
                spooled=self._spooled,
                dropped=self._dropped,
            )
