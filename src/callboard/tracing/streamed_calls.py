"""Calls, run for the sake of their events: the call is a task, its events an async iterator."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import (
    AsyncGenerator,
    AsyncIterable,
    AsyncIterator,
    Awaitable,
    Callable,
    Coroutine,
)
from contextvars import ContextVar
from typing import Any, Protocol, TypeAlias, TypeVar

from callboard.callbacks.hooks import register_configure_hook
from callboard.errors import BadCallError
from callboard.tracing.event_stream import EventStream
from callboard.tracing.filters import Choice
from callboard.tracing.memory_stream import ReceiveStream, SendStream
from callboard.tracing.run_events import Event

__all__ = ["Streamable", "heard_of", "stream_events"]

logger = logging.getLogger(__name__)

Streamable: TypeAlias = Awaitable[Any] | AsyncIterable[Any]
"""What can be awaited to the end, or iterated over to it."""

T_co = TypeVar("T_co", covariant=True)
T = TypeVar("T")


class _Handler(Protocol[T_co]):
    """A handler with a stream."""

    @property
    def send_stream(self) -> SendStream[Any]: ...

    @property
    def receive_stream(self) -> ReceiveStream[Any]: ...

    def __aiter__(self) -> AsyncIterator[T_co]: ...


# None rather than an empty tuple, which would cost every manager that is configured a little more.
_streams: ContextVar[Any] = ContextVar("event_streams", default=None)
register_configure_hook(_streams, inheritable=True)


def stream_events(
    call: Streamable | Callable[[EventStream], Streamable],
    *,
    include_names: Choice = None,
    include_types: Choice = None,
    include_tags: Choice = None,
    exclude_names: Choice = None,
    exclude_types: Choice = None,
    exclude_tags: Choice = None,
    max_pending: int | None = None,
) -> AsyncGenerator[Event]:
    """Make a call, and iterate over its events while it runs.

    What the call tells to Callboard's managers is heard without anything being passed on. For
    calls that others manage, give a function: it is called with a handler to pass on.

    The call begins with the first event that is asked for. What it raises is raised to whoever
    iterates, after the last event. One who stops early, or is cancelled, cancels the call;
    close the generator (``contextlib.aclosing``) to be sure that it has ended by then.

    Args:
        call: A coroutine or other awaitable, an async iterator, or a function that takes a
            handler and returns one of these.
        include_names: Tell runs of these names; see `RunFilter`, for the following too.
        include_types: Of these types.
        include_tags: With any of these tags.
        exclude_names: None of these names.
        exclude_types: None of these types.
        exclude_tags: None with any of these tags.
        max_pending: How many events may wait for a slow reader before it gets fewer and larger
            chunks: see `EventStream`.

    Returns:
        The events, as `callboard.tracing.run_events` describes them.

    Raises:
        BadOptionError: A filter is no list, or `max_pending` is no positive number.
        BadCallError: The call is neither of those. Raised when the first event is asked for.
    """
    stream = EventStream(
        include_names=include_names,
        include_types=include_types,
        include_tags=include_tags,
        exclude_names=exclude_names,
        exclude_types=exclude_types,
        exclude_tags=exclude_tags,
        max_pending=max_pending,
    )
    return heard_of(stream, lambda: _run(call, stream))


async def heard_of(
    handler: _Handler[T], work: Callable[[], Coroutine[Any, Any, Any]]
) -> AsyncGenerator[T]:
    """Run a coroutine in a task, and iterate over what a handler hears meanwhile.

    Args:
        handler: Hears the call; its stream is closed when that ends.
        work: Makes the coroutine.

    Yields:
        What is in the handler's stream. What the coroutine raises is raised after the last.
    """
    task = asyncio.create_task(work())
    task.add_done_callback(lambda _: handler.send_stream.close())
    try:
        async for item in handler:
            yield item
        await task
    finally:
        handler.receive_stream.close()
        await _stopped(task)


async def _run(call: Any, stream: EventStream) -> None:
    """Make a call to the end, with the stream as a handler of all that is inside it."""
    _streams.set((*(_streams.get() or ()), stream))  # In this task's own context.
    made = call(stream) if callable(call) else call
    if isinstance(made, Awaitable):
        await made
    elif isinstance(made, AsyncIterable):
        await _exhausted(made)
    else:
        given = "a function that returned " if made is not call else ""
        raise BadCallError(
            "stream_events takes a coroutine, an async iterator, or a function that takes a "
            f"handler and returns one of these; it got {given}{made!r}."
        )


async def _exhausted(pieces: AsyncIterable[Any]) -> None:
    iterator = aiter(pieces)
    try:
        async for _ in iterator:
            pass
    finally:
        if isinstance(iterator, AsyncGenerator):
            await iterator.aclose()


async def _stopped(task: asyncio.Task[Any]) -> None:
    """Cancel a task that nobody waits for any more, and see it end."""
    if task.done():
        return
    task.cancel()
    await asyncio.wait({task})
    if not task.cancelled() and (error := task.exception()) is not None:
        logger.warning(
            "A call failed while it was cancelled, as its events were no longer read.",
            exc_info=error,
        )
