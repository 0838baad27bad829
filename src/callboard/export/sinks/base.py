"""The contract of a sink: where operations go.

The law, which `callboard.export.Exporter` relies on and every sink keeps:

- `send` returns when its operations are accepted, all of them, for good: the exporter forgets
  them. It may be called again with the same ones, if the first answer was lost: whoever takes
  them in merges by the run's id, so that an operation that comes twice counts once.
- `send` raises one of four errors, and nothing else on purpose. `SinkUnavailableError`: none
  or some were accepted, all are sent again, after ``retry_after`` if it is set.
  `KeyRefusedError`: the same, but somebody has to act; they are kept. `BatchTooLargeError`:
  none were accepted, they are sent again in smaller batches. `BatchRejectedError`: they will
  never be accepted; they are dropped, counted, and the error's message is logged. Any other
  exception is a bug of the sink, and counts as `SinkUnavailableError`: a bug loses nothing.
- `send` and `limits` are called from one thread at a time, not always the same. They may
  block, but not for ever: every wait in them has an end.
- Operations are read, never changed.
- `close` is called once, at the end, from any thread. `after_fork` is called in the child
  of a fork: what is held there is the parent's (sockets, sessions) and is let go without a word
  to the other end, and without waiting for any lock, for whoever held it is not there.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple, Protocol

from callboard.wire.operations import Operation

__all__ = ["Limits", "Sink"]


class Limits(NamedTuple):
    """How much a sink takes at once.

    Attributes:
        operations: How many operations.
        bytes: How many bytes, before compression.
    """

    operations: int = 100
    bytes: int = 20 * 1024 * 1024


class Sink(Protocol):
    """Where operations go; see the law above.

    A store in the same process is one more sink: it needs nothing that is not here.
    """

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
