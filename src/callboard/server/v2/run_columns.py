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
    told,
)
from callboard.server.faults import Invalid
from callboard.store.records import RunRecord

__all__ = ["COLUMNS", "TRACE_COLUMNS", "selected"]


def _files(run: RunRecord, origin: Origin) -> dict[str, str]:
    return {name: f"{origin.url}/api/v1{attachment_path(run, name)}" for name in run.attachments}


def _text(value: object) -> str | None:
    return None if value is None else str(value)


def _raw(read: Callable[[RunRecord], Mapping[str, Any]]) -> Column:
    """Return a column of details, which this API wraps."""
    return told(lambda run: {"raw": read(run)} if read(run) else None, ("subtree",))


_USAGE: Mapping[str, Column] = {
    "total_tokens": told(lambda run: tokens_of(run).total, ("subtree",)),
    "prompt_tokens": told(lambda run: tokens_of(run).prompt, ("subtree",)),
    "completion_tokens": told(lambda run: tokens_of(run).completion, ("subtree",)),
    "total_cost": told(lambda run: cost_of(run).total, ("subtree",)),
    "prompt_cost": told(lambda run: cost_of(run).prompt, ("subtree",)),
    "completion_cost": told(lambda run: cost_of(run).completion, ("subtree",)),
    "prompt_token_details": _raw(lambda run: tokens_of(run).prompt_details),
    "completion_token_details": _raw(lambda run: tokens_of(run).completion_details),
    "prompt_cost_details": _raw(lambda run: cost_of(run).prompt_details),
    "completion_cost_details": _raw(lambda run: cost_of(run).completion_details),
}

_SHARED: Mapping[str, Column] = {
    "name": told(lambda run: run.name),
    "start_time": told(lambda run: moment_shown(run.start_us or run.end_us or run.received_us)),
    "end_time": told(lambda run: moment_shown(run.end_us)),
    "first_token_time": told(
        lambda run: moment_shown(run.subtree_first_token_us or run.first_token_us),
        ("subtree",),
    ),
    "error": payload("error"),
    "error_preview": told(lambda run: run.error_preview),
    "inputs": payload("inputs"),
    "inputs_preview": told(lambda run: run.inputs_preview),
    "outputs": payload("outputs"),
    "outputs_preview": told(lambda run: run.outputs_preview),
    "trace_id": told(lambda run: str(run.trace_id)),
    "thread_id": told(lambda run: run.thread_id),
    **_USAGE,
}

COLUMNS: Mapping[str, Column] = {
    **_SHARED,
    "id": told(lambda run: str(run.id)),
    "run_type": told(lambda run: run.run_type),
    "status": told(lambda run: run.status),
    "latency_seconds": told(lambda run: run.latency),
    "extra": payload("extra"),
    "metadata": told(lambda run: run.metadata),
    "events": payload("events"),
    "manifest": payload("serialized"),
    "parent_run_id": told(lambda run: _text(run.parent_run_id)),
    "parent_run_ids": told(ancestors),
    "project_id": told(lambda run: _text(run.project_id)),
    "dotted_order": told(lambda run: run.dotted_order),
    "is_root": told(lambda run: run.is_root),
    "reference_example_id": told(lambda run: _text(run.reference_example_id)),
    "tags": told(lambda run: run.tags),
    "app_path": Column(app_path),
    "attachments": Column(_files, ("attachments",)),
    "is_in_dataset": told(lambda run: run.reference_example_id is not None),
    "feedback_stats": told(lambda run: feedback_shown(run.feedback), ("feedback",)),
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
    "latency": told(lambda run: run.latency),
    # The version of the row: rows have none here.
    "op": told(lambda _run: 0),
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
