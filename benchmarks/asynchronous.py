"""The same in async code, where handlers are awaited, called inline or called in a thread."""

from collections.abc import Iterable
from functools import partial
from typing import Any

from benchmarks.case import Case, Loop
from benchmarks.dispatch import CHUNK, llm_run, token_calls, token_coroutines
from benchmarks.handlers import Hears, HearsAsync
from benchmarks.libraries import Library
from benchmarks.runs import INPUTS, METADATA, OUTPUTS, PARENT, RUN, TAGS

__all__ = ["CASES"]


def token(handler: str, count: int, library: Library) -> Loop:
    """Send a token to handlers of one class."""
    handlers = [getattr(library, handler)() for _ in range(count)]
    run = llm_run(library, "AsyncCallbackManagerForLLMRun", handlers)

    async def loop(times: Iterable[None]) -> None:
        for _ in times:
            await run.on_llm_new_token("token", chunk=CHUNK)

    return loop


def chain(handler: str, count: int, library: Library) -> Loop:
    """Start and end a chain."""
    handlers = [getattr(library, handler)() for _ in range(count)]
    manager = library.callbacks.AsyncCallbackManager(
        handlers, parent_run_id=PARENT, tags=TAGS, metadata=METADATA
    )

    async def loop(times: Iterable[None]) -> None:
        for _ in times:
            run = await manager.on_chain_start(None, INPUTS)
            await run.on_chain_end(OUTPUTS)

    return loop


def chain_coroutines(count: int) -> Loop:
    """Await handlers' coroutines with a chain's start and end."""
    handlers = [HearsAsync() for _ in range(count)]

    async def loop(times: Iterable[None]) -> None:
        for _ in times:
            for each in handlers:
                await each.on_chain_start(
                    None, INPUTS, run_id=RUN, parent_run_id=PARENT, tags=TAGS, metadata=METADATA
                )
            for each in handlers:
                await each.on_chain_end(OUTPUTS, run_id=RUN, parent_run_id=PARENT, tags=TAGS)

    return loop


def _token(name: str, handler: str, count: int, **aims: Any) -> Case:
    return Case(name, partial(token, handler, count), **aims)


def _chain(name: str, handler: str, count: int, **aims: Any) -> Case:
    return Case(name, partial(chain, handler, count), **aims)


CASES = [
    _token("token, heard by 1", "heard_async", 1, ceiling=token_coroutines(1), target=1),
    _token("token, heard by 5", "heard_async", 5, ceiling=token_coroutines(5), target=1),
    _token("token, 1 plain handler without the method", "silent", 1, target=40),
    _token("token, 5 plain handlers without the method", "silent", 5),
    _token("token, heard by 1 inline", "inline", 1, ceiling=token_calls(Hears, 1)),
    _token("token, heard by 1 in a thread", "heard", 1, ceiling=token_calls(Hears, 1)),
    _token("token, heard by 5 in threads", "heard", 5, ceiling=token_calls(Hears, 5)),
    _token("token, no handlers", "heard", 0),
    _chain("chain start + end, heard by 1", "heard_async", 1, ceiling=chain_coroutines(1)),
    _chain("chain start + end, heard by 5", "heard_async", 5, ceiling=chain_coroutines(5)),
    _chain("chain start + end, no handlers", "heard", 0),
]
