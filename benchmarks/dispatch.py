"""Tokens, the event that comes most often, in sync code."""

from collections.abc import Iterable
from functools import partial
from typing import Any

from benchmarks.case import Case, Loop
from benchmarks.handlers import Hears, HearsAsync
from benchmarks.libraries import Library
from callboard.ids import uuid7

__all__ = ["CASES"]

RUN, PARENT = uuid7(), uuid7()
TAGS = ["tag"]
CHUNK = object()


def llm_run(library: Library, kind: str, handlers: list[Any]) -> Any:
    """Return the manager of a model run that has these handlers."""
    return getattr(library.callbacks, kind)(
        run_id=RUN,
        handlers=handlers,
        inheritable_handlers=handlers,
        parent_run_id=PARENT,
        tags=TAGS,
    )


def token(handler: str, count: int, library: Library) -> Loop:
    """Send a token to handlers of one class."""
    handlers = [getattr(library, handler)() for _ in range(count)]
    run = llm_run(library, "CallbackManagerForLLMRun", handlers)

    def loop(times: Iterable[None]) -> None:
        for _ in times:
            run.on_llm_new_token("token", chunk=CHUNK)

    return loop


def token_calls(handler: type[Hears], count: int) -> Loop:
    """Call handlers with a token."""
    handlers = [handler() for _ in range(count)]

    def loop(times: Iterable[None]) -> None:
        for _ in times:
            for each in handlers:
                each.on_llm_new_token(
                    token="token", chunk=CHUNK, run_id=RUN, parent_run_id=PARENT, tags=TAGS
                )

    return loop


def token_coroutines(count: int) -> Loop:
    """Await handlers' coroutines with a token."""
    handlers = [HearsAsync() for _ in range(count)]

    async def loop(times: Iterable[None]) -> None:
        for _ in times:
            for each in handlers:
                await each.on_llm_new_token(
                    "token", chunk=CHUNK, run_id=RUN, parent_run_id=PARENT, tags=TAGS
                )

    return loop


def _case(name: str, handler: str, count: int, **aims: Any) -> Case:
    return Case(name, partial(token, handler, count), **aims)


CASES = [
    _case("token, heard by 1", "heard", 1, ceiling=token_calls(Hears, 1), target=2),
    _case("token, heard by 5", "heard", 5, ceiling=token_calls(Hears, 5), target=1.5),
    _case("token, 1 handler without the method", "silent", 1),
    _case("token, 5 handlers without the method", "silent", 5, target=5),
    _case("token, no handlers", "heard", 0, within=0.1e-6),
    _case("token, heard by 1 async handler", "heard_async", 1, ceiling=token_coroutines(1)),
]
