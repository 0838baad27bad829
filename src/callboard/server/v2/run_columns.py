"""What the second API calls the things that a run has.

Clients select them in capital letters and read them in small ones; what is not selected is not
told.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from callboard.server.columns import (
    NOTHING,
    Column,
    Origin,
    ancestors,
    app_path,
    attachment_path,
    cost_of,
    feedback_shown,
    moment_shown,
    payload,
    tokens_of,
)
from callboard.server.faults import Invalid
from callboard.store.records import RunRecord

__all__ = ["COLUMNS", "TRACE_COLUMNS", "selected"]


def _files(run: RunRecord, origin: Origin) -> dict[str, str]:
    return {
        name: f"{origin.url}/api/v1{attachment_path(run, name)}" for name in run.attachments
    }


def _text(value: object) -> str | None:
    return None if value is None else str(value)


def _raw(read: Callable[[RunRecord], Mapping[str, Any]]) -> Column:
    """Return a column of details, which this API wraps."""
    return Column(lambda run, origin: {"raw": read(run)} if read(run) else None, ("subtree",))


_USAGE: Mapping[str, Column] = {
    "total_tokens": Column(lambda run, origin: tokens_of(run).total, ("subtree",)),
    "prompt_tokens": Column(lambda run, origin: tokens_of(run).prompt, ("subtree",)),
    "completion_tokens": Column(lambda run, origin: tokens_of(run).completion, ("subtree",)),
    "total_cost": Column(lambda run, origin: cost_of(run).total, ("subtree",)),
    "prompt_cost": Column(lambda run, origin: cost_of(run).prompt, ("subtree",)),
    "completion_cost": Column(lambda run, origin: cost_of(run).completion, ("subtree",)),
    "prompt_token_details": _raw(lambda run: tokens_of(run).prompt_details),
    "completion_token_details": _raw(lambda run: tokens_of(run).completion_details),
    "prompt_cost_details": _raw(lambda run: cost_of(run).prompt_details),
    "completion_cost_details": _raw(lambda run: cost_of(run).completion_details),
}

_SHARED: Mapping[str, Column] = {
    "name": Column(lambda run, origin: run.name),
    "start_time": Column(
        lambda run, origin: moment_shown(run.start_us or run.end_us or run.received_us)
    ),
    "end_time": Column(lambda run, origin: moment_shown(run.end_us)),
    "first_token_time": Column(
        lambda run, origin: moment_shown(run.subtree_first_token_us or run.first_token_us),
        ("subtree",),
    ),
    "error": Column(payload("error"), ("error",)),
    "error_preview": Column(lambda run, origin: run.error_preview),
    "inputs": Column(payload("inputs"), ("inputs",)),
    "inputs_preview": Column(lambda run, origin: run.inputs_preview),
    "outputs": Column(payload("outputs"), ("outputs",)),
    "outputs_preview": Column(lambda run, origin: run.outputs_preview),
    "trace_id": Column(lambda run, origin: str(run.trace_id)),
    "thread_id": Column(lambda run, origin: run.thread_id),
    **_USAGE,
}

COLUMNS: Mapping[str, Column] = {
    **_SHARED,
    "id": Column(lambda run, origin: str(run.id)),
    "run_type": Column(lambda run, origin: run.run_type),
    "status": Column(lambda run, origin: run.status),
    "latency_seconds": Column(lambda run, origin: run.latency),
    "extra": Column(payload("extra"), ("extra",)),
    "metadata": Column(lambda run, origin: run.metadata),
    "events": Column(payload("events"), ("events",)),
    "manifest": Column(payload("serialized"), ("serialized",)),
    "parent_run_id": Column(lambda run, origin: _text(run.parent_run_id)),
    "parent_run_ids": Column(lambda run, origin: ancestors(run)),
    "project_id": Column(lambda run, origin: _text(run.project_id)),
    "dotted_order": Column(lambda run, origin: run.dotted_order),
    "is_root": Column(lambda run, origin: run.is_root),
    "reference_example_id": Column(lambda run, origin: _text(run.reference_example_id)),
    "tags": Column(lambda run, origin: run.tags),
    "app_path": Column(app_path),
    "attachments": Column(_files, ("attachments",)),
    "is_in_dataset": Column(lambda run, origin: run.reference_example_id is not None),
    "feedback_stats": Column(lambda run, origin: feedback_shown(run.feedback), ("feedback",)),
    "reference_dataset_id": NOTHING,
    "price_model_id": NOTHING,
    "thread_evaluation_time": NOTHING,
    "last_queued_at": NOTHING,
    "share_url": NOTHING,
    "ls_user_id": NOTHING,
}
"""Every column of a run by its name in answers."""

TRACE_COLUMNS: Mapping[str, Column] = {
    **_SHARED,
    "latency": Column(lambda run, origin: run.latency),
    # The version of the row: rows have none here.
    "op": Column(lambda run, origin: 0),
    "turn_number": NOTHING,
}
"""Every column of a trace in a thread."""


def selected(
    table: Mapping[str, Column], names: Iterable[str], default: Iterable[str] = ("id",)
) -> tuple[str, ...]:
    """Return the columns that are selected, by their names in answers.

    Args:
        table: What can be selected.
        names: What is, in any case.
        default: What is if nothing is.

    Raises:
        Invalid: There is no such column.
    """
    wanted = tuple(dict.fromkeys(name.lower() for name in names)) or tuple(default)
    unknown = next((name for name in wanted if name not in table), None)
    if unknown is not None:
        accepted = ", ".join(sorted(name.upper() for name in table))
        raise Invalid(f"{unknown.upper()[:80]!r} can't be selected; accepted are {accepted}.")
    return wanted
