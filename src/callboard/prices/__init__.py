"""Prices: tokens, and what they cost.

The one place for it: the board's store and the handlers of `callboard.integrations` read the same
lists. A model that is on no list has no known cost, which is not the same as to cost nothing.
"""

from __future__ import annotations

from callboard.prices.amounts import Cost, Tokens, cost_told, tokens_of
from callboard.prices.published import PublishedPrices, published_prices
from callboard.prices.table import NO_PRICES, Price, PriceList, PriceTable, cost_of

__all__ = [
    "NO_PRICES",
    "Cost",
    "Price",
    "PriceList",
    "PriceTable",
    "PublishedPrices",
    "Tokens",
    "cost_of",
    "cost_told",
    "published_prices",
    "tokens_of",
]
