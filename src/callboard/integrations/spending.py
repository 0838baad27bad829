"""Spending: what a model run has used and what that cost, read off its outputs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from callboard.integrations.records import RunRecord
from callboard.prices import Cost, PriceList, Tokens, cost_told, tokens_of
from callboard.usage import (
    UNKNOWN_MODEL,
    Usage,
    add_usage,
    response_usage,
    usage_in_metadata,
    usage_in_outputs,
)

__all__ = ["account"]


class _Call(NamedTuple):
    """What one call used, as told and as counts, and the model that says to have answered it."""

    model: str | None
    usage: Usage
    tokens: Tokens | None


def account(record: RunRecord, outputs: Any, prices: PriceList) -> None:
    """Write into a record what its model has used, and what that cost.

    Args:
        record: The record of a model's run, which has ended.
        outputs: What the run returned.
        prices: What models cost.
    """
    calls = _calls(outputs, record.metadata)
    if not calls:
        return
    record.response_model = calls[0].model
    total: Usage = {}
    for call in calls:
        total = add_usage(total, call.usage)
    record.usage = total
    record.tokens = calls[0].tokens if len(calls) == 1 else tokens_of(total)
    record.cost = _sum(_cost(record, call, prices) for call in calls)


def _calls(outputs: Any, metadata: Mapping[str, Any]) -> list[_Call]:
    """Return what was told: each prompt's usage, or the whole run's."""
    if told := usage_in_metadata(metadata):
        return [_Call(None, told, tokens_of(told))]
    if isinstance(outputs, dict) and isinstance(outputs.get("generations"), list):
        return [
            _Call(None if model == UNKNOWN_MODEL else model, usage, tokens_of(usage))
            for model, usage in response_usage(outputs)
        ]
    told = usage_in_outputs(outputs)
    return [_Call(None, told, tokens_of(told))] if told else []


def _cost(record: RunRecord, call: _Call, prices: PriceList) -> Cost | None:
    """Return what a call cost: as told, or by the model that answered, or by the one asked."""
    told = cost_told(call.usage)
    if told is not None or call.tokens is None:
        return told
    for model in (call.model, record.model):
        cost = None if model is None else prices.cost(model, record.provider, call.tokens)
        if cost is not None:
            return cost
    return None


def _sum(costs: Iterable[Cost | None]) -> Cost | None:
    """Return the sum of costs; None if one of them is not known."""
    total: Cost | None = None
    for cost in costs:
        if cost is None:
            return None
        total = cost if total is None else _added(total, cost)
    return total


def _added(one: Cost, other: Cost) -> Cost:
    return Cost(
        _plus(one.prompt, other.prompt),
        _plus(one.completion, other.completion),
        _plus(one.total, other.total),
        priced_by=one.priced_by,
    )


def _plus(one: float | None, other: float | None) -> float | None:
    return None if one is None or other is None else one + other
