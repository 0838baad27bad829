"""Streams of events: what they take and give."""

from collections.abc import AsyncIterator

from callboard.tracers import LogStreamCallbackHandler, RunLog, RunLogPatch
from callboard.tracers.event_stream import EventStream, as_sse, stream_events


async def call(handler: EventStream | None = None) -> int:
    return 1 if handler is None else 2


async def pieces() -> AsyncIterator[int]:
    yield 1


async def right() -> None:
    async for event in stream_events(call(), include_types=["tool"], max_pending=10):
        _: str = event["event"]
    async for event in stream_events(call):
        event.clear()
    async for text in as_sse(stream_events(lambda _: pieces()), keep_alive=None):
        text.upper()
    log = RunLog(state=None)
    async for patch in LogStreamCallbackHandler(include_names=["a"]):
        log += patch
    log.state["logs"]["a"]["tags"].sort()
    both: RunLog = RunLogPatch() + RunLogPatch()
    both.ops.clear()


async def wrong() -> None:
    stream_events(1)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    as_sse(call())  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    stream_events(call(), max_pending="10")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    for _ in stream_events(call()):  # type: ignore[attr-defined]  # pyright: ignore[reportGeneralTypeIssues]
        pass
    EventStream(include_tags=5)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
