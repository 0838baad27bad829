"""The rate limit: not more model calls, or tokens, in a period than there may be."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Protocol

from callboard import clock
from callboard.errors import BadOptionError, RateLimitError
from callboard.integrations.base import RunRecord
from callboard.integrations.gates import Gate
from callboard.integrations.holds import Hold
from callboard.prices import NO_PRICES

__all__ = ["Allowance", "LocalAllowance", "RateLimit"]


class Allowance(Protocol):
    """How much there is left, of calls or of tokens. Make one of your own to share it.

    One that asks a server, such as Redis or Upstash, holds for all processes.
    """

    def take(self, count: int) -> float:
        """Take some, if there is some left.

        Args:
            count: How much; 0 only asks.

        Returns:
            0 if it was taken; else in how many seconds to try again, and nothing was taken.
        """
        ...

    def charge(self, count: int) -> None:
        """Take some that has been used already, though there may not be as much left.

        Args:
            count: How much.
        """
        ...


class LocalAllowance:
    """An allowance of this process: a bucket that fills evenly. May be shared between threads."""

    def __init__(self, size: float, period: float) -> None:
        """Make a full bucket.

        Args:
            size: How much it holds, and how much flows in over a period.
            period: How long a period is, in seconds.

        Raises:
            BadOptionError: It never holds 1, or the period is not greater than 0.
        """
        if size < 1 or period <= 0:
            raise BadOptionError(
                f"An allowance of {size!r} in {period!r} seconds: it takes 1 or more, in more "
                "than 0 seconds."
            )
        self._size, self._speed = size, size / period
        self._left = float(size)
        self._filled = clock.now()
        self._lock = Hold()

    def take(self, count: int) -> float:
        """Take some, if there is some left: see `Allowance.take`."""
        with self._lock:
            self._fill()
            # What was charged must be paid back before anything else is taken.
            missing = max(count, 1) - self._left
            if missing > 0:
                return missing / self._speed
            self._left -= count
            return 0.0

    def charge(self, count: int) -> None:
        """Take some that has been used already: see `Allowance.charge`."""
        with self._lock:
            self._fill()
            self._left -= count

    def _fill(self) -> None:
        now = clock.now()
        passed = max(0.0, (now - self._filled).total_seconds())
        self._left = min(float(self._size), self._left + passed * self._speed)
        self._filled = now


class RateLimit(Gate):
    """Makes model calls wait, or refuses them, when there are too many in a period.

    A call takes one from `requests` when it starts, and the tokens that it used from `tokens` when
    it has ended; nothing is raised then. Waiting does not block an event loop.
    """

    def __init__(
        self,
        *,
        requests: float | Allowance | None = None,
        tokens: float | Allowance | None = None,
        period: float = 60.0,
        max_wait: float = 0.0,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        """Set a limit.

        Args:
            requests: How many calls there may be in a period; or an allowance of your own.
            tokens: How many tokens may be used in a period; or an allowance of your own.
            period: How long a period is, in seconds.
            max_wait: How long a call may wait, in seconds, before it is refused.
            sleep: Waits for so many seconds.

        Raises:
            BadOptionError: There is no limit, one is less than 1 or no allowance, or the period is
                not greater than 0.
        """
        if requests is None and tokens is None:
            raise BadOptionError("A rate limit needs requests, tokens or both.")
        super().__init__(NO_PRICES)
        self._requests = _allowance("requests", requests, period)
        self._tokens = _allowance("tokens", tokens, period)
        self._max_wait = max_wait
        self._sleep = sleep

    def admit(self) -> None:
        """Let a call through when there is room for it.

        Raises:
            RateLimitError: There is none, and would not be within `max_wait` seconds.
        """
        waited = 0.0
        while missing := self._missing():
            if waited + missing > self._max_wait:
                raise RateLimitError(
                    f"The limit for model calls is reached: there is room again in {missing:.3g} "
                    f"seconds, and calls wait for {self._max_wait:g} at the most.",
                    retry_after=missing,
                )
            self._sleep(missing)
            waited += missing

    def _missing(self) -> float:
        """Take one call; return 0, or in how many seconds there may be room for it."""
        # Tokens are asked first, for asking takes none.
        missing = 0.0 if self._tokens is None else self._tokens.take(0)
        if missing or self._requests is None:
            return missing
        return self._requests.take(1)

    def count(self, record: RunRecord) -> None:
        """Take the tokens that a call has used."""
        if self._tokens is not None and record.tokens is not None:
            self._tokens.charge(record.tokens.total or 0)


def _allowance(name: str, limit: float | Allowance | None, period: float) -> Allowance | None:
    if isinstance(limit, int | float):
        return LocalAllowance(limit, period)
    if limit is None or (hasattr(limit, "take") and hasattr(limit, "charge")):
        return limit
    raise BadOptionError(
        f"{name} is {limit!r}; it takes a number, or an allowance with take and charge."
    )
