"""Runs as operations of the LangSmith protocol: create at the start, update at the end.

The application's thread only copies what is told; the rest is done when it is sent.
"""

from __future__ import annotations

from datetime import datetime
from operator import attrgetter
from typing import Any, NamedTuple
from uuid import UUID

from callboard.langsmith.runtime import environment_metadata, runtime
from callboard.tracing.run import Run
from callboard.wire.operations import (
    ENVELOPE,
    PART_HEADER,
    Content,
    LateOperation,
    size_of,
)

__all__ = ["begin", "create", "retold", "update", "update_with_inputs"]

# The protocol has no type of its own for chat models.
_RUN_TYPES = {"chat_model": "llm"}
# The runs of which it is told what they are; others have names.
_SERIALIZED = frozenset({"llm", "chat_model", "prompt"})


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

_ENDS = frozenset({"end", "error"})

# About how many bytes an event takes besides what it tells; and what every operation has: the
# head, the parts' headers, the runtime and two events.
_EVENT_BYTES = 50
_BYTES = ENVELOPE + 5 * PART_HEADER + 400


def _told(run: Run) -> tuple[Any, ...]:
    # A plain tuple: to make the named one takes the application longer than all else here.
    extra = run.extra.copy()
    metadata = extra.get("metadata")
    if isinstance(metadata, dict):
        extra["metadata"] = metadata.copy()
    return (*_read_values(run), tuple(run.tags), tuple(run.events), extra)


def create(run: Run) -> LateOperation:
    """Return the operation that tells a server that a run has started.

    Args:
        run: The run; what it holds now is what is told, whatever becomes of it.
    """
    return LateOperation("create", run.id, _read_create, *retold(run))


def begin(run: Run) -> LateOperation:
    """Return the same, for an exporter that can be told of the run anew: see `retold`.

    Args:
        run: The run; what it holds when the operation is sent is what is told, but for its end.
    """
    return LateOperation("create", run.id, _read_create, run, _whole_size(run))


def retold(run: Run) -> tuple[Any, int]:
    """Return what `begin` is to tell of a run that has ended before that was sent, and its size.

    Args:
        run: The run; what it holds now is what is told, whatever becomes of it.
    """
    return _told(run), _whole_size(run)


def _whole_size(run: Run) -> int:
    size = _size(run) + size_of(run.inputs)
    if run.serialized is not None and run.run_type in _SERIALIZED:
        size += size_of(run.serialized)
    return size


def update(run: Run) -> LateOperation:
    """Return the operation that tells a server how a run has ended.

    Args:
        run: The run; what it holds now is what is told, whatever becomes of it.
    """
    return LateOperation("update", run.id, _read_update, _told(run), _size(run))


def update_with_inputs(run: Run) -> LateOperation:
    """Return the same for a run whose inputs have changed since its start was told.

    Args:
        run: The run; what it holds now is what is told, whatever becomes of it.
    """
    size = _size(run) + size_of(run.inputs)
    return LateOperation("update", run.id, _read_update_with_inputs, _told(run), size)


def _size(run: Run) -> int:
    """Return about how many bytes is told of a run but for its inputs."""
    size = _BYTES
    if run.extra:
        size += size_of(run.extra)
    if run.end_time is None:
        return size
    if run.outputs:
        size += size_of(run.outputs)
    if len(run.events) > 2:  # Between start and end there may be some with details.
        size += sum(_EVENT_BYTES + size_of(event) for event in run.events)
    return size if run.error is None else size + size_of(run.error)


def _read_create(values: tuple[Any, ...] | Run) -> Content:
    told = _begun(values) if isinstance(values, Run) else _Told(*values)
    head = _place(told)
    head["reference_example_id"] = told.reference_example_id
    parts = _parts(told)
    parts["inputs"] = told.inputs
    if isinstance(told.serialized, dict) and told.run_type in _SERIALIZED:
        # What a component is made of may be drawn in it, which is as big as it is useless here.
        parts["serialized"] = {
            name: value for name, value in told.serialized.items() if name != "graph"
        }
    return head, parts


def _begun(run: Run) -> _Told:
    """Return what is told of a run as one that goes on, though it may have ended meanwhile.

    Of its end another operation tells, which may have to go through more than this one.
    """
    told = _Told(*_told(run))  # The values of one moment: they are read in one step.
    events = tuple(event for event in told.events if event.get("name") not in _ENDS)
    return told._replace(end_time=None, outputs=None, error=None, events=events)


def _read_update(values: tuple[Any, ...]) -> Content:
    told = _Told(*values)
    return _place(told), _parts(told)


def _read_update_with_inputs(values: tuple[Any, ...]) -> Content:
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
        "events": [_event(each) for each in told.events],
        "extra": _extra(told.extra),
    }
    if told.end_time is not None:
        parts["outputs"] = {} if told.outputs is None else told.outputs
        if told.error is not None:
            parts["error"] = told.error
    return parts


def _event(event: dict[str, Any]) -> dict[str, Any]:
    """Return an event as it is told; of a token, that it came: what it says is in the outputs."""
    if event.get("name") != "new_token" or "kwargs" not in event:
        return event
    return {name: value for name, value in event.items() if name != "kwargs"}


def _extra(extra: dict[str, Any]) -> dict[str, Any]:
    told = {"runtime": runtime(), **extra}
    own = extra.get("metadata") or {}
    environment = environment_metadata()
    if environment and isinstance(own, dict):
        told["metadata"] = {**environment, **own}
    return told
