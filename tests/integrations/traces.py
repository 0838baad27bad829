"""Traces that have arrived at a server, as text: the same from every run of a program.

Ids and times are left out, and runs under one parent are in the order of their text, as
branches end as they please.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable
from typing import Any, TypeAlias
from uuid import UUID

from callboard.wire import json
from callboard.wire.operations import Operation, merge
from tests.unit.wire.langsmith_server import Request, decoded


def runs_in(requests: list[Request]) -> dict[UUID, Operation]:
    """Merge what has arrived to runs, by id."""
    batch = decoded([each for each in requests if "/runs/" in each.path])
    assert not batch.refusals, batch.refusals
    runs: dict[UUID, Operation] = {}
    for operation in batch.operations:
        known = runs.get(operation.run_id)
        runs[operation.run_id] = operation if known is None else merge(known, operation)
    return runs


def as_text(requests: list[Request], *, values: bool = False) -> str:
    """Return all traces that have arrived, each with the runs inside it.

    Args:
        requests: What has arrived.
        values: Whether inputs and outputs are compared, or their names alone. The SDK sends what
            a value has become by the time that it is sent.
    """
    runs = runs_in(requests)
    inside: dict[str | None, list[Operation]] = defaultdict(list)
    for run in runs.values():
        parent = run.head.get("parent_run_id")
        check_place(run, runs.get(UUID(parent)) if parent else None)
        inside[parent].append(run)
    return "\n".join(trees(None, inside, plain if values else sorted))


def check_place(run: Operation, parent: Operation | None) -> None:
    """Check that a run is where its parent says."""
    order, own_id = run.head["dotted_order"], str(run.run_id)
    assert order.endswith(own_id)
    if parent is None:
        assert run.head["trace_id"] == own_id, run.head
    else:
        assert run.head["trace_id"] == parent.head["trace_id"]
        assert order.startswith(parent.head["dotted_order"] + ".")


Show: TypeAlias = Callable[[dict[str, Any]], Any]


def trees(parent: str | None, inside: dict[str | None, list[Operation]], show: Show) -> list[str]:
    return sorted(
        "\n".join([line(run, show), *("  " + each.replace("\n", "\n  ") for each in below)])
        for run in inside[parent]
        for below in [trees(str(run.run_id), inside, show)]
    )


def line(run: Operation, show: Show) -> str:
    head, parts = run.head, {name: json.decode(part) for name, part in run.parts.items()}
    metadata = parts["extra"].get("metadata", {})
    return " ".join(
        str(each)
        for each in (
            head["run_type"],
            repr(head["name"]),
            "over" if head.get("end_time") else "pending",
            (parts.get("error") or "").partition("(")[0],
            head.get("session_name"),
            head.get("address"),
            sorted(head.get("tags") or []),
            [event["name"] for event in parts.get("events") or []],
            show(parts.get("inputs") or {}),
            show(parts.get("outputs") or {}),
            told(metadata),
        )
    )


_ID = re.compile("[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
# Whose class it is depends on whether ours are in place.
_OBJECT = re.compile(r"<(?:callboard|langchain_core)[\w.]*\.(\w+) object at 0x[0-9a-f]+>")


def plain(values: dict[str, Any]) -> str:
    """Return inputs or outputs as text; what runs side by side adds to them in any order."""
    return _OBJECT.sub(r"<\1>", _ID.sub("...", str(sorted(values.items()))))


def told(metadata: dict[str, Any]) -> dict[str, Any]:
    return {
        name: _ID.sub("...", str(value))
        for name, value in sorted(metadata.items())
        if name != "LANGSMITH_ENDPOINT"  # Each has a server of its own.
    }
