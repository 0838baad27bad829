"""The detour: from the queue into the spool, and which runs have taken it."""

from __future__ import annotations

import threading
from uuid import UUID

from callboard.export.consignment import Consignment
from callboard.export.counters import Fate, Ledger
from callboard.export.intake import Intake
from callboard.export.spool.spool import Spool

__all__ = ["Detour"]

_MAX_RUNS = 50_000
"""Of so many runs it is known that they are in the spool. What is told of others may overtake what
is there, and whoever takes it in merges it all the same."""


class Detour:
    """Puts operations into the spool.

    What was told of a run before is there, then, and what is told of it next has to go the same
    way, so as not to arrive before.
    """

    def __init__(self, intake: Intake, ledger: Ledger, spool: Spool) -> None:
        """Make a detour that nothing has taken yet.

        Args:
            intake: The queue.
            ledger: Counts what becomes of it.
            spool: Where it goes.
        """
        self._intake = intake
        self._ledger = ledger
        self._spool = spool
        self._lock = threading.Lock()
        self._runs: set[UUID] = set()

    def take(self, consignment: Consignment) -> bool:
        """Put a batch, or a part of one, into the spool.

        Args:
            consignment: What to put there; it is settled as far as that goes.

        Returns:
            Whether all of it is settled; if not, the spool can't be written.
        """
        operations = consignment.operations
        with self._lock:
            if len(self._runs) < _MAX_RUNS:
                self._runs.update(each.run_id for each in operations)
            appended = self._spool.append(operations)
        self._intake.settle(consignment, Fate.SPOOLED, appended.written)
        self._intake.settle(consignment, Fate.DROPPED, appended.refused)
        self._ledger.unspool(Fate.DROPPED, appended.evicted)
        return appended.error is None

    def runs(self) -> frozenset[UUID]:
        """Return the runs of which something may be in the spool."""
        if not self._runs:
            return frozenset()
        with self._lock:
            if self._spool.is_idle:
                self._runs.clear()
            return frozenset(self._runs)
