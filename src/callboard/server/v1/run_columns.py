"""What the first API calls the things that a run has (LangSmith protocol: run schema)."""

from __future__ import annotations

from collections.abc import Mapping
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
from callboard.server.shared_columns import SHARED, text_of
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


COLUMNS: Mapping[str, Column] = {
    **SHARED,
    "session_id": told(lambda run: text_of(run.project_id)),
    "dotted_order": told(lambda run: run.dotted_order or ""),
    "latency": told(lambda run: run.latency),
    "serialized": payload("serialized"),
    "s3_urls": Column(_files, ("attachments",)),
    "prompt_token_details": told(lambda run: tokens_of(run).prompt_details or None, ("subtree",)),
    "completion_token_details": told(
        lambda run: tokens_of(run).completion_details or None, ("subtree",)
    ),
    "prompt_cost_details": told(lambda run: cost_of(run).prompt_details or None, ("subtree",)),
    "completion_cost_details": told(
        lambda run: cost_of(run).completion_details or None, ("subtree",)
    ),
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
