"""The handler that adds up the tokens that models use."""

from __future__ import annotations

import threading
from collections.abc import Generator
from contextlib import contextmanager
from typing import Any

from callboard.callbacks.handlers import BaseCallbackHandler
from callboard.handlers.blocks import HandlerBlocks
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


_blocks = HandlerBlocks[UsageMetadataCallbackHandler]("callboard_usage_metadata")


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
    with _blocks.around(UsageMetadataCallbackHandler()) as handler:
        yield handler
