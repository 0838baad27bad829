"""The pace: how fast things go, by which clock."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from time import monotonic

from callboard.export.retry import Backoff

__all__ = ["Pace"]


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
