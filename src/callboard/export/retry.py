"""When to try again: backoff with full jitter, and what ``Retry-After`` says."""

from __future__ import annotations

import random
from collections.abc import Callable
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from callboard import clock

__all__ = ["LONGEST_RETRY_AFTER", "Backoff", "retry_after_seconds"]

# Of our own: whoever seeds Python's, to have the same numbers each time, has them.
_chance = random.SystemRandom().random

LONGEST_RETRY_AFTER = 3600.0
"""Seconds: a server that asks for more is asked again all the same."""


class Backoff:
    """How long to wait after each failure in a row.

    Full jitter: any time up to a bound that doubles. Clients that failed together then don't
    come back together, which is what keeps an overloaded server down.
    """

    def __init__(
        self,
        first: float = 0.5,
        longest: float = 60.0,
        chance: Callable[[], float] = _chance,
    ) -> None:
        """Make a backoff.

        Args:
            first: The bound of the first wait, in seconds.
            longest: The bound that no wait exceeds, in seconds.
            chance: Returns a number from 0 to 1, another each time.
        """
        self._first = first
        self._longest = longest
        self._chance = chance

    def seconds(self, failures: int, retry_after: float | None = None) -> float:
        """Return how long to wait, in seconds.

        Args:
            failures: How many there were in a row, at least one.
            retry_after: What the server asked for, in seconds: never less is waited.
        """
        # The exponent is bounded: a float overflows after a thousand failures.
        bound = min(self._longest, self._first * 2.0 ** min(failures - 1, 30))
        jitter = bound * self._chance()
        return jitter if retry_after is None else min(retry_after, LONGEST_RETRY_AFTER) + jitter


def retry_after_seconds(
    header: str | None, now: Callable[[], datetime] = clock.now
) -> float | None:
    """Return what a ``Retry-After`` header asks for, in seconds.

    Args:
        header: Its value: seconds, or the date of HTTP; None if there is no such header.
        now: Tells the time, aware.

    Returns:
        None if nothing is asked for, or nothing that can be understood.
    """
    if header is None:
        return None
    try:
        seconds = float(header)
    except ValueError:
        return _until(header, now)
    return seconds if 0 <= seconds < float("inf") else None


def _until(date: str, now: Callable[[], datetime]) -> float | None:
    try:
        when = parsedate_to_datetime(date)
    except ValueError:
        return None
    if when.tzinfo is None:  # "-0000": no zone is told, and HTTP's dates are in UTC.
        when = when.replace(tzinfo=UTC)
    return max(0.0, (when - now()).total_seconds())
