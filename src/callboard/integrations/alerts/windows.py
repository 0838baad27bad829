"""Windows: what was measured in the last so many seconds, in a bounded room.

A window has 60 steps of equal length, aligned to 1970, and moves from step to step: so it reaches
back for its length, or for up to a 60th of it less. A step holds sums, the worst value and, where
percentiles are asked for, how many values there were of each size, in at most 2,001 sizes: what is
held does not depend on how much was measured.

The time is what it is told: of the moments that it hears, the latest. What comes late, as it does
from threads, is put into its own step, if that has not left the window.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from math import ceil, log
from typing import Generic, TypeVar

__all__ = ["STEPS", "Window"]

STEPS = 60
"""How many steps a window has."""

_RATIO = 1.02
_LOG_RATIO = log(_RATIO)
_SIZES = 1_000
_PATIENCE = 20
"""So many values in a row that are too old mean that the clock was set back."""

T = TypeVar("T")


@dataclass(slots=True)
class _Step(Generic[T]):
    """What was measured in one step."""

    count: int = 0
    beyond: int = 0
    total: float = 0.0
    worst: float | None = None
    example: T | None = None
    sizes: Counter[int] = field(default_factory=Counter[int])


class Window(Generic[T]):
    """Values of the last so many seconds, each with an example of what it was measured of.

    Attributes:
        count: How many values there are.
        beyond: How many of them are beyond the limit.
        now: The time, in microseconds since 1970.
    """

    def __init__(
        self,
        seconds: float,
        limit: float,
        is_worse: Callable[[float, float], bool],
        *,
        sizes: bool = False,
    ) -> None:
        """Make an empty window.

        Args:
            seconds: How long it is.
            limit: The limit.
            is_worse: Whether one value is worse than another: ``operator.gt`` or ``operator.lt``.
            sizes: Whether there are to be percentiles; then the limit is greater than 0.
        """
        self._length = max(STEPS, round(seconds * 1_000_000))
        self._limit = limit
        self._is_worse = is_worse
        self._has_sizes = sizes
        self._log_limit = log(limit) if sizes else 0.0
        self._clear(0)

    def _clear(self, moment: int) -> None:
        self._steps: dict[int, _Step[T]] = {}
        self.count = 0
        self.beyond = 0
        self._total = 0.0
        self._too_old = 0
        self.now = moment

    def advance(self, moment: int) -> None:
        """Let it be so late, if it is not later already.

        Args:
            moment: In microseconds since 1970.
        """
        if moment <= self.now:
            return
        self.now = moment
        last = self._step_of(moment) - STEPS
        gone = [self._steps.pop(each) for each in list(self._steps) if each <= last]
        for step in gone:
            self.count -= step.count
            self.beyond -= step.beyond
        if gone:  # Added up anew: what is taken from a sum leaves something of itself there.
            self._total = sum(step.total for step in self._steps.values())

    def add(self, moment: int, value: float, example: Callable[[], T]) -> None:
        """Add what was measured.

        Args:
            moment: When, in microseconds since 1970.
            value: The value.
            example: Returns what it was measured of; called only if it is worth being shown.
        """
        self.advance(moment)
        index = self._step_of(moment)
        if index <= self._step_of(self.now) - STEPS:
            self._too_old += 1
            if self._too_old < _PATIENCE:
                return
            self._clear(moment)
        self._too_old = 0
        step = self._steps.get(index)
        if step is None:
            step = self._steps[index] = _Step()
        self._count(step, value)
        if step.worst is None or self._is_worse(value, step.worst):
            step.worst, step.example = value, example()

    def _step_of(self, moment: int) -> int:
        return moment * STEPS // self._length

    def _count(self, step: _Step[T], value: float) -> None:
        beyond = int(self._is_worse(value, self._limit))
        step.count += 1
        step.beyond += beyond
        step.total += value
        self.count += 1
        self.beyond += beyond
        self._total += value
        if self._has_sizes:
            step.sizes[self._size(value)] += 1

    def _size(self, value: float) -> int:
        """Return which of the sizes a value has: those from 1 on are beyond the limit."""
        if value <= 0:
            return -_SIZES
        size = ceil((log(value) - self._log_limit) / _LOG_RATIO)
        if value > self._limit:
            return min(max(size, 1), _SIZES)
        return max(min(size, 0), -_SIZES)

    # What is read off.

    def total(self) -> float:
        """Return the sum of the values."""
        return self._total

    def average(self) -> float | None:
        """Return the average; None if there are no values."""
        return self._total / self.count if self.count else None

    def worst(self) -> float | None:
        """Return the worst value; None if there are none."""
        step = self._worst_step()
        return None if step is None else step.worst

    def example(self) -> T | None:
        """Return what the worst value was measured of, the latest of several."""
        step = self._worst_step()
        return None if step is None else step.example

    def _worst_step(self) -> _Step[T] | None:
        found: _Step[T] | None = None
        for _, step in sorted(self._steps.items(), reverse=True):
            if found is None or self._is_worse(_worst_of(step), _worst_of(found)):
                found = step
        return found

    def passes(self, percent: float) -> bool:
        """Whether a percentile is beyond the limit; exact.

        Args:
            percent: Which, such as 95.
        """
        return self.count - self.beyond < self._rank(percent)

    def percentile(self, percent: float) -> float | None:
        """Return a percentile, by nearest rank, to a hundredth of itself; None without values.

        Args:
            percent: Which, such as 95.
        """
        if not self.count:
            return None
        sizes: Counter[int] = Counter()
        for step in self._steps.values():
            sizes.update(step.sizes)
        left = self._rank(percent)
        for size in sorted(sizes):
            left -= sizes[size]
            if left <= 0:
                return self._middle(size)
        return None

    def _middle(self, size: int) -> float:
        if size == -_SIZES:
            return 0.0
        worst = self.worst() or 0.0
        middle: float = self._limit * _RATIO ** (size - 0.5)
        return min(middle, worst)

    def _rank(self, percent: float) -> int:
        # Rounded first: 29 % of 100 is a little less than 29, in floats.
        return ceil(round(percent * self.count / 100, 9))


def _worst_of(step: _Step[T]) -> float:
    return 0.0 if step.worst is None else step.worst
