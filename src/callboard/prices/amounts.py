"""Amounts: the tokens that a model has used, and what they cost.

What a client says that its run cost counts before any price.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from math import isfinite
from typing import Any

from callboard.usage import Usage

__all__ = ["Cost", "Tokens", "cost_told", "tokens_of"]

_BIGGEST = 2**53


@dataclass(frozen=True, slots=True)
class Tokens:
    """The tokens that a model run has used; None is not known.

    Attributes:
        prompt: What was given, cached and audio tokens included.
        completion: What was returned, reasoning included.
        total: Both.
        prompt_details: Parts of the prompt by kind, such as ``cache_read``.
        completion_details: Parts of the completion by kind, such as ``reasoning``.
    """

    prompt: int | None = None
    completion: int | None = None
    total: int | None = None
    prompt_details: Mapping[str, int] = field(default_factory=dict)
    completion_details: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Cost:
    """What a model run has cost, in US dollars; None is not known, which is not nothing.

    Attributes:
        prompt: What was given.
        completion: What was returned.
        total: Both.
        prompt_details: Parts of the prompt's cost by kind.
        completion_details: Parts of the completion's cost by kind.
        priced_by: Which price was applied; None if the client said what it cost.
    """

    prompt: float | None = None
    completion: float | None = None
    total: float | None = None
    prompt_details: Mapping[str, float] = field(default_factory=dict)
    completion_details: Mapping[str, float] = field(default_factory=dict)
    priced_by: str | None = None


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


def cost_told(usage: Usage) -> Cost | None:
    """Return the cost that a usage tells; None if it tells none.

    Args:
        usage: In the form of LangChain's ``usage_metadata``, with costs among it perhaps.
    """
    prompt, completion = _amount(usage.get("input_cost")), _amount(usage.get("output_cost"))
    total = _amount(usage.get("total_cost"))
    if total is None and (prompt is not None or completion is not None):
        total = (prompt or 0.0) + (completion or 0.0)
    if total is None:
        return None
    return Cost(
        prompt,
        completion,
        total,
        _amounts(usage.get("input_cost_details")),
        _amounts(usage.get("output_cost_details")),
    )


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
