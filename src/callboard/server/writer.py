"""The writer: one thread that changes the store, and commits what has come in together.

A request is answered when its operations are durable. While one commit goes to disk the next
requests queue up, so the more there are, the more share a commit (group commit).
"""

from __future__ import annotations

import asyncio
import threading
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from typing import Any, TypeAlias, TypeVar

from callboard.errors import BoardClosedError, BoardOverloadedError, StoreError
from callboard.store.base import Store
from callboard.store.records import Rejection
from callboard.wire.operations import Feedback, Operation

__all__ = ["Writer"]

Told: TypeAlias = Operation | Feedback
Result = TypeVar("Result")

MAX_COMMIT_OPERATIONS = 2_000
"""How many operations share a commit at the most: a commit blocks those behind it."""

_HEAD_BYTES = _FEEDBACK_BYTES = 500


@dataclass(slots=True)
class _Task:
    """One request's share of the writer's work: operations to take, or another change."""

    told: Sequence[Told]
    change: Callable[[Store], Any] | None
    size: int
    loop: asyncio.AbstractEventLoop
    future: asyncio.Future[Any]

    def settle(self, result: Any) -> None:
        self._call_back(partial(_set_result, self.future, result))

    def fail(self, error: BaseException) -> None:
        self._call_back(partial(_set_exception, self.future, error))

    def _call_back(self, callback: Callable[[], None]) -> None:
        with suppress(RuntimeError):  # The loop is closed: nobody waits any more.
            self.loop.call_soon_threadsafe(callback)


class Writer:
    """Gives the store its operations and other changes, in the order in which they came.

    Attributes:
        queued_bytes: How much waits, about.
    """

    def __init__(self, store: Store, *, max_queued_bytes: int) -> None:
        """Start the thread.

        Args:
            store: What to write to.
            max_queued_bytes: How much may wait; requests beyond that are turned away.
        """
        self._store = store
        self._max_queued_bytes = max_queued_bytes
        self._tasks: deque[_Task] = deque()
        self._changed = threading.Condition()
        self._closing = False
        self.queued_bytes = 0
        self._thread = threading.Thread(target=self._run, name="callboard-writer", daemon=True)
        self._thread.start()

    async def write(self, told: Sequence[Told]) -> list[Rejection]:
        """Write operations and feedback; return when they are durable.

        Args:
            told: In the order in which they came.

        Returns:
            Those that the store did not take.

        Raises:
            BoardOverloadedError: Too much waits already.
            StoreError: The store can't take anything now.
        """
        if not told:
            return []
        size = sum(_size_of(each) for each in told)
        if self.queued_bytes and self.queued_bytes + size > self._max_queued_bytes:
            raise BoardOverloadedError(
                f"{self.queued_bytes} bytes wait to be written, and {self._max_queued_bytes} may."
            )
        rejections: list[Rejection] = await self._queue(told, None, size)
        return rejections

    async def change(self, change: Callable[[Store], Result]) -> Result:
        """Make another change of the store, in its turn, and return what it returns.

        Args:
            change: It is called with the store, on the writer's thread.
        """
        result: Result = await self._queue((), change, 0)
        return result

    def close(self, timeout: float | None = None) -> None:
        """Finish what waits, and end the thread.

        Args:
            timeout: How long to wait for that at the most, in seconds.
        """
        with self._changed:
            self._closing = True
            self._changed.notify()
        self._thread.join(timeout)

    def _queue(
        self, told: Sequence[Told], change: Callable[[Store], Any] | None, size: int
    ) -> asyncio.Future[Any]:
        loop = asyncio.get_running_loop()
        task = _Task(told, change, size, loop, loop.create_future())
        with self._changed:
            if self._closing:
                raise BoardClosedError("The board is shutting down.")
            self.queued_bytes += size
            self._tasks.append(task)
            self._changed.notify()
        return task.future

    def _run(self) -> None:
        while tasks := self._next_tasks():
            change = tasks[0].change
            if change is None:
                self._commit(tasks)
            else:
                self._make(change, tasks[0])

    def _next_tasks(self) -> list[_Task]:
        """Return a change, or writes that can share a commit; nothing when all is done."""
        with self._changed:
            while not self._tasks and not self._closing:
                self._changed.wait()
            tasks: list[_Task] = []
            count = 0
            while self._tasks and count < MAX_COMMIT_OPERATIONS:
                if self._tasks[0].change is not None and tasks:
                    break
                tasks.append(self._tasks.popleft())
                count += len(tasks[-1].told)
                if tasks[-1].change is not None:
                    break
            self.queued_bytes -= sum(task.size for task in tasks)
            return tasks

    def _make(self, change: Callable[[Store], Any], task: _Task) -> None:
        try:
            task.settle(change(self._store))
        except BaseException as error:  # noqa: BLE001 - it belongs to the request that asked
            task.fail(error)

    def _commit(self, tasks: list[_Task]) -> None:
        try:
            rejections = self._store.write([each for task in tasks for each in task.told])
        except BaseException as error:  # noqa: BLE001 - it belongs to the requests that wait
            if len(tasks) > 1 and not isinstance(error, StoreError):
                # The fault is in what one of them brought; the others are not to pay for it.
                for task in tasks:
                    self._commit([task])
                return
            for task in tasks:
                task.fail(error)
            return
        for task in tasks:
            ids = {_id_of(each) for each in task.told} if rejections else ()
            task.settle([rejection for rejection in rejections if rejection.id in ids])


def _size_of(told: Told) -> int:
    """Return about how many bytes something takes; the parts of operations are bytes here."""
    if not isinstance(told, Operation):
        return _FEEDBACK_BYTES
    files = sum(len(file.data) for file in told.attachments.values()) if told.attachments else 0
    return _HEAD_BYTES + sum(map(len, told.parts.values())) + files


def _id_of(told: Told) -> Any:
    return told.run_id if isinstance(told, Operation) else told.id


def _set_result(future: asyncio.Future[Any], result: Any) -> None:
    if not future.done():
        future.set_result(result)


def _set_exception(future: asyncio.Future[Any], error: BaseException) -> None:
    if not future.done():
        future.set_exception(error)
