"""Costs: the handler that adds up what model calls use and cost, whoever provides the model."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from math import nan
from typing import Any

from callboard.callbacks.handlers import BaseCallbackHandler
from callboard.handlers.blocks import HandlerBlocks
from callboard.integrations.base import RunRecord, RunTreeHandler
from callboard.prices import PriceList
from callboard.usage import UNKNOWN_MODEL

__all__ = [
    "CostCallbackHandler",
    "ModelSpending",
    "OpenAICallbackHandler",
    "get_cost_callback",
    "get_openai_callback",
]


@dataclass(slots=True)
class ModelSpending:
    """What the calls of one model have used.

    Attributes:
        calls: How many were answered.
        unpriced_calls: How many of them have no known cost.
        prompt_tokens: What was given, cached tokens included.
        cached_tokens: What of it was read from the provider's cache.
        completion_tokens: What was returned, reasoning included.
        reasoning_tokens: What of it was reasoning.
        total_tokens: Both; some providers tell nothing else.
        known_cost: What the others of them cost, in US dollars.
    """

    calls: int = 0
    unpriced_calls: int = 0
    prompt_tokens: int = 0
    cached_tokens: int = 0
    completion_tokens: int = 0
    reasoning_tokens: int = 0
    total_tokens: int = 0
    known_cost: float = 0.0

    def add(self, record: RunRecord) -> None:
        """Count a call that was answered."""
        self.calls += 1
        if record.tokens is not None:
            self.prompt_tokens += record.tokens.prompt or 0
            self.completion_tokens += record.tokens.completion or 0
            self.total_tokens += record.tokens.total or 0
            self.cached_tokens += record.tokens.prompt_details.get("cache_read", 0)
            self.reasoning_tokens += record.tokens.completion_details.get("reasoning", 0)
        if record.cost is None or record.cost.total is None:
            self.unpriced_calls += 1
        else:
            self.known_cost += record.cost.total


class CostCallbackHandler(RunTreeHandler):
    """Adds up tokens and costs of all model calls, by model. May be shared between threads.

    A call whose model is on no price list has no known cost, and then the total has none either:
    an unknown price is not a price of nothing.

    Attributes:
        by_model: What was used, by the name of the model that answered.
    """

    def __init__(self, *, prices: PriceList | None = None) -> None:
        """Make a handler that has counted nothing yet.

        Args:
            prices: What models cost; by default the published prices, where the package
                genai-prices is installed.
        """
        super().__init__(prices=prices, content=False)
        self.by_model: dict[str, ModelSpending] = {}

    # Costs are told at the end: tokens need not be counted, nor even heard.
    on_llm_new_token = BaseCallbackHandler.on_llm_new_token

    def run_ended(self, record: RunRecord) -> None:
        """Count a model's call, if it was answered."""
        if not record.is_model or record.status != "ok":
            return
        model = record.response_model or record.model or UNKNOWN_MODEL
        with self._lock:
            self.by_model.setdefault(model, ModelSpending()).add(record)

    def _sum(self, name: str) -> Any:
        with self._lock:
            return sum(getattr(each, name) for each in self.by_model.values())

    @property
    def successful_requests(self) -> int:
        """How many calls were answered."""
        return int(self._sum("calls"))

    @property
    def prompt_tokens(self) -> int:
        """The tokens given, cached ones included."""
        return int(self._sum("prompt_tokens"))

    @property
    def prompt_tokens_cached(self) -> int:
        """The tokens of these that were read from the provider's cache."""
        return int(self._sum("cached_tokens"))

    @property
    def completion_tokens(self) -> int:
        """The tokens returned, reasoning included."""
        return int(self._sum("completion_tokens"))

    @property
    def reasoning_tokens(self) -> int:
        """The tokens of these that were reasoning."""
        return int(self._sum("reasoning_tokens"))

    @property
    def total_tokens(self) -> int:
        """The tokens given and returned."""
        return int(self._sum("total_tokens"))

    @property
    def known_cost(self) -> float:
        """What the calls cost whose cost is known, in US dollars."""
        return float(self._sum("known_cost"))

    @property
    def total_cost(self) -> float | None:
        """What all calls cost, in US dollars; None if the cost of one of them is not known."""
        return None if self.unpriced_models else self.known_cost

    @property
    def unpriced_models(self) -> list[str]:
        """The models with calls whose cost is not known."""
        with self._lock:
            return [name for name, spent in self.by_model.items() if spent.unpriced_calls]

    def __repr__(self) -> str:
        cost = "unknown" if self.total_cost is None else f"${self.total_cost:.6f}"
        return (
            f"Tokens used: {self.total_tokens}\n"
            f"\tPrompt tokens: {self.prompt_tokens}\n"
            f"\t\tCached: {self.prompt_tokens_cached}\n"
            f"\tCompletion tokens: {self.completion_tokens}\n"
            f"\t\tReasoning: {self.reasoning_tokens}\n"
            f"Successful requests: {self.successful_requests}\n"
            f"Total cost (USD): {cost}"
        )


class OpenAICallbackHandler(CostCallbackHandler):
    """The same under its former name, with a total that can always be formatted as a number."""

    @property
    def total_cost(self) -> float:
        """What all calls cost, in US dollars; not a number (nan) if that is not known."""
        total = super().total_cost
        return nan if total is None else total


_costs = HandlerBlocks[CostCallbackHandler]("callboard_costs")


@contextmanager
def get_cost_callback(*, prices: PriceList | None = None) -> Generator[CostCallbackHandler]:
    """Add up what all the model calls in a block use and cost; blocks may be nested.

    Calls that begin when the block has ended are not counted, wherever they are made.

    Args:
        prices: See `CostCallbackHandler`.

    Yields:
        The handler.
    """
    with _costs.around(CostCallbackHandler(prices=prices)) as handler:
        yield handler


@contextmanager
def get_openai_callback() -> Generator[OpenAICallbackHandler]:
    """Add up what all the model calls in a block use and cost, of any provider.

    Yields:
        The handler, with the attributes that LangChain's has.
    """
    handler = OpenAICallbackHandler()
    with _costs.around(handler):
        yield handler
