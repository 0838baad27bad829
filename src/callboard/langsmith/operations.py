"""Runs as operations of the LangSmith protocol: create at the start, update at the end."""

from __future__ import annotations

import platform
import sys
from functools import cache
from typing import Any

import callboard
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
        "inputs": run.inputs,
        "events": _events(run),
        "extra": _extra(run),
    }
    if run.serialized is not None:
        parts["serialized"] = run.serialized
    if run.end_time is not None:
        head["end_time"] = run.end_time
        parts.update(_results(run))
    return Operation("create", run.id, head, parts, {})  # To leave {} out takes twice as long.


def update(run: Run) -> Operation:
    """Return the operation that tells a server how a run has ended.

    Args:
        run: The run; what it holds now is what is told, whatever becomes of it.
    """
    head = _place(run)
    head["end_time"] = run.end_time
    parts = {"events": _events(run), "extra": _extra(run), **_results(run)}
    return Operation("update", run.id, head, parts, {})


def update_with_inputs(run: Run) -> Operation:
    """Return the same for a run whose inputs have changed since its start was told.

    Args:
        run: The run; what it holds now is what is told, whatever becomes of it.
    """
    operation = update(run)
    operation.parts["inputs"] = run.inputs
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
    """Return what happened, in a list of its own, which knows its size if there are no details."""
    for event in run.events:
        if len(event) > _PLAIN_EVENT:
            return list(run.events)
    known: list[dict[str, Any]] = measured(run.events, _EVENT_BYTES * len(run.events))
    return known


def _extra(run: Run) -> dict[str, Any]:
    return {**run.extra, "runtime": runtime()}


def _results(run: Run) -> dict[str, Any]:
    results: dict[str, Any] = {}
    if run.outputs is not None:
        results["outputs"] = run.outputs
    if run.error is not None:
        results["error"] = run.error
    return results


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
