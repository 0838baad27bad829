"""A record as plain data: what is written to a file, a log or a table."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from callboard.integrations.excerpts import counted_excerpt
from callboard.integrations.messages import said_in, said_out
from callboard.integrations.records import RunRecord
from callboard.wire import json

__all__ = ["METRICS", "TABLE_COLUMNS", "figures_of", "metrics_of", "row_of", "table_row", "used"]

METRICS = {
    "latency": "llm/latency_s",
    "time_to_first_token": "llm/ttft_s",
    "input_tokens": "llm/input_tokens",
    "output_tokens": "llm/output_tokens",
    "cost": "llm/cost_usd",
}
"""What platforms that plot call a model call's figures."""

TABLE_COLUMNS = [
    "run_id",
    "model",
    "prompt",
    "answer",
    "status",
    "latency_s",
    "tokens",
    "cost_usd",
    "error",
]
"""What a table of model calls tells."""


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


def metrics_of(record: RunRecord) -> dict[str, float]:
    """Return a model call's figures that are numbers, by the names of `METRICS`.

    Args:
        record: The record of a model's run, which has ended.
    """
    figures = figures_of(record)
    return {name: figures[key] for key, name in METRICS.items() if key in figures}


def table_row(record: RunRecord, max_text: int) -> list[Any]:
    """Return a model call as a row under `TABLE_COLUMNS`.

    Args:
        record: The record of a model's run, which has ended.
        max_text: How much is told of the prompt, and of the answer, in characters.
    """
    figures, tokens = figures_of(record), record.tokens
    prompt = json.encode([[said.role, said.text] for said in said_in(record)]).decode()
    return [
        str(record.id),
        figures.get("model"),
        counted_excerpt(prompt, max_text),
        counted_excerpt("\n\n".join(said.text for said in said_out(record)), max_text),
        record.status,
        figures.get("latency"),
        None if tokens is None else tokens.total,
        figures.get("cost"),
        None if record.error_message is None else counted_excerpt(record.error_message, max_text),
    ]


def used(record: RunRecord) -> Iterator[str]:
    """Yield what a model has used and what that cost, as people read it, as far as it is known.

    Args:
        record: The record.
    """
    tokens, cost = record.tokens, record.cost
    if tokens is not None:
        parts = [each for each in (tokens.prompt, tokens.completion) if each is not None]
        yield f"{'+'.join(map(str, parts)) or tokens.total} tokens"
    if cost is not None and cost.total is not None:
        yield f"${cost.total:.6f}"
