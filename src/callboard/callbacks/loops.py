"""Coroutines and threads, for dispatch: run to the end, run together, run off the loop, shield."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from contextvars import copy_context
from functools import partial
from threading import Thread
from typing import Any, TypeVar

__all__ = ["in_thread", "run_to_end", "shield", "together"]

T = TypeVar("T")
Work = Coroutine[Any, Any, T]

# The event loop refers to its tasks weakly; a shielded one may be all that refers to itself.
_under_shield: set[asyncio.Task[Any]] = set()


def run_to_end(pending: Sequence[Work[None]]) -> None:
    """Run coroutines from sync code, one after the other, and the tasks that they leave.

    Where an event loop is running, it can't run them: it is busy with the very code that
    calls this. They then run in a thread made for them; a shared pool could deadlock, for
    what they run may dispatch in its turn.

    Raises:
        BaseException: The first that any of them raised, after all have run.
    """
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        _run(pending)
        return
    raised: list[BaseException] = []

    def body() -> None:
        try:
            _run(pending)
        except BaseException as error:  # noqa: BLE001 - raised again where it is awaited
            raised.append(error)

    thread = Thread(target=copy_context().run, args=(body,), name="callboard-callbacks")
    thread.start()
    thread.join()
    if raised:
        raise raised[0]


def _run(pending: Sequence[Work[None]]) -> None:
    first: Exception | None = None
    waiting = iter(pending)
    try:
        with asyncio.Runner() as runner:
            for work in waiting:
                try:
                    runner.run(work)
                except Exception as error:  # noqa: BLE001 - the others run first
                    first = first or error
            while left := asyncio.all_tasks(runner.get_loop()):
                runner.run(_all_done(left))
    finally:
        # Only an interrupt leaves any; unclosed, each would warn that it was never awaited.
        for work in waiting:
            work.close()
    if first:
        raise first


async def _all_done(tasks: set[asyncio.Task[Any]]) -> None:
    await asyncio.wait(tasks)


async def together(work: Sequence[Work[None]]) -> None:
    """Run coroutines concurrently, each in a copy of the context.

    Raises:
        Exception: The first that any of them raised; the others go on.
    """
    if len(work) == 1:
        await asyncio.create_task(work[0])
    else:
        await asyncio.gather(*work)


def in_thread(method: Callable[..., T], *args: Any, **kwargs: Any) -> asyncio.Future[T]:
    """Call a function in the loop's thread pool, in a copy of the context."""
    call = partial(copy_context().run, method, *args, **kwargs)
    return asyncio.get_running_loop().run_in_executor(None, call)


async def shield(work: Work[T]) -> T:
    """Await a coroutine that goes on even if whoever awaits this is cancelled."""
    task = asyncio.create_task(work)
    _under_shield.add(task)
    task.add_done_callback(_under_shield.discard)
    return await asyncio.shield(task)
