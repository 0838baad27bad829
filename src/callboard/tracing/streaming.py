"""What tells a framework that a handler wants a call's output piece by piece.

LangChain and LangGraph look for these classes among a run's handlers, and then stream where
they would otherwise have called.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from typing import Protocol, TypeVar, runtime_checkable
from uuid import UUID

__all__ = ["ProtocolStreamingCallbackHandler", "StreamingCallbackHandler"]

T = TypeVar("T")


@runtime_checkable
class StreamingCallbackHandler(Protocol[T]):
    """A handler that looks at the pieces of a run's output as they pass by."""

    def tap_output_aiter(self, run_id: UUID, output: AsyncIterator[T]) -> AsyncIterator[T]:
        """Return an async iterator over the same pieces.

        Args:
            run_id: The run whose output it is.
            output: The pieces.
        """
        ...

    def tap_output_iter(self, run_id: UUID, output: Iterator[T]) -> Iterator[T]:
        """Return an iterator over the same pieces.

        Args:
            run_id: The run whose output it is.
            output: The pieces.
        """
        ...


class ProtocolStreamingCallbackHandler:
    """A mark: derive a handler from it to hear ``on_stream_event`` instead of new tokens.

    It is no protocol, so that a handler gets it by choice alone.
    """
