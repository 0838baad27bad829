"""Accounting: the tokens that a model run used, and what they cost.

Clients tell them in several forms (LangSmith protocol: tokens). What is told in the metadata counts
before what is told in the outputs. What a client says that its run cost counts before any price.
"""

from __future__ import annotations

from collections.abc import Mapping
from math import isfinite
from typing import Any

from callboard.store.prices import PriceList
from callboard.store.records import Cost, Tokens
from callboard.usage import Usage, add_usage, response_usage

__all__ = ["cost_of", "tokens_of", "usage_in_metadata", "usage_in_outputs"]

_BIGGEST = 2**53


def usage_in_metadata(metadata: Mapping[str, Any]) -> Usage | None:
    """Return the usage that a run's metadata tells, if it does."""
    usage = metadata.get("usage_metadata")
    return usage if isinstance(usage, dict) and usage else None


def usage_in_outputs(outputs: Any) -> Usage | None:
    """Return the usage that a run's outputs tell, if they do.

    Args:
        outputs: As JSON has them.
    """
    if not isinstance(outputs, dict):
        return None
    usage = outputs.get("usage_metadata")
    if isinstance(usage, dict) and usage:
        return usage
    if not isinstance(outputs.get("generations"), list):
        return None
    total: Usage = {}
    for _, each in response_usage(outputs):
        total = add_usage(total, each)
    return total or None


def tokens_of(usage: Usage) -> Tokens | None:
    """Return the tokens that a usage tells; None if it tells none.

    Args:
        usage: In the form of LangChain's ``usage_metadata``.
    """
    prompt, completion = _count(usage.get("input_tokens")), _count(usage.get("output_tokens"))
    total = _count(usage.get("total_tokens"))
    if total is None and (prompt is not None or completion is not None):
        total = (prompt or 0) + (completion or 0)
    if total is None:
        return None
    return Tokens(
        prompt,
        completion,
        total,
        _counts(usage.get("input_token_details")),
        _counts(usage.get("output_token_details")),
    )


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
    prompt, completion = _amount(usage.get("input_cost")), _amount(usage.get("output_cost"))
    total = _amount(usage.get("total_cost"))
    if total is None and (prompt is not None or completion is not None):
        total = (prompt or 0.0) + (completion or 0.0)
    if total is not None:
        return Cost(
            prompt,
            completion,
            total,
            _amounts(usage.get("input_cost_details")),
            _amounts(usage.get("output_cost_details")),
        )
    model, provider = metadata.get("ls_model_name"), metadata.get("ls_provider")
    if tokens is None or not isinstance(model, str):
        return None
    return prices.cost(model, provider if isinstance(provider, str) else None, tokens)


def _count(value: Any) -> int | None:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return int(value) if isfinite(value) and 0 <= value < _BIGGEST else None


def _counts(told: Any) -> dict[str, int]:
    if not isinstance(told, dict):
        return {}
    return {kind: count for kind, value in told.items() if (count := _count(value)) is not None}


def _amount(value: Any) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return float(value) if isfinite(value) and abs(value) < _BIGGEST else None


def _amounts(told: Any) -> dict[str, float]:
    if not isinstance(told, dict):
        return {}
    return {kind: cost for kind, value in told.items() if (cost := _amount(value)) is not None}
