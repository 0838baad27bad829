"""What is measured: the same work for both libraries, and what it is to be faster by."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, TypeAlias

from benchmarks.libraries import Library

__all__ = ["Case", "Loop", "Result"]

Loop: TypeAlias = Callable[[Iterable[None]], Any]
"""Does a piece of work once for each item given; a coroutine function if the work is async."""


@dataclass(frozen=True)
class Case:
    """One line of the table.

    Attributes:
        name: What is done.
        work: Prepares it for a library. It is written once, so the work is the same.
        ceiling: The bare calls of the handlers that hear it; None if there are none.
        target: How many times as fast as the rival it is to be.
        within: How many seconds it may take at most.
    """

    name: str
    work: Callable[[Library], Loop]
    ceiling: Loop | None = None
    target: float | None = None
    within: float | None = None


@dataclass(frozen=True)
class Result:
    """What a case took, in seconds."""

    name: str
    ours: float
    rival: float
    ceiling: float | None = None
    target: float | None = None
    within: float | None = None

    @property
    def ratio(self) -> float:
        """How many times as fast as the rival it was."""
        return self.rival / self.ours

    @property
    def met(self) -> bool:
        """Whether nothing that was aimed at is missed."""
        fast_enough = self.target is None or self.ratio >= self.target
        return fast_enough and (self.within is None or self.ours <= self.within)
