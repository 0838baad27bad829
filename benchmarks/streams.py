"""Streams: a model's tokens as events, and as patches to a log."""

from collections.abc import Iterable
from importlib import import_module
from typing import Any

from benchmarks.case import Case, Loop
from benchmarks.dispatch import CHUNK
from benchmarks.libraries import Library

__all__ = ["CASES"]

TOKENS = 300


def _of(library: Library, module: str, name: str) -> Any:
    package = library.callbacks.__name__.partition(".")[0]
    return getattr(import_module(f"{package}.tracers.{module}"), name)


def event(library: Library) -> Loop:
    """Send a token to an event stream, and read its event."""
    handler = _of(library, "event_stream", "_AstreamEventsCallbackHandler")

    async def loop(times: Iterable[None]) -> None:
        stream = handler()
        manager = library.callbacks.AsyncCallbackManager([stream])
        [run] = await manager.on_llm_start({}, ["Why?"])
        events = aiter(stream)
        await anext(events)
        for _ in times:
            await run.on_llm_new_token("token", chunk=CHUNK)
            await anext(events)

    return loop


def log(library: Library) -> Loop:
    """Add up a log of tokens, and read its state."""
    run_log = _of(library, "log_stream", "RunLog")
    patch = _of(library, "log_stream", "RunLogPatch")
    start = patch({"op": "replace", "path": "", "value": {"streamed_output": []}})
    token = patch({"op": "add", "path": "/streamed_output/-", "value": "token"})

    def loop(times: Iterable[None]) -> None:
        for _ in times:
            grown = run_log(state=None) + start
            for _ in range(TOKENS):
                grown += token
            _ = grown.state

    return loop


CASES = [
    Case("token, as an event that is read", event, target=1.5),
    Case(f"log of {TOKENS} tokens, added up", log, target=5),
]
