"""Integrations: what each adds to a model's run and to a streamed token, a rival beside it.

What is compared is CPU time of the calling thread, less that of the same calls without a handler.
Rivals that are handlers hear the same manager. Those that are not make the platform's own calls,
with what the integration tells it made ready beforehand: no handler can take less.

Beside a token is langchain-core's base of tracers, which the vendors' handlers derive from.
"""

import gc
from collections.abc import Callable, Iterable
from typing import Any

from langchain_core.tracers.base import BaseTracer

from benchmarks.case import Loop, Result
from benchmarks.measuring import Effort, thread_timed
from benchmarks.monitored import ENTRIES, MODEL, Monitored
from benchmarks.work import Work, chat_work
from callboard.callbacks import CallbackManager

__all__ = ["measure_integrations"]

_RUNS, _TOKENS, _MOST_ROUNDS = 100, 2000, 30
# What differs by less can't be told from nothing, on a machine that others use too.
_FLOOR = 0.01e-6


class _Silent(BaseTracer):
    """Does nothing with its runs."""

    def _persist_run(self, run: Any) -> None:
        pass

    def forget_tokens(self) -> None:
        """Let go of what was recorded, which would fill memory while others have their turns."""
        for run in self.run_map.values():
            run.events.clear()


def measure_integrations(effort: Effort) -> list[Result]:
    """Measure a model's run and a token, for each integration that is installed."""
    work = chat_work(4, 2000, MODEL)
    rounds = min(effort.rounds, _MOST_ROUNDS)
    monitored = [each for make in ENTRIES if (each := make(work))]
    gc.collect()
    gc.freeze()
    runs = [_run(each, work, rounds) for each in monitored]
    tokens = [_token(each, rounds) for each in monitored]
    for each in monitored:
        each.close()
    return [*runs, *tokens]


def _run(monitored: Monitored, work: Work, rounds: int) -> Result:
    bare = monitored.bare
    silent, ours, rival = _least(
        [_runs(work), _runs(work, monitored.handler), bare or _runs(work, monitored.heard)],
        _RUNS,
        rounds,
    )
    name = f"run, {monitored.name}; rival: {monitored.rival}"
    return Result(name, _cost(ours - silent), _cost(rival if bare else rival - silent))


def _token(monitored: Monitored, rounds: int) -> Result:
    tracer = _Silent()
    silent, ours, rival = _least(
        [_stream(), _stream(monitored.handler), _stream(tracer)],
        _TOKENS,
        rounds,
        tracer.forget_tokens,
    )
    return Result(f"token, {monitored.name}", _cost(ours - silent), _cost(rival - silent))


def _least(
    loops: list[Loop], count: int, rounds: int, after: Callable[[], None] | None = None
) -> Iterable[float]:
    """Have loops take turns; return the least of each one's, in seconds for one time."""
    taken: list[list[float]] = [[] for _ in loops]
    for index in range(rounds):
        for at in range(len(loops)) if index % 2 else reversed(range(len(loops))):
            taken[at].append(thread_timed(loops[at], count)[0] / count)
        if after:
            after()
    return map(min, taken)


def _cost(seconds: float) -> float:
    return max(seconds, _FLOOR)


def _manager(*handlers: Any) -> CallbackManager:
    return CallbackManager.configure(
        list(handlers),
        inheritable_metadata={"ls_model_name": MODEL, "ls_provider": "openai"},
    )


def _runs(work: Work, *handlers: Any) -> Loop:
    manager = _manager(*handlers)

    def loop(times: Iterable[None]) -> None:
        for _ in times:
            [run] = manager.on_chat_model_start(work.serialized, [work.messages], **work.options)
            run.on_llm_end(work.result)

    return loop


def _stream(*handlers: Any) -> Loop:
    [run] = _manager(*handlers).on_llm_start({}, ["Why?"])
    run.on_llm_new_token("Be")

    def loop(times: Iterable[None]) -> None:
        for _ in times:
            run.on_llm_new_token("cause")

    return loop
