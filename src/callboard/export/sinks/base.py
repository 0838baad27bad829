"""The contract of a sink: where operations go.

The law, which `callboard.export.Exporter` relies on and every sink keeps:

- `send` returns when its operations are accepted, all of them, for good: the exporter forgets
  them. It may be called again with the same ones, if the first answer was lost: whoever takes
  them in merges by the run's id, so that an operation that comes twice counts once.
- `send` raises one of four errors, and nothing else on purpose. `SinkUnavailableError`: none
  or some were accepted, all are sent again, after ``retry_after`` if it is set.
  `KeyRefusedError`: the same, but somebody has to act; they are kept. `BatchTooLargeError`:
  none were accepted, they are sent again in smaller batches. `BatchRejectedError`: they will
  never be accepted, as they are; they are sent again in smaller batches, to find the one to
  blame, and that is dropped, counted, and the error's message is logged. Any other exception is
  a bug of the sink, and counts as `SinkUnavailableError`.
- A `SinkUnavailableError` is ``suspicious`` if these very operations may be why the sink fails.
  If it takes others meanwhile, and fails over them again and again, they are dropped. One that
  is not suspicious loses nothing, however often it comes.
- `send` and `limits` are called from one thread at a time, not always the same. They may
  block, but not for ever: every wait in them has an end.
- Operations are read, never changed.
- `close` is called once, at the end, from any thread; it may be while another is still in `send`.
- `after_fork` is called in the child of a fork: what is held there is the parent's (sockets,
  sessions, open databases) and is let go without a word to the other end, and without waiting
  for any lock, for whoever held it is not there. What can't be closed without the parent
  noticing is not closed, but forgotten.
- To make one costs nothing and fails only for what is wrong with its arguments: it is made in the
  application's thread, at some call. What is opened is opened by `limits` or `send`.

A sink into a store of the same machine keeps the same law. What it accepts is committed: then
`send` returns. A store that is locked, or a disk that is full, is `SinkUnavailableError`, and not
a suspicious one. A value that the store can't hold is `BatchRejectedError`: the exporter finds the
one operation that has it. The store belongs to more than one process and thread, so every wait for
it is bounded. Fields of an operation are structures or JSON already, as
`callboard.wire.operations` has it.

A sink may also show what running models say (`ProgressSink`). Others need not know of it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple, Protocol, runtime_checkable

from callboard.wire.operations import Operation
from callboard.wire.progress import Progress

__all__ = ["Limits", "ProgressSink", "Sink"]


class Limits(NamedTuple):
    """How much a sink takes at once.

    Attributes:
        operations: How many operations.
        bytes: How many bytes, before compression.
    """

    operations: int = 100
    bytes: int = 20 * 1024 * 1024


class Sink(Protocol):
    """Where operations go; see the law above."""

    def limits(self) -> Limits:
        """Return how much may be sent at once; never raises."""
        ...

    def send(self, operations: Sequence[Operation]) -> None:
        """Hand operations over.

        Args:
            operations: In the order in which they were told; at least one.

        Raises:
            SinkError: They were not, or not all, accepted: one of the four above.
        """
        ...

    def close(self) -> None:
        """Let go of everything."""
        ...

    def after_fork(self) -> None:
        """Begin anew, in the child of a fork."""
        ...


@runtime_checkable
class ProgressSink(Sink, Protocol):
    """A sink that takes what running models say, too.

    It is called from the thread that sends, between batches, and should not hold that up: what
    it does not take within a second or so it had better not take.
    """

    def progress_interval(self) -> float | None:
        """Return how many seconds should lie between two sendings; never raises or waits.

        Returns:
            Infinity if it takes no progress; None if it is not known yet whether it does.
        """
        ...

    def send_progress(self, pieces: Sequence[Progress]) -> None:
        """Hand pieces of text over.

        Args:
            pieces: In order for each run; at least one.

        Raises:
            SinkError: They were not accepted. They are dropped, whatever the reason.
        """
        ...
