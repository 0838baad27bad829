"""Memory streams: from writers in any thread or event loop to one async reader.

Items come out in the order in which they were sent. Nothing is bound to an event loop until
somebody reads, so a stream made in sync code, or by another loop, is read wherever its reader
is. Sending never waits and never fails: a writer is an observer of something that must go on.

A stream holds what has been sent and not read, however much that is. A reader that stops
reading for good says so (`ReceiveStream.close`), and nothing is held any more.
"""

from __future__ import annotations

import asyncio
import weakref
from asyncio import AbstractEventLoop, Future
from collections import deque
from contextlib import suppress
from threading import get_ident
from typing import Generic, Self, TypeVar

from callboard.errors import StreamInUseError

__all__ = [
    "MemoryStream",
    "ReceiveStream",
    "SendStream",
    "close_loop_quietly",
    "get_or_create_loop",
]

T = TypeVar("T")


class MemoryStream(Generic[T]):
    """A stream, of which its writers and its reader each get their end.

    Attributes:
        loop: The event loop that it was made for, if any. The reader may be in another.
    """

    def __init__(self, loop: AbstractEventLoop | None = None) -> None:
        """Make a stream.

        Args:
            loop: Where the reader is expected; it is not used, only told.
        """
        self.loop = loop
        self._items: deque[T] = deque()
        self._closed = False
        self._waiter: Future[None] | None = None
        self._being_read = False
        self._reader_thread = 0

    def get_send_stream(self) -> SendStream[T]:
        """Return the writers' end."""
        return SendStream(self)

    def get_receive_stream(self) -> ReceiveStream[T]:
        """Return the reader's end."""
        return ReceiveStream(self)

    @property
    def pending(self) -> int:
        """How many items wait to be read."""
        return len(self._items)

    def put(self, item: T) -> bool:
        """Add an item.

        Args:
            item: What to add.

        Returns:
            Whether it was taken; not after the stream has been closed.
        """
        if self._closed:
            return False
        self._items.append(item)
        if self._waiter is not None:
            self._wake()
        return True

    def close(self) -> None:
        """Take nothing more; what is there can still be read."""
        self._closed = True
        self._wake()

    def abandon(self) -> None:
        """Take nothing more, and let go of what is there: nobody will read it."""
        self._closed = True
        self._items.clear()
        self._wake()

    async def get(self) -> T:
        """Wait for the next item.

        Raises:
            StopAsyncIteration: The stream has been closed, and all has been read.
            StreamInUseError: Somebody else is waiting for it.
        """
        while True:
            # Read before the items: what was sent before the stream was closed is there then.
            closed = self._closed
            with suppress(IndexError):
                return self._items.popleft()
            if closed:
                raise StopAsyncIteration
            await self._something()

    async def _something(self) -> None:
        """Wait until there may be an item, or the end."""
        if self._being_read:
            raise StreamInUseError("The stream is being read by another task already.")
        waiter: Future[None] = asyncio.get_running_loop().create_future()
        self._reader_thread = get_ident()
        self._being_read, self._waiter = True, waiter
        try:
            # A writer that did not see the waiter yet will not wake it.
            if not self._items and not self._closed:
                await waiter
        finally:
            self._being_read, self._waiter = False, None

    def _wake(self) -> None:
        """Have the reader go on: not before the writer has, if they share an event loop."""
        waiter, self._waiter = self._waiter, None
        if waiter is None:
            return
        loop = waiter.get_loop()
        here = get_ident() == self._reader_thread
        # The loop may have been closed under a reader that was left behind.
        with suppress(RuntimeError):
            (loop.call_soon if here else loop.call_soon_threadsafe)(_let_go_on, waiter)


def _let_go_on(waiter: Future[None]) -> None:
    if not waiter.done():
        waiter.set_result(None)


class SendStream(Generic[T]):
    """The writers' end of a stream. Safe in any thread and event loop."""

    def __init__(self, stream: MemoryStream[T]) -> None:
        """Make the end of a stream.

        Args:
            stream: The stream.
        """
        self._stream = stream

    @property
    def _reader_loop(self) -> AbstractEventLoop | None:
        """The loop that the stream was made for, by the name that the original has for it."""
        return self._stream.loop

    async def send(self, item: T) -> bool:
        """Send an item, at once: see `send_nowait`."""
        return self.send_nowait(item)

    def send_nowait(self, item: T) -> bool:
        """Send an item.

        Args:
            item: What to send.

        Returns:
            Whether it was taken; not after the stream has been closed, by either end.
        """
        return self._stream.put(item)

    async def aclose(self) -> None:
        """Close the stream, at once: see `close`."""
        self.close()

    def close(self) -> None:
        """Say that no more comes. What has been sent can still be read."""
        self._stream.close()


class ReceiveStream(Generic[T]):
    """The reader's end of a stream: iterate over it, in one task at a time."""

    def __init__(self, stream: MemoryStream[T]) -> None:
        """Make the end of a stream.

        Args:
            stream: The stream.
        """
        self._stream = stream

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> T:
        return await self._stream.get()

    def close(self) -> None:
        """Say that nobody reads any more: what has been and will be sent is let go."""
        self._stream.abandon()


def get_or_create_loop(owner: object) -> AbstractEventLoop:
    """Return the thread's event loop, or one made for an owner and closed when that is gone.

    Args:
        owner: Whose loop it is, if one must be made.
    """
    try:
        return asyncio.get_event_loop()
    except (RuntimeError, DeprecationWarning):  # There is none; some Pythons warn before that.
        loop = asyncio.new_event_loop()
        weakref.finalize(owner, close_loop_quietly, loop)
        return loop


def close_loop_quietly(loop: AbstractEventLoop) -> None:
    """Close an event loop, unless it is running; whatever goes wrong is nobody's concern.

    Args:
        loop: The loop.
    """
    if not loop.is_running():
        with suppress(Exception):
            loop.close()
