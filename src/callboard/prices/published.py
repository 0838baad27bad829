"""Published prices: what providers ask, as the package genai-prices has collected it.

The list comes with the package: nothing is fetched. Prices have histories, tiers and cached
tokens in it, which a table of ours would have to follow every week.
"""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from functools import cache
from importlib import import_module
from typing import Any, NamedTuple

from callboard.errors import MissingExtraError
from callboard.prices.amounts import Cost, Tokens
from callboard.prices.table import NO_PRICES, PriceList

__all__ = ["PublishedPrices", "published_prices"]

# What the details are called there. Details that it does not know cost what any token costs.
_PROMPT_DETAILS = {
    "cache_read": "cache_read_tokens",
    "cache_creation": "cache_write_tokens",
    "audio": "input_audio_tokens",
}
_COMPLETION_DETAILS = {"audio": "output_audio_tokens"}
# Prices that make no difference where nothing but tokens is told.
_BESIDES_TOKENS = {"cache_write_1h_mtok", "storage_searches_kcount", "web_searches_kcount"}
_MILLION = 1_000_000
_MAX_KEPT = 10_000


class PublishedPrices:
    """The price list of the package genai-prices, for the present day."""

    def __init__(self) -> None:
        """Load the list, which takes half a second: now, and not when a call has been answered.

        Raises:
            MissingExtraError: genai-prices is not installed.
        """
        try:
            self._package: Any = import_module("genai_prices")
            self._snapshots: Any = import_module("genai_prices.data_snapshot")
        except ImportError:
            raise MissingExtraError(
                "For published prices, the package genai-prices is needed: "
                "pip install 'callboard[cost]'."
            ) from None
        self._snapshot: Any = None
        self._unknown: set[tuple[str, str | None]] = set()
        # By the identity of the package's prices, which live as long as the snapshot.
        self._flat: dict[tuple[str, int], _Flat | None] = {}
        self.cost("", None, Tokens(0, 0))  # It reads its data when it is first asked.

    def cost(self, model: str, provider: str | None, tokens: Tokens) -> Cost | None:
        """Return what tokens cost; None if the model, or its provider, is not on the list."""
        if tokens.prompt is None and tokens.completion is None:
            return None  # Of a total alone nobody knows which were given.
        try:
            return self._flat_cost(model, provider, tokens) or self._cost(model, provider, tokens)
        except (LookupError, ValueError):  # It is not on it, or the counts contradict each other.
            return None

    def _cost(self, model: str, provider: str | None, tokens: Tokens) -> Cost:
        """Have the package reckon, which takes longer than all else that is done with a call."""
        priced = self._package.calc_price(
            self._package.Usage(**_usage(tokens)), model_ref=model, provider_id=provider
        )
        return Cost(
            float(priced.input_price),
            float(priced.output_price),
            float(priced.total_price),
            priced_by=_named(priced.provider, priced.model),
        )

    def _flat_cost(self, model: str, provider: str | None, tokens: Tokens) -> Cost | None:
        """Return what tokens cost; None if it takes more than a multiplication to know that.

        Raises:
            LookupError: The model, or its provider, is not on the list.
        """
        if tokens.prompt_details.get("audio") or tokens.completion_details.get("audio"):
            return None
        snapshot = self._snapshots.get_snapshot()
        if snapshot is not self._snapshot:  # It may be updated, if the application asks for that.
            self._snapshot, self._unknown, self._flat = snapshot, set(), {}
        if (model, provider) in self._unknown:
            raise LookupError(model)
        try:
            seller, found = snapshot.find_provider_model(model, None, provider, None)
        except LookupError:
            if len(self._unknown) < _MAX_KEPT:  # Names that clients make up must not fill memory.
                self._unknown.add((model, provider))
            raise
        prices = found.get_prices(datetime.now(UTC))  # Some depend on the hour.
        asked = seller.id, id(prices)  # Providers share models.
        if asked not in self._flat:
            self._flat[asked] = _Flat.read(prices, _named(seller, found))
        flat = self._flat[asked]
        return None if flat is None else flat.cost(tokens)


class _Flat(NamedTuple):
    """Prices of a million tokens, however many they are: what most models have."""

    name: str
    prompt: Decimal
    completion: Decimal
    cache_read: Decimal
    cache_write: Decimal

    @classmethod
    def read(cls, prices: Any, name: str) -> _Flat | None:
        """Return a model's prices; None if they are not as simple as that."""
        told = {
            key: each
            for key, each in vars(prices).items()
            if each is not None and not key.startswith("_")
        }
        prompt, completion = told.pop("input_mtok", None), told.pop("output_mtok", None)
        read, written = told.pop("cache_read_mtok", prompt), told.pop("cache_write_mtok", prompt)
        flat = (prompt, completion, read, written)
        if told.keys() - _BESIDES_TOKENS or not all(isinstance(each, Decimal) for each in flat):
            return None
        return cls(name, *flat)

    def cost(self, tokens: Tokens) -> Cost | None:
        read = tokens.prompt_details.get("cache_read", 0)
        written = tokens.prompt_details.get("cache_creation", 0)
        rest = (tokens.prompt or 0) - read - written
        if rest < 0:
            return None
        given = rest * self.prompt + read * self.cache_read + written * self.cache_write
        returned = (tokens.completion or 0) * self.completion
        return Cost(
            float(given / _MILLION),
            float(returned / _MILLION),
            float((given + returned) / _MILLION),
            priced_by=self.name,
        )


def _named(provider: Any, model: Any) -> str:
    return f"genai-prices: {provider.id} {model.id}"


def _usage(tokens: Tokens) -> dict[str, int]:
    usage: dict[str, Any] = {
        "input_tokens": tokens.prompt or 0,
        "output_tokens": tokens.completion or 0,
    }
    for told, names in (
        (tokens.prompt_details, _PROMPT_DETAILS),
        (tokens.completion_details, _COMPLETION_DETAILS),
    ):
        usage |= {names[kind]: count for kind, count in told.items() if count and kind in names}
    return usage


@cache
def published_prices() -> PriceList:
    """Return the published prices; without genai-prices, a list with nothing on it."""
    try:
        return PublishedPrices()
    except MissingExtraError:
        return NO_PRICES
