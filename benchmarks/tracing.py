"""Tracing: what it adds to a call, and to the whole process, beside what rivals add.

What is compared is CPU time, that of the calling thread or of the process, sending included,
and less that of the same call untraced: waiting for a server is not in it, nor are the others
on the machine. Each contestant sends over HTTP to a receiver in another process, and everything
that it sent is checked there: how many runs, and the content of each.

The contestants of a row take turns in one process; the median of their turns counts.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from importlib.util import find_spec
from itertools import repeat
from statistics import median
from time import process_time
from typing import Any

from benchmarks.case import Loop, Result
from benchmarks.contestants import (
    Contestant,
    callboard,
    decorated,
    langchain,
    opentelemetry,
    their_decorated,
)
from benchmarks.libraries import OURS, RIVAL
from benchmarks.measuring import Effort, thread_timed
from benchmarks.receiver import Receiver
from benchmarks.work import Work, chat_work, text_work
from callboard.callbacks import CallbackManager
from callboard.langsmith.exporters import Nowhere
from callboard.tracers import LangChainTracer

__all__ = ["measure_tracing"]

_TOKENS = 2000
_MOST_ROUNDS = 30

Entry = Callable[[Receiver, Work], Contestant | None]


@dataclass(frozen=True)
class Race:
    """Contestants that do the same work.

    Attributes:
        name: What they do.
        work: With what.
        ours: Callboard's entry.
        rivals: The others', each with how many times as much as ours it is to add to the
            calling thread.
        whole: How many times as much as ours the first of them is to add to the process.
        runs: How many runs a turn has: enough that its beginning, when nothing is in the caches
            of the processor, does not count for much.
    """

    name: str
    work: Work
    ours: Entry
    rivals: Sequence[tuple[Entry, float]]
    whole: float | None = 4
    runs: int = 200


@dataclass
class _Turns:
    """What a contestant's turns took, in seconds a run."""

    contestant: Contestant
    thread: list[float] = field(default_factory=list)
    process: list[float] = field(default_factory=list)

    def take(self, runs: int) -> None:
        """Do the work, untraced and traced."""
        bare, _ = thread_timed(self.contestant.bare, runs)
        traced, started = thread_timed(self.contestant.traced, runs)
        self.contestant.flush()
        self.thread.append((traced - bare) / runs)
        self.process.append((process_time() - started - bare) / runs)


def measure_tracing(effort: Effort) -> list[Result]:
    """Measure each race, and what a streamed token costs.

    Raises:
        RuntimeError: A contestant's runs have not arrived as they were.
    """
    results: list[Result] = []
    with Receiver() as receiver:
        for race in _races():
            results += _raced(race, receiver, min(effort.rounds, _MOST_ROUNDS))
    return [*results, _token(effort)]


def _races() -> list[Race]:
    races = [
        Race(f"chain, {name}", text_work(size), callboard, [(langchain, 20), (opentelemetry, 1)])
        for name, size in (("200 B", 200), ("20 kB", 20_000))
    ]
    races.append(
        Race("chat of 10 messages, 20 kB", chat_work(10, 20_000), callboard, [(langchain, 8)])
    )
    if find_spec("callboard.instrument"):
        races.append(
            Race("@traceable, 200 B", text_work(200), decorated, [(their_decorated, 10)], None)
        )
    return races


def _raced(race: Race, receiver: Receiver, rounds: int) -> list[Result]:
    entries = [(race.ours, 1.0), *race.rivals]
    sides = [
        (_Turns(contestant), target)
        for entry, target in entries
        if (contestant := entry(receiver, race.work))
    ]
    try:
        for turns, _ in sides:
            turns.contestant.traced(repeat(None, race.runs))
            turns.contestant.flush()
        for index in range(rounds):
            for turns, _ in sides if index % 2 else reversed(sides):
                turns.take(race.runs)
        for turns, _ in sides:
            name = turns.contestant.name
            receiver.check(name, race.runs * (rounds + 1), race.work.content)
    finally:
        for turns, _ in sides:
            turns.contestant.close()
    return list(_results(race, sides))


def _results(race: Race, sides: Sequence[tuple[_Turns, float]]) -> Iterable[Result]:
    (ours, _), *rivals = sides
    for rival, target in rivals:
        name = race.name
        if rival.contestant.name != RIVAL.name:
            name += f"; rival: {rival.contestant.name}"
        yield Result(name, median(ours.thread), median(rival.thread), target=target)
    first = rivals[0][0]
    if race.whole:
        name = f"{race.name}, whole process"
        yield Result(name, median(ours.process), median(first.process), target=race.whole)


def _token(effort: Effort) -> Result:
    """Measure what a tracer adds to a streamed token, and what one costs that a handler hears."""
    loops = [_stream(), _stream(LangChainTracer(destination=Nowhere())), _stream(OURS.heard())]
    taken: list[list[float]] = [[], [], []]
    for index in range(effort.rounds):
        for at in (0, 1, 2) if index % 2 else (2, 1, 0):
            taken[at].append(thread_timed(loops[at], _TOKENS)[0] / _TOKENS)
    silent, traced, heard = map(median, taken)
    return Result("token, traced; rival: heard by a handler", traced - silent, heard, target=1)


def _stream(*handlers: Any) -> Loop:
    [run] = CallbackManager(list(handlers)).on_llm_start({}, ["Why?"])
    run.on_llm_new_token("Be")

    def loop(times: Iterable[None]) -> None:
        for _ in times:
            run.on_llm_new_token("cause")

    return loop
