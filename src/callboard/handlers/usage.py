"""The handler that adds up the tokens that models use."""

from __future__ import annotations

import threading
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any

from callboard.callbacks.handlers import BaseCallbackHandler
from callboard.callbacks.hooks import register_configure_hook
from callboard.payloads import Payload
from callboard.usage import Usage, add_usage, response_usage

__all__ = ["UsageMetadataCallbackHandler", "get_usage_metadata_callback"]


class UsageMetadataCallbackHandler(BaseCallbackHandler):
    """Adds up the tokens used, by model: input, output, cached, reasoning and audio tokens.

    May be shared between threads.

    Attributes:
        usage_metadata: Usage by model name, in tokens, such as ``{"gpt-5": {"input_tokens":
            12, "output_tokens": 7, "total_tokens": 19, "input_token_details":
            {"cache_read": 8}}}``; under ``"unknown"`` what no model's name came with.
    """

    def __init__(self) -> None:
        """Make a handler that has counted nothing yet."""
        self._lock = threading.Lock()
        self.usage_metadata: dict[str, Usage] = {}

    def __repr__(self) -> str:
        return str(self.usage_metadata)

    def on_llm_end(self, response: Payload, **kwargs: Any) -> None:
        """Count the tokens that a model run used."""
        for model_name, usage in response_usage(response):
            with self._lock:
                before = self.usage_metadata.get(model_name, {})
                self.usage_metadata[model_name] = add_usage(before, usage)


@dataclass(slots=True)
class _Block:
    """A block that counts, and whether it is still under way."""

    handler: UsageMetadataCallbackHandler
    open: bool = True


class _Blocks(tuple[Any, ...]):
    """The blocks around a call, outermost first, as a tuple of handlers for the hook.

    Going through it gives the handlers of those blocks alone that are open by then. A context
    may keep a block that has ended: a generator that is abandoned, or closed by another task,
    can't take its block out of the context that it began in.
    """

    __slots__ = ()

    def __iter__(self) -> Iterator[UsageMetadataCallbackHandler]:
        return (block.handler for block in self.still_open())

    def still_open(self) -> list[_Block]:
        """Return the blocks that have not ended."""
        return [block for block in super().__iter__() if block.open]


# One hook for all blocks, which may be nested: a hook of each block's own would stay
# registered for good. None, where there is no block, costs `configure` a look-up.
_counting: ContextVar[_Blocks | None] = ContextVar("callboard_usage_metadata", default=None)
register_configure_hook(_counting, inheritable=True)


@contextmanager
def get_usage_metadata_callback(
    name: str = "usage_metadata_callback",  # noqa: ARG001
) -> Generator[UsageMetadataCallbackHandler, None, None]:
    """Add up the tokens used by all the model calls in a block.

    Calls that begin when the block has ended are not counted, wherever they are made.

    Args:
        name: Not used: there is one context variable for all. Taken for compatibility.

    Yields:
        The handler, with the counts in ``usage_metadata``.
    """
    block = _Block(UsageMetadataCallbackHandler())
    outer = _counting.get() or _Blocks()
    blocks = _Blocks((*outer.still_open(), block))
    _counting.set(blocks)
    try:
        yield block.handler
    finally:
        block.open = False
        # What else is held, another block has put there, which may be open.
        if _counting.get() is blocks:
            _counting.set(_Blocks(blocks.still_open()) or None)
