"""Chunks for a slow reader, added up.

While fewer events wait than are allowed to, each chunk waits as an event of its own. From then
on those of a run are gathered in one event, the last of that run that waits, and added up when
it is read: a slow reader gets fewer and larger chunks, and misses nothing.
"""

from __future__ import annotations

import operator
from collections.abc import Sequence
from threading import RLock
from typing import Any, NamedTuple, Self

from callboard.errors import BadOptionError
from callboard.tracing.memory_stream import MemoryStream

__all__ = ["Gathering"]


class _Gathered(NamedTuple):
    """An event that waits, and its run's chunks so far."""

    event: dict[str, Any]
    chunks: list[Any]


class Gathering:
    """Puts events with chunks into a stream, and takes all events out of it."""

    def __init__(self, stream: MemoryStream[Any], max_pending: int) -> None:
        """Make the way in and out of a stream.

        Args:
            stream: The stream.
            max_pending: How many events may wait before chunks are gathered.

        Raises:
            BadOptionError: It is no positive number.
        """
        if type(max_pending) is not int or max_pending < 1:
            raise BadOptionError(
                f"max_pending takes a number of events from 1 on, or None, and got {max_pending!r}."
            )
        self._stream = stream
        self._max_pending = max_pending
        self._by_run: dict[str, _Gathered] = {}
        # Held by a writer that gathers and by the reader that takes what was gathered. The same
        # thread may come back to it: where objects are made, abandoned generators may be closed.
        self._lock = RLock()

    def put(self, event: dict[str, Any]) -> None:
        """Add an event that carries a chunk.

        Args:
            event: The event.
        """
        run_id, chunk = event["run_id"], event["data"]["chunk"]
        with self._lock:
            gathered = self._by_run.get(run_id)
            if gathered is not None and type(chunk) is type(gathered.chunks[0]):
                gathered.chunks.append(chunk)
            elif self._stream.pending >= self._max_pending and _adds_up(chunk):
                self._by_run[run_id] = gathered = _Gathered(event, [chunk])
                self._stream.put(gathered)
            else:
                self._by_run.pop(run_id, None)
                self._stream.put(event)

    def finish(self, run_id: str) -> None:
        """Gather no more in a run's event: something else of that run comes after it.

        Args:
            run_id: The run's id.
        """
        with self._lock:
            self._by_run.pop(run_id, None)

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> dict[str, Any]:
        item: Any = await self._stream.get()
        if not isinstance(item, _Gathered):
            event: dict[str, Any] = item
            return event
        with self._lock:
            run_id = item.event["run_id"]
            if self._by_run.get(run_id) is item:
                del self._by_run[run_id]
        return {**item.event, "data": {"chunk": _sum(item.chunks)}}


def _adds_up(chunk: Any) -> bool:
    """Whether chunks of this kind are pieces of something: a sum of numbers would be none."""
    return hasattr(type(chunk), "__add__") and not isinstance(chunk, int | float | complex)


def _sum(chunks: Sequence[Any]) -> Any:
    """Add chunks up, neighbours first: one by one, the sum so far would be copied each time."""
    while len(chunks) > 1:
        pairs = [operator.add(*chunks[at : at + 2]) for at in range(0, len(chunks) - 1, 2)]
        chunks = [*pairs, chunks[-1]] if len(chunks) % 2 else pairs
    return chunks[0]
