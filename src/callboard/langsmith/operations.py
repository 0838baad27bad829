"""Runs as operations of the LangSmith protocol: create at the start, update at the end."""

from __future__ import annotations

import platform
import sys
from functools import cache
from typing import Any

import callboard
from callboard.langsmith import settings
from callboard.tracing.capture import capture_measured
from callboard.tracing.run import Run
from callboard.wire.operations import Operation, measured

__all__ = ["create", "update", "update_with_inputs"]

# The protocol has no type of its own for chat models.
_RUN_TYPES = {"chat_model": "llm"}


# What every event has, and about how many bytes that takes.
_PLAIN_EVENT = 2
_EVENT_BYTES = 70


def create(run: Run) -> Operation:
    """Return the operation that tells a server that a run has started.

    Args:
        run: The run; what it holds now is what is told, whatever becomes of it.
    """
    head = _place(run)
    head["reference_example_id"] = run.reference_example_id
    parts: dict[str, Any] = {
        "inputs": {} if settings.hides("INPUTS") else run.inputs,
        "events": _events(run),
        "extra": _extra(run),
    }
    if run.serialized is not None:
        parts["serialized"] = run.serialized
    if run.end_time is not None:
        head["end_time"] = run.end_time
        _add_results(parts, run)
    return Operation("create", run.id, head, parts, {})  # To leave {} out takes twice as long.


def update(run: Run) -> Operation:
    """Return the operation that tells a server how a run has ended.

    Args:
        run: The run; what it holds now is what is told, whatever becomes of it.
    """
    head = _place(run)
    head["end_time"] = run.end_time
    parts: dict[str, Any] = {"events": _events(run), "extra": _extra(run)}
    _add_results(parts, run)
    return Operation("update", run.id, head, parts, {})


def update_with_inputs(run: Run) -> Operation:
    """Return the same for a run whose inputs have changed since its start was told.

    Args:
        run: The run; what it holds now is what is told, whatever becomes of it.
    """
    operation = update(run)
    operation.parts["inputs"] = {} if settings.hides("INPUTS") else run.inputs
    return operation


def _place(run: Run) -> dict[str, Any]:
    return {
        "id": run.id,
        "trace_id": run.trace_id,
        "dotted_order": run.dotted_order,
        "parent_run_id": run.parent_run_id,
        "name": run.name,
        "run_type": _RUN_TYPES.get(run.run_type, run.run_type),
        "start_time": run.start_time,
        "tags": list(run.tags),
        "session_name": run.session_name,
    }


def _events(run: Run) -> list[dict[str, Any]]:
    """Return what happened; of hidden outputs, only when their first token came."""
    if not settings.hides("OUTPUTS"):
        return _measured_events(run.events)
    return [{"name": event["name"], "time": event["time"]} for event in run.events]


def _measured_events(events: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return events in a list of its own, which knows its size if they have no details."""
    for event in events:
        if len(event) > _PLAIN_EVENT:
            return list(events)
    known: list[dict[str, Any]] = measured(events, _EVENT_BYTES * len(events))
    return known


def _extra(run: Run) -> dict[str, Any]:
    """Return what else is told; of hidden metadata, only the tokens that were used."""
    extra = {**run.extra, "runtime": runtime()}
    if settings.hides("METADATA"):
        usage = run.metadata.get("usage_metadata")
        extra["metadata"] = {} if usage is None else {"usage_metadata": usage}
    return extra


def _add_results(parts: dict[str, Any], run: Run) -> None:
    if run.outputs is not None:
        parts["outputs"] = {} if settings.hides("OUTPUTS") else run.outputs
    if run.error is not None:
        parts["error"] = run.error


@cache
def runtime() -> dict[str, str]:
    """Return what the process runs on, which every run tells."""
    told: dict[str, str] = capture_measured(
        {
            "sdk": "callboard-py",
            "sdk_version": callboard.__version__,
            "library": "callboard",
            "platform": platform.platform(),
            "runtime": "python",
            "runtime_version": sys.version.split()[0],
        }
    )
    return told
