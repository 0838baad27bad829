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
    attachment_path,
    cost_of,
    payload,
    tokens_of,
    told,
)
from callboard.server.faults import Invalid
from callboard.server.shared_columns import SHARED, text_of
from callboard.store.records import RunRecord

__all__ = ["COLUMNS", "TRACE_COLUMNS", "selected"]


def _files(run: RunRecord, origin: Origin) -> dict[str, str]:
    return {name: f"{origin.url}/api/v1{attachment_path(run, name)}" for name in run.attachments}


def _raw(read: Callable[[RunRecord], Mapping[str, Any]]) -> Column:
    """Return a column of details, which this API wraps."""
    return told(lambda run: {"raw": read(run)} if read(run) else None, ("subtree",))


_DETAILS: Mapping[str, Column] = {
    "prompt_token_details": _raw(lambda run: tokens_of(run).prompt_details),
    "completion_token_details": _raw(lambda run: tokens_of(run).completion_details),
    "prompt_cost_details": _raw(lambda run: cost_of(run).prompt_details),
    "completion_cost_details": _raw(lambda run: cost_of(run).completion_details),
    "error_preview": told(lambda run: run.error_preview),
}

COLUMNS: Mapping[str, Column] = {
    **SHARED,
    **_DETAILS,
    "latency_seconds": told(lambda run: run.latency),
    "manifest": payload("serialized"),
    "project_id": told(lambda run: text_of(run.project_id)),
    "dotted_order": told(lambda run: run.dotted_order),
    "attachments": Column(_files, ("attachments",)),
    "is_in_dataset": told(lambda run: run.reference_example_id is not None),
    "reference_dataset_id": NOTHING,
    "price_model_id": NOTHING,
    "thread_evaluation_time": NOTHING,
    "last_queued_at": NOTHING,
    "share_url": NOTHING,
    "ls_user_id": NOTHING,
}
"""Every column of a run by its name in answers."""

_OF_TRACES = (
    "name",
    "start_time",
    "end_time",
    "first_token_time",
    "error",
    "inputs",
    "inputs_preview",
    "outputs",
    "outputs_preview",
    "trace_id",
    "thread_id",
    "total_tokens",
    "prompt_tokens",
    "completion_tokens",
    "total_cost",
    "prompt_cost",
    "completion_cost",
)

TRACE_COLUMNS: Mapping[str, Column] = {
    **{name: SHARED[name] for name in _OF_TRACES},
    **_DETAILS,
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
