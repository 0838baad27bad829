"""Runs as operations of the LangSmith protocol: create at the start, update at the end.

The application's thread only copies what is told; the rest is done when it is sent.
"""

from __future__ import annotations

import platform
import sys
from datetime import datetime
from functools import cache
from operator import attrgetter
from typing import Any, NamedTuple
from uuid import UUID

import callboard
from callboard.tracing.run import Run
from callboard.wire.operations import (
    ENVELOPE,
    PART_HEADER,
    LateOperation,
    Operation,
    size_of,
)

__all__ = ["create", "update", "update_with_inputs"]

# The protocol has no type of its own for chat models.
_RUN_TYPES = {"chat_model": "llm"}


class _Told(NamedTuple):
    """What is told of a run, as it was at the moment of an event."""

    id: UUID
    trace_id: UUID
    dotted_order: str
    parent_run_id: UUID | None
    name: str
    run_type: str
    start_time: datetime
    end_time: datetime | None
    session_name: str | None
    reference_example_id: UUID | None
    inputs: dict[str, Any]
    outputs: dict[str, Any] | None
    error: str | None
    serialized: dict[str, Any] | None
    tags: tuple[str, ...]
    events: tuple[dict[str, Any], ...]
    extra: dict[str, Any]


# What changes by being replaced, and needs no copy.
_read_values = attrgetter(*_Told._fields[:-3])

# About how many bytes an event takes that has no details, and how many entries it has; and the
# head, parts' headers and runtime that every operation has.
_EVENT_BYTES, _PLAIN_EVENT = 70, 2
_BYTES = ENVELOPE + 5 * PART_HEADER + 256


def _told(run: Run) -> tuple[Any, ...]:
    # A plain tuple: to make the named one takes the application longer than all else here.
    return (*_read_values(run), tuple(run.tags), tuple(run.events), run.extra.copy())


def create(run: Run) -> Operation:
    """Return the operation that tells a server that a run has started.

    Args:
        run: The run; what it holds now is what is told, whatever becomes of it.
    """
    size = _size(run) + size_of(run.inputs)
    if run.serialized is not None:
        size += size_of(run.serialized)
    return LateOperation("create", run.id, _read_create, _told(run), size)


def update(run: Run) -> Operation:
    """Return the operation that tells a server how a run has ended.

    Args:
        run: The run; what it holds now is what is told, whatever becomes of it.
    """
    return LateOperation("update", run.id, _read_update, _told(run), _size(run))


def update_with_inputs(run: Run) -> Operation:
    """Return the same for a run whose inputs have changed since its start was told.

    Args:
        run: The run; what it holds now is what is told, whatever becomes of it.
    """
    size = _size(run) + size_of(run.inputs)
    return LateOperation("update", run.id, _read_update_with_inputs, _told(run), size)


def _size(run: Run) -> int:
    """Return about how many bytes is told of a run but for its inputs."""
    events = run.events
    size = _BYTES + _EVENT_BYTES * len(events)
    if run.extra:
        size += size_of(run.extra)
    if len(events) > 2:  # Between start and end there may be some with details.
        size += sum(size_of(event) for event in events if len(event) > _PLAIN_EVENT)
    if run.outputs is not None:
        size += size_of(run.outputs)
    return size if run.error is None else size + size_of(run.error)


def _read_create(values: tuple[Any, ...]) -> tuple[dict[str, Any], dict[str, Any]]:
    told = _Told(*values)
    head = _place(told)
    head["reference_example_id"] = told.reference_example_id
    parts = _parts(told)
    parts["inputs"] = told.inputs
    if told.serialized is not None:
        parts["serialized"] = told.serialized
    return head, parts


def _read_update(values: tuple[Any, ...]) -> tuple[dict[str, Any], dict[str, Any]]:
    told = _Told(*values)
    return _place(told), _parts(told)


def _read_update_with_inputs(values: tuple[Any, ...]) -> tuple[dict[str, Any], dict[str, Any]]:
    told = _Told(*values)
    return _place(told), _parts(told) | {"inputs": told.inputs}


def _place(told: _Told) -> dict[str, Any]:
    head = {
        "id": told.id,
        "trace_id": told.trace_id,
        "dotted_order": told.dotted_order,
        "parent_run_id": told.parent_run_id,
        "name": told.name,
        "run_type": _RUN_TYPES.get(told.run_type, told.run_type),
        "start_time": told.start_time,
        "tags": list(told.tags),
        "session_name": told.session_name,
    }
    if told.end_time is not None:
        head["end_time"] = told.end_time
    return head


def _parts(told: _Told) -> dict[str, Any]:
    parts: dict[str, Any] = {
        "events": list(told.events),
        "extra": {"runtime": runtime(), **told.extra},
    }
    if told.end_time is not None:
        if told.outputs is not None:
            parts["outputs"] = told.outputs
        if told.error is not None:
            parts["error"] = told.error
    return parts


@cache
def runtime() -> dict[str, str]:
    """Return what the process runs on, which every run tells."""
    return {
        "sdk": "callboard-py",
        "sdk_version": callboard.__version__,
        "library": "callboard",
        "platform": platform.platform(),
        "runtime": "python",
        "runtime_version": sys.version.split()[0],
    }
