"""The columns that both APIs tell alike, under the same names."""

from __future__ import annotations

from collections.abc import Mapping

from callboard.server.columns import (
    Column,
    ancestors,
    app_path,
    cost_of,
    feedback_shown,
    moment_shown,
    payload,
    tokens_of,
    told,
)

__all__ = ["SHARED", "text_of"]


def text_of(value: object) -> str | None:
    """Return a value, such as an id, as text; None stays what it is."""
    return None if value is None else str(value)


SHARED: Mapping[str, Column] = {
    "id": told(lambda run: str(run.id)),
    "name": told(lambda run: run.name),
    "run_type": told(lambda run: run.run_type),
    # Clients require a start: of a run that only its end is known of, that is the best guess.
    "start_time": told(lambda run: moment_shown(run.start_us or run.end_us or run.received_us)),
    "end_time": told(lambda run: moment_shown(run.end_us)),
    "status": told(lambda run: run.status),
    "trace_id": told(lambda run: str(run.trace_id)),
    "parent_run_id": told(lambda run: text_of(run.parent_run_id)),
    "parent_run_ids": told(ancestors),
    "is_root": told(lambda run: run.is_root),
    "tags": told(lambda run: run.tags),
    "metadata": told(lambda run: run.metadata),
    "thread_id": told(lambda run: run.thread_id),
    "reference_example_id": told(lambda run: text_of(run.reference_example_id)),
    "inputs": payload("inputs"),
    "outputs": payload("outputs"),
    "events": payload("events"),
    "extra": payload("extra"),
    "error": payload("error"),
    "inputs_preview": told(lambda run: run.inputs_preview),
    "outputs_preview": told(lambda run: run.outputs_preview),
    "first_token_time": told(
        lambda run: moment_shown(run.subtree_first_token_us or run.first_token_us), ("subtree",)
    ),
    "prompt_tokens": told(lambda run: tokens_of(run).prompt, ("subtree",)),
    "completion_tokens": told(lambda run: tokens_of(run).completion, ("subtree",)),
    "total_tokens": told(lambda run: tokens_of(run).total, ("subtree",)),
    "prompt_cost": told(lambda run: cost_of(run).prompt, ("subtree",)),
    "completion_cost": told(lambda run: cost_of(run).completion, ("subtree",)),
    "total_cost": told(lambda run: cost_of(run).total, ("subtree",)),
    "feedback_stats": told(lambda run: feedback_shown(run.feedback), ("feedback",)),
    "app_path": Column(app_path),
}
"""Each by its name."""
