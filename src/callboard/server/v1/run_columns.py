"""What the first API calls the things that a run has (LangSmith protocol: run schema)."""

from __future__ import annotations

from collections.abc import Mapping
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
from callboard.store.records import RunRecord

__all__ = ["ALL", "COLUMNS", "REQUIRED"]


def _files(run: RunRecord, origin: Origin) -> dict[str, Any]:
    return {
        f"attachment.{name}": {
            "presigned_url": f"{origin.url}{attachment_path(run, name)}",
            "mime_type": mime_type,
        }
        for name, mime_type in run.attachments.items()
    }


def _text(value: object) -> str | None:
    return None if value is None else str(value)


COLUMNS: Mapping[str, Column] = {
    "id": told(lambda run: str(run.id)),
    "name": told(lambda run: run.name),
    "run_type": told(lambda run: run.run_type),
    # Clients require a start: of a run that only its end is known of, that is the best guess.
    "start_time": told(lambda run: moment_shown(run.start_us or run.end_us or run.received_us)),
    "end_time": told(lambda run: moment_shown(run.end_us)),
    "status": told(lambda run: run.status),
    "trace_id": told(lambda run: str(run.trace_id)),
    "session_id": told(lambda run: _text(run.project_id)),
    "parent_run_id": told(lambda run: _text(run.parent_run_id)),
    "parent_run_ids": told(ancestors),
    "dotted_order": told(lambda run: run.dotted_order or ""),
    "is_root": told(lambda run: run.is_root),
    "latency": told(lambda run: run.latency),
    "tags": told(lambda run: run.tags),
    "metadata": told(lambda run: run.metadata),
    "thread_id": told(lambda run: run.thread_id),
    "reference_example_id": told(lambda run: _text(run.reference_example_id)),
    "inputs": payload("inputs"),
    "outputs": payload("outputs"),
    "events": payload("events"),
    "extra": payload("extra"),
    "error": payload("error"),
    "serialized": payload("serialized"),
    "inputs_preview": told(lambda run: run.inputs_preview),
    "outputs_preview": told(lambda run: run.outputs_preview),
    "s3_urls": Column(_files, ("attachments",)),
    "first_token_time": told(
        lambda run: moment_shown(run.subtree_first_token_us or run.first_token_us),
        ("subtree",),
    ),
    "prompt_tokens": told(lambda run: tokens_of(run).prompt, ("subtree",)),
    "completion_tokens": told(lambda run: tokens_of(run).completion, ("subtree",)),
    "total_tokens": told(lambda run: tokens_of(run).total, ("subtree",)),
    "prompt_token_details": told(lambda run: tokens_of(run).prompt_details or None, ("subtree",)),
    "completion_token_details": told(
        lambda run: tokens_of(run).completion_details or None, ("subtree",)
    ),
    "prompt_cost": told(lambda run: cost_of(run).prompt, ("subtree",)),
    "completion_cost": told(lambda run: cost_of(run).completion, ("subtree",)),
    "total_cost": told(lambda run: cost_of(run).total, ("subtree",)),
    "prompt_cost_details": told(lambda run: cost_of(run).prompt_details or None, ("subtree",)),
    "completion_cost_details": told(
        lambda run: cost_of(run).completion_details or None, ("subtree",)
    ),
    "feedback_stats": told(lambda run: feedback_shown(run.feedback), ("feedback",)),
    "app_path": Column(app_path),
    "in_dataset": told(lambda run: run.reference_example_id is not None),
    "price_model_id": NOTHING,
    "manifest_id": NOTHING,
    "last_queued_at": NOTHING,
    "share_token": NOTHING,
    "execution_order": NOTHING,
    "child_run_ids": NOTHING,
    "direct_child_run_ids": NOTHING,
    "child_runs": NOTHING,
}
"""Every column by its name."""

ALL = tuple(name for name, column in COLUMNS.items() if column is not NOTHING)
"""What a run is told with when nothing is selected."""

REQUIRED = ("id", "name", "start_time", "run_type", "trace_id")
"""What clients want in every run, selected or not."""
