"""Published prices: what providers ask, as the package genai-prices has collected it.

The list comes with the package: nothing is fetched. Prices have histories, tiers and cached
tokens in it, which a table of ours would have to follow every week.
"""

from __future__ import annotations

from functools import cache
from importlib import import_module
from typing import Any

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


class PublishedPrices:
    """The price list of the package genai-prices, for the present day."""

    def __init__(self) -> None:
        """Load the list, which takes half a second: now, and not when a call has been answered.

        Raises:
            MissingExtraError: genai-prices is not installed.
        """
        try:
            self._package: Any = import_module("genai_prices")
        except ImportError:
            raise MissingExtraError(
                "For published prices, the package genai-prices is needed: "
                "pip install 'callboard[cost]'."
            ) from None
        self.cost("", None, Tokens())  # It reads its data when it is first asked.

    def cost(self, model: str, provider: str | None, tokens: Tokens) -> Cost | None:
        """Return what tokens cost; None if the model, or its provider, is not on the list."""
        try:
            priced = self._package.calc_price(
                self._package.Usage(**_usage(tokens)), model_ref=model, provider_id=provider
            )
        except (LookupError, ValueError):  # It is not on it, or the counts contradict each other.
            return None
        return Cost(
            float(priced.input_price),
            float(priced.output_price),
            float(priced.total_price),
            priced_by=f"genai-prices: {priced.provider.id} {priced.model.id}",
        )


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
