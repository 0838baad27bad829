"""Overflow: from the queue to the spool, while the sink is too slow for what comes in.

The export thread may be waiting for an answer for seconds. So that the queue does not fill up
meanwhile, another thread takes from it whatever is above its mark. It is started the first time
that this happens, which for most programs is never.
"""

from __future__ import annotations

from callboard.export.bell import FOREVER
from callboard.export.detour import Detour
from callboard.export.intake import Batch, Intake
from callboard.export.sinks.base import Limits

__all__ = ["Overflow"]

_TRY_AGAIN = 1.0
"""Seconds, after which a spool that could not be written is tried again."""


class Overflow:
    """Takes from the queue what is above its mark, a batch at a time."""

    def __init__(self, intake: Intake, detour: Detour, limits: Limits) -> None:
        """Make the steps; none is taken yet.

        Args:
            intake: The queue.
            detour: Where it goes.
            limits: How much makes a batch.
        """
        self._intake = intake
        self._detour = detour
        self._limits = limits
        self._held: Batch | None = None

    def step(self) -> float:
        """Spool a batch, if the queue is above its mark.

        Returns:
            In how many seconds there may be more to do, if nothing happens before.
        """
        if self._held is None and self._intake.is_high:
            self._held = self._intake.take(*self._limits)
        if self._held is None:
            return FOREVER
        if not self._detour.take(self._held):
            return _TRY_AGAIN
        self._held = None
        return 0.0
