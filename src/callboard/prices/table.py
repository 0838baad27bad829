"""Prices: what tokens of a model cost.

A price list is anything that answers for a model. `PriceTable` is one that is made from data, such
as a file of the user's; there is none until one is given. A model that is not on it has no known
cost, which is not the same as to cost nothing.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from callboard.errors import BadOptionError
from callboard.prices.amounts import Cost, Tokens, cost_told
from callboard.usage import Usage

__all__ = ["NO_PRICES", "Price", "PriceList", "PriceTable", "cost_of"]

_MILLION = 1_000_000


class PriceList(Protocol):
    """Knows what models cost."""

    def cost(self, model: str, provider: str | None, tokens: Tokens) -> Cost | None:
        """Return what tokens cost; None if that is not known.

        Args:
            model: The model, as the provider calls it.
            provider: Who provides it, such as ``"openai"``, if that is known.
            tokens: What was used.
        """
        ...


@dataclass(frozen=True, slots=True)
class Price:
    """What a model costs, in US dollars for a million tokens.

    Attributes:
        name: What the price is called.
        model: A regular expression that the model's whole name has to match, in any case.
        provider: The provider it is for; any, if None.
        prompt: For a token that is given.
        completion: For a token that is returned.
        prompt_details: For given tokens of some kind, such as ``cache_read``; those of other
            kinds cost what any cost.
        completion_details: For returned tokens of some kind.
    """

    name: str
    model: str
    prompt: float
    completion: float
    provider: str | None = None
    prompt_details: Mapping[str, float] = field(default_factory=dict)
    completion_details: Mapping[str, float] = field(default_factory=dict)

    def cost(self, tokens: Tokens) -> Cost:
        """Return what tokens cost."""
        prompt, prompt_details = _share(
            tokens.prompt, tokens.prompt_details, self.prompt, self.prompt_details
        )
        completion, completion_details = _share(
            tokens.completion, tokens.completion_details, self.completion, self.completion_details
        )
        total = None
        if prompt is not None or completion is not None:
            total = (prompt or 0.0) + (completion or 0.0)
        return Cost(prompt, completion, total, prompt_details, completion_details, self.name)


def _share(
    count: int | None,
    details: Mapping[str, int],
    price: float,
    prices: Mapping[str, float],
) -> tuple[float | None, dict[str, float]]:
    """Return what the tokens of one side cost: kinds with a price of their own first."""
    if count is None:
        return None, {}
    costs = {kind: details[kind] * prices[kind] / _MILLION for kind in details if kind in prices}
    rest = max(0, count - sum(details[kind] for kind in costs))
    return sum(costs.values()) + rest * price / _MILLION, costs


class PriceTable:
    """A price list made from rows, of which the first that fits counts."""

    def __init__(self, prices: Iterable[Price]) -> None:
        """Make a table.

        Args:
            prices: Its rows.

        Raises:
            BadOptionError: A row's model is no regular expression.
        """
        self._rows = [(_compiled(price), price) for price in prices]
        self._found: dict[tuple[str, str | None], Price | None] = {}

    @classmethod
    def load(cls, rows: Iterable[Mapping[str, Any]]) -> PriceTable:
        """Make a table from data.

        Args:
            rows: Each with the attributes of `Price` by name.

        Raises:
            BadOptionError: A row is not in that form.
        """
        try:
            return cls(Price(**row) for row in rows)
        except TypeError as error:
            raise BadOptionError(f"A row of the price table is refused: {error}.") from None

    def cost(self, model: str, provider: str | None, tokens: Tokens) -> Cost | None:
        """Return what tokens cost; None if the model is not on the table."""
        price = self._price(model, provider)
        return None if price is None else price.cost(tokens)

    def _price(self, model: str, provider: str | None) -> Price | None:
        asked = model, provider
        if asked not in self._found:
            if len(self._found) > 1000:  # Names that clients make up must not fill memory.
                self._found.clear()
            self._found[asked] = next(
                (
                    price
                    for pattern, price in self._rows
                    if pattern.fullmatch(model) and price.provider in {None, provider}
                ),
                None,
            )
        return self._found[asked]


def _compiled(price: Price) -> re.Pattern[str]:
    try:
        return re.compile(price.model, re.IGNORECASE)
    except re.error as error:
        raise BadOptionError(
            f"The price {price.name} has the model {price.model!r}, which is no regular "
            f"expression: {error}."
        ) from None


NO_PRICES = PriceTable(())
"""A list with nothing on it."""


def cost_of(
    usage: Usage, tokens: Tokens | None, metadata: Mapping[str, Any], prices: PriceList
) -> Cost | None:
    """Return what a model run cost; None if that is not known.

    Args:
        usage: What the client told, costs among it perhaps.
        tokens: The tokens in it.
        metadata: The run's, which names the model.
        prices: What models cost.
    """
    told = cost_told(usage)
    model, provider = metadata.get("ls_model_name"), metadata.get("ls_provider")
    if told is not None or tokens is None or not isinstance(model, str):
        return told
    return prices.cost(model, provider if isinstance(provider, str) else None, tokens)
