"""Gates: handlers that may refuse a model call before it is made, and never disturb it after that.

An answer that was paid for is not lost to its own accounting: whatever goes wrong when a call has
ended is logged, and the application goes on.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

from callboard.callbacks.handlers import BaseCallbackHandler
from callboard.errors import UnknownRunError
from callboard.integrations.base import RunRecord, RunTreeHandler
from callboard.payloads import Payload
from callboard.prices import PriceList

__all__ = ["Gate"]

logger = logging.getLogger(__name__)


class Gate(BaseCallbackHandler):
    """Hears of model calls alone: `admit` before each, which may raise, `count` after it."""

    raise_error = True

    def __init__(self, prices: PriceList | None = None) -> None:
        """Make a gate.

        Args:
            prices: What models cost; by default the published prices.
        """
        self._meter = _Meter(self.count, prices)

    def admit(self) -> None:
        """Let a call through, or raise a `callboard.errors.LimitError`."""
        raise NotImplementedError

    def count(self, record: RunRecord) -> None:
        """Take into account a call that has ended, or will not any more."""
        raise NotImplementedError

    def on_llm_start(self, serialized: dict[str, Any], prompts: list[str], **kwargs: Any) -> None:
        """Let a text model's call through, or raise."""
        self.admit()
        self._quietly(self._meter.on_llm_start, serialized, prompts, **kwargs)

    def on_chat_model_start(
        self, serialized: dict[str, Any], messages: list[list[Payload]], **kwargs: Any
    ) -> None:
        """Let a chat model's call through, or raise."""
        self.admit()
        self._quietly(self._meter.on_chat_model_start, serialized, messages, **kwargs)

    def on_llm_end(self, response: Payload, **kwargs: Any) -> None:
        """Take into account what a call has used."""
        self._quietly(self._meter.on_llm_end, response, **kwargs)

    def on_llm_error(self, error: BaseException, **kwargs: Any) -> None:
        """Take into account what a call had used when it failed."""
        self._quietly(self._meter.on_llm_error, error, **kwargs)

    def _quietly(self, tell: Callable[..., Any], *args: Any, **kwargs: Any) -> None:
        try:
            tell(*args, **kwargs)
        except UnknownRunError:
            pass  # One that was refused has an end, too, where a traced function was to make it.
        except Exception as error:  # noqa: BLE001 - a price list may raise anything, for one
            logger.warning("%s can't count a call: %r", type(self).__name__, error)


class _Meter(RunTreeHandler):
    """Reads off the ends of model calls what they used."""

    def __init__(self, count: Callable[[RunRecord], None], prices: PriceList | None) -> None:
        super().__init__(prices=prices, content=False)
        self._count = count

    def run_ended(self, record: RunRecord) -> None:
        self._count(record)
