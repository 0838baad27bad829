"""A record as plain data: what is written to a file, a log or a table."""

from __future__ import annotations

from typing import Any

from callboard.integrations.records import RunRecord

__all__ = ["figures_of", "row_of"]


def row_of(record: RunRecord) -> dict[str, Any]:
    """Return what a record tells, without what is not known.

    Args:
        record: The record of a run that has ended.
    """
    every: dict[str, Any] = {
        "run_id": str(record.id),
        "trace_id": str(record.trace_id),
        "parent_run_id": None if record.parent is None else str(record.parent.id),
        "name": record.name,
        "type": record.type,
        "status": record.status,
        "start_time": record.start_time.isoformat(),
        "end_time": None if record.end_time is None else record.end_time.isoformat(),
        **figures_of(record),
        "tags": record.tags or None,
        "metadata": record.metadata or None,
        "parameters": record.parameters or None,
        "inputs": record.inputs,
        "outputs": record.outputs,
        "error": record.error,
    }
    return {name: value for name, value in every.items() if value is not None}


def figures_of(record: RunRecord) -> dict[str, Any]:
    """Return a record's figures: latency in seconds, models, tokens, and cost in US dollars.

    Args:
        record: The record.
    """
    tokens, cost = record.tokens, record.cost
    every = {
        "latency": record.latency,
        "time_to_first_token": record.time_to_first_token,
        "model": record.response_model or record.model,
        "provider": record.provider,
        "input_tokens": tokens and tokens.prompt,
        "output_tokens": tokens and tokens.completion,
        "cost": cost and cost.total,
        "error_type": record.error_type,
    }
    return {name: value for name, value in every.items() if value is not None}
