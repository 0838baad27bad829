"""Events as server-sent events: the text that a web application streams to a browser."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterable, AsyncIterator
from contextlib import aclosing
from typing import Any

from callboard.callbacks.loops import shield
from callboard.tracing.capture import capture
from callboard.tracing.run_events import Event
from callboard.wire.json import encode

__all__ = ["as_sse"]

_SILENCE = ": keep-alive\n\n"  # A comment: browsers and proxies read it, and nobody is told.


async def as_sse(
    events: AsyncIterable[Event], *, keep_alive: float | None = 15.0
) -> AsyncGenerator[str]:
    """Turn events into server-sent events: send what it yields as ``text/event-stream``.

    Each event is a message named for it, with the event as JSON. After the last comes a message
    ``done``, so that the browser can close; it would connect, and call, again. If the call
    fails, the last message is ``failed``, with the name of the exception and nothing else of
    it, and the exception is raised for your server to log.

    Args:
        events: Events, such as `stream_events` returns. They are closed with this generator.
        keep_alive: After how many seconds without an event to send a comment, so that nobody
            on the way takes the connection for dead; None for never.

    Yields:
        Messages, each whole.
    """
    source = aiter(events)
    try:
        async with aclosing(_or_silence(source, keep_alive)) as coming:
            async for event in coming:
                yield _SILENCE if event is None else _message(event["event"], event)
        yield _message("done", {})
    except Exception as error:
        yield _message("failed", {"error": type(error).__name__})
        raise


def _message(name: str, data: Any) -> str:
    # The JSON is one line. A name is the application's, and may be anything.
    return f"event: {' '.join(name.split())}\ndata: {encode(capture(data)).decode()}\n\n"


async def _or_silence(
    source: AsyncIterator[Event], seconds: float | None
) -> AsyncGenerator[Event | None]:
    """Iterate over events, with None whenever none has come for so long; close them at the end."""
    coming: asyncio.Future[Event] | None = None
    try:
        while True:
            coming = asyncio.ensure_future(anext(source))
            while not coming.done():
                await asyncio.wait({coming}, timeout=seconds)
                if not coming.done():
                    yield None
            try:
                event = coming.result()
            except StopAsyncIteration:
                return
            yield event
    finally:
        # Whoever is cancelled by anyio, as Starlette's responses are, is so again at each await.
        await shield(_close, source, coming)


async def _close(source: AsyncIterator[Event], coming: asyncio.Future[Event] | None) -> None:
    if coming is not None and not coming.done():
        coming.cancel()
        await asyncio.wait({coming})
    if isinstance(source, AsyncGenerator):
        await source.aclose()
