"""A sink that keeps what it gets: for tests, and to look at what would be sent."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence

from callboard.export.sinks.base import Limits
from callboard.wire.operations import Operation

__all__ = ["MemorySink"]


class MemorySink:
    """Keeps operations in memory.

    Attributes:
        operations: What was accepted, in order.
        batches: How many operations came at once, each time.
        answer: Called with each batch before it is accepted; what it raises, `send` raises.
    """

    def __init__(
        self,
        answer: Callable[[Sequence[Operation]], None] | None = None,
        limits: Limits | None = None,
    ) -> None:
        """Make a sink that has got nothing yet.

        Args:
            answer: Judges each batch: see `callboard.export.sinks.base` for what it may raise.
            limits: How much it takes at once.
        """
        self.operations: list[Operation] = []
        self.batches: list[int] = []
        self.answer = answer
        self._limits = limits or Limits()
        self._arrival = threading.Condition()

    def limits(self) -> Limits:
        """Return how much may be sent at once."""
        return self._limits

    def send(self, operations: Sequence[Operation]) -> None:
        """Keep operations, if `answer` has nothing against it."""
        if self.answer is not None:
            self.answer(operations)
        with self._arrival:
            self.operations.extend(operations)
            self.batches.append(len(operations))
            self._arrival.notify_all()

    def wait_for(self, count: int, timeout: float) -> bool:
        """Wait until a number of operations have come.

        Args:
            count: How many, in all.
            timeout: How long at the most, in seconds.

        Returns:
            Whether they came.
        """
        with self._arrival:
            return self._arrival.wait_for(lambda: len(self.operations) >= count, timeout)

    def close(self) -> None:
        """Keep what has come; there is nothing to let go of."""

    def after_fork(self) -> None:
        """Begin anew: what has come is the parent's."""
        self._arrival = threading.Condition()
        self.operations = []
        self.batches = []
