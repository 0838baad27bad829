"""How a time is taken, on a machine that others use too.

Noise only ever adds time: so each side is measured in many short slices, and the fastest
counts. The sides take turns, in alternating order, so that none has the quieter minutes; and
the cases of a group take turns too, so that a busy second is no case's whole measurement.

The garbage collector is off inside a slice and runs before it, outside the time taken:
otherwise one side would pay for what another left. What the imports made is frozen, for going
through it would take longer than the slices.
"""

import asyncio
import gc
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from inspect import iscoroutinefunction
from itertools import repeat
from math import inf
from time import perf_counter, process_time, thread_time
from types import FunctionType

from benchmarks.case import Case, Loop, Result
from benchmarks.libraries import OURS, RIVAL
from benchmarks.sameness import check_sameness

__all__ = ["Effort", "measure", "thread_timed"]


@dataclass(frozen=True)
class Effort:
    """How much time to spend.

    Attributes:
        rounds: How often each side gets its turn.
        slice: For about how many seconds at a time.
        imports: How many processes are started for each side of an import.
    """

    rounds: int
    slice: float
    imports: int


@dataclass
class _Side:
    """One of those that take turns, and the best that it did."""

    loop: Loop
    count: int = 1
    best: float = inf


@dataclass
class _Race:
    """A case under measurement."""

    case: Case
    rival: _Side
    ours: _Side
    ceiling: _Side | None
    sides: list[_Side] = field(init=False)

    def __post_init__(self) -> None:
        self.sides = [self.rival, self.ours, *([self.ceiling] if self.ceiling else [])]

    def result(self) -> Result:
        """Return the best of each side."""
        return Result(
            self.case.name,
            self.ours.best,
            self.rival.best,
            self.ceiling.best if self.ceiling else None,
            self.case.target,
            self.case.within,
        )


def measure(cases: Sequence[Case], effort: Effort) -> list[Result]:
    """Measure cases in turns.

    Raises:
        RuntimeError: The libraries do not do the same in some case.
    """
    for case in cases:
        check_sameness(case)
    races = [_prepared(case) for case in cases]
    gc.collect()
    gc.freeze()
    with asyncio.Runner() as runner:
        for race in races:
            for side in race.sides:
                _set_count(side, effort.slice, runner)
        for index in range(effort.rounds):
            for race in races:
                for side in race.sides if index % 2 else reversed(race.sides):
                    _take_turn(side, runner)
    return [race.result() for race in races]


def _prepared(case: Case) -> _Race:
    return _Race(
        case,
        _Side(_own_copy(case.work(RIVAL))),
        _Side(_own_copy(case.work(OURS))),
        _Side(_own_copy(case.ceiling)) if case.ceiling else None,
    )


def _own_copy(loop: Loop) -> Loop:
    """Give a side a loop with code of its own.

    The interpreter adapts code to the objects that it meets; shared code would have to
    adapt itself at every turn.
    """
    assert isinstance(loop, FunctionType)
    return FunctionType(
        loop.__code__.replace(), loop.__globals__, loop.__name__, None, loop.__closure__
    )


def _set_count(side: _Side, wanted: float, runner: asyncio.Runner) -> None:
    """Find how often a side can do its work in one slice."""
    while (taken := _timed(side, runner)) < wanted / 2:
        side.count *= 2
    side.count = max(1, round(side.count * wanted / taken))


def _take_turn(side: _Side, runner: asyncio.Runner) -> None:
    side.best = min(side.best, _timed(side, runner) / side.count)


def _timed(side: _Side, runner: asyncio.Runner) -> float:
    times = repeat(None, side.count)
    gc.collect()
    gc.disable()
    try:
        if iscoroutinefunction(side.loop):
            return runner.run(_awaited(side.loop, times))
        start = perf_counter()
        side.loop(times)
        return perf_counter() - start
    finally:
        gc.enable()


async def _awaited(loop: Loop, times: Iterable[None]) -> float:
    start = perf_counter()
    await loop(times)
    return perf_counter() - start


def thread_timed(loop: Loop, count: int) -> tuple[float, float]:
    """Return the CPU time that the thread takes, and when the process had begun with it."""
    times = repeat(None, count)
    gc.collect()
    gc.disable()
    started, start = process_time(), thread_time()
    loop(times)
    taken = thread_time() - start
    gc.enable()
    return taken, started
