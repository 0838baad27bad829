"""Turns and threads, for what waits for people: sync and async code wait for the same turn."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from concurrent.futures import Future
from contextvars import copy_context
from threading import Lock, Thread
from typing import Any, Self, TypeVar

from callboard.errors import WrongColourError

__all__ = ["Turn", "in_daemon", "in_event_loop", "run_to_end"]

T = TypeVar("T")

_PAUSE = 0.02


class Turn:
    """A lock that threads and tasks hold one at a time, the ones and the others.

    A task that waits for it looks again from time to time: so it can be cancelled, and no thread
    is left behind that takes the turn for nobody.
    """

    def __init__(self) -> None:
        self._lock = Lock()
        # That of the task that has the turn; None if none has, or a thread.
        self._loop: asyncio.AbstractEventLoop | None = None

    def __enter__(self) -> Self:
        loop = _running_loop()
        if loop is not None and loop is self._loop:
            raise WrongColourError(
                "Sync code waits for its turn to ask in the thread of an event loop in which "
                "another question stands, and could not be answered any more: call it in a "
                "thread, such as with asyncio.to_thread, or make it async."
            )
        self._lock.acquire()
        return self

    def __exit__(self, *exc_info: object) -> None:
        self._lock.release()

    async def __aenter__(self) -> Self:
        while not self._lock.acquire(blocking=False):  # noqa: ASYNC110 - threads take it too
            await asyncio.sleep(_PAUSE)
        self._loop = asyncio.get_running_loop()
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        self._loop = None
        self._lock.release()


def in_daemon(work: Callable[..., T], *args: Any) -> asyncio.Future[T]:
    """Call a function in a thread of its own, in a copy of the context.

    The thread is not waited for when the process ends: what it waits for may never come.
    """
    return asyncio.wrap_future(_begun(work, *args))


def run_to_end(work: Coroutine[Any, Any, T]) -> T:
    """Run a coroutine from sync code, in an event loop of its own."""
    return _begun(_run, work).result() if in_event_loop() else _run(work)


def in_event_loop() -> bool:
    """Whether an event loop runs in this thread."""
    return _running_loop() is not None


def _running_loop() -> asyncio.AbstractEventLoop | None:
    try:
        return asyncio.get_running_loop()
    except RuntimeError:
        return None


def _run(work: Coroutine[Any, Any, T]) -> T:
    # Without a factory of its own, a Runner takes away the loop that the program has set.
    with asyncio.Runner(loop_factory=asyncio.new_event_loop) as runner:
        result: T = runner.run(work)
        return result


def _begun(work: Callable[..., T], *args: Any) -> Future[T]:
    future: Future[T] = Future()
    context = copy_context()

    def body() -> None:
        future.set_running_or_notify_cancel()  # From here on it can't be cancelled.
        try:
            future.set_result(context.run(work, *args))
        except StopIteration as stop:  # No future of a loop can hold it.
            future.set_exception(RuntimeError(f"it raised {stop!r}"))
        except BaseException as error:  # noqa: BLE001 - raised again where it is waited for
            future.set_exception(error)

    Thread(target=body, daemon=True, name="callboard-approval").start()
    return future
