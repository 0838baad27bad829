"""Coroutines and threads, for dispatch: run to the end, run together, run off the loop, shield."""

from __future__ import annotations

import asyncio
import concurrent.futures
import logging
import os
import sys
from collections.abc import Callable, Coroutine, Iterable, Sequence
from contextvars import copy_context
from functools import cache, partial
from threading import Thread
from typing import Any, ParamSpec, TypeAlias, TypeVar

__all__ = [
    "Pending",
    "in_thread",
    "is_being_cancelled",
    "run_to_end",
    "shield",
    "shield_reported",
    "together",
]

logger = logging.getLogger(__name__)

P = ParamSpec("P")
T = TypeVar("T")
Work = Coroutine[Any, Any, T]

Pending: TypeAlias = tuple[Work[None], Work[Any]]
"""A coroutine to run, and the one that it will await: unless it does, that is to be closed."""

# The event loop refers to its tasks weakly; a shielded one may be all that refers to itself.
_under_shield: set[asyncio.Task[Any]] = set()


def run_to_end(pending: Sequence[Pending]) -> None:
    """Run coroutines from sync code, one after the other, and the tasks that they leave.

    Where an event loop is running, it can't run them: it is busy with the very code that
    calls this. They then run in a thread made for them; a shared pool could deadlock, for
    what they run may dispatch in its turn. Where no thread can be had, as while the
    interpreter ends, that is logged, and they don't run.

    Raises:
        BaseException: The first that any of them raised, after all have run.
    """
    if not _loop_is_running():
        _run(pending)
        return
    raised: list[BaseException] = []

    def body() -> None:
        try:
            _run(pending)
        except BaseException as error:  # noqa: BLE001 - raised again where it is awaited
            raised.append(error)

    thread = Thread(target=copy_context().run, args=(body,), name="callboard-callbacks")
    try:
        thread.start()
    except RuntimeError as error:
        logger.warning("No thread to run async handlers in, so %d not run: %s", len(pending), error)
        _close(pending)
        return
    thread.join()
    if raised:
        raise raised[0]


def _loop_is_running() -> bool:
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return False
    return True


def _run(pending: Sequence[Pending]) -> None:
    first: Exception | None = None
    waiting = iter(pending)
    try:
        # Without a factory of its own, a Runner takes away the loop that the program has set.
        with asyncio.Runner(loop_factory=asyncio.new_event_loop) as runner:
            for work, _ in waiting:
                try:
                    runner.run(work)
                except Exception as error:  # noqa: BLE001 - the others run first
                    first = first or error
                except asyncio.CancelledError as error:
                    # The loop is ours: only the handler itself can have cancelled its task.
                    logger.warning("An async handler cancelled itself", exc_info=error)
            while left := asyncio.all_tasks(runner.get_loop()):
                runner.run(_all_done(left))
    finally:
        # Only an interrupt leaves any; unclosed, each would warn that it was never awaited.
        _close(waiting)
    if first:
        raise first


def _close(pending: Iterable[Pending]) -> None:
    for work, awaited in pending:
        work.close()
        awaited.close()


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


def is_being_cancelled() -> bool:
    """Whether someone asked the current task to cancel; for what is no task, nobody did."""
    try:
        task = asyncio.current_task()
    except RuntimeError:
        return False
    return task is not None and task.cancelling() > 0


@cache
def _pool() -> concurrent.futures.Executor:
    """Return the threads for handlers, which can't run out.

    The loop's own pool can: an application may have all its threads wait for a dispatch. A
    thread is made only if none is idle, so there are never more than were busy at once.
    """
    return concurrent.futures.ThreadPoolExecutor(sys.maxsize, "callboard-handler")


# A forked child has the pool, but none of its threads.
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_pool.cache_clear)


def in_thread(method: Callable[..., T], *args: Any, **kwargs: Any) -> asyncio.Future[T]:
    """Call a function in a thread of the pool, in a copy of the context."""
    call = partial(copy_context().run, _as_coroutines_raise, method, *args, **kwargs)
    return asyncio.get_running_loop().run_in_executor(_pool(), call)


def _as_coroutines_raise(method: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """Call a function, and turn a StopIteration into a RuntimeError, as a coroutine does.

    A future can't hold a StopIteration, and would never be done.
    """
    try:
        return method(*args, **kwargs)
    except StopIteration as stop:
        raise RuntimeError("a sync handler raised StopIteration") from stop


async def shield(function: Callable[P, Work[T]], *args: P.args, **kwargs: P.kwargs) -> T:
    """Await a coroutine function that goes on even if whoever awaits this is cancelled.

    Its coroutine is made here, not by the caller: one who is cancelled before this begins
    would leave it behind, never awaited.
    """
    return await asyncio.shield(_held(function(*args, **kwargs), _under_shield.discard))


async def shield_reported(function: Callable[P, Work[T]], *args: P.args, **kwargs: P.kwargs) -> T:
    """Await one as `shield` does, that has reported itself whatever it raises.

    Of any other, asyncio reports what it raises when nobody awaits it any more.
    """
    return await asyncio.shield(_held(function(*args, **kwargs), _forget_reported))


def _held(work: Work[T], done: Callable[[asyncio.Task[T]], object]) -> asyncio.Task[T]:
    task = asyncio.create_task(work)
    _under_shield.add(task)
    task.add_done_callback(done)
    return task


def _forget_reported(task: asyncio.Task[Any]) -> None:
    _under_shield.discard(task)
    if not task.cancelled():
        task.exception()
