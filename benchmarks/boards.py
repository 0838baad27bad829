"""Our server, as it is measured, and what the langsmith SDK would send it."""

from __future__ import annotations

import socket
import sys
from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path

from benchmarks.processes import Body, Process
from benchmarks.traces import Made
from callboard.wire import compression, multipart
from callboard.wire.operations import Operation

__all__ = ["board", "create", "free_port", "multipart_bodies", "update"]

PER_REQUEST = 100
"""How many operations the SDK sends at once."""


def board(database: Path) -> Process:
    """Start our server on a file."""
    port = free_port()
    command = [sys.executable, "-m", "callboard", "serve", "--port", str(port)]
    return Process([*command, "--db", str(database)], f"http://127.0.0.1:{port}")


def free_port() -> int:
    """Return a port that nobody listens at."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def multipart_bodies(traces: Iterable[list[Made]], project: str) -> Iterator[Body]:
    """Yield what the SDK sends: the creates of some traces, then their updates."""
    runs = (run for trace in traces for run in trace)
    while some := list(islice(runs, PER_REQUEST)):
        yield _body([create(run, project) for run in some])
        yield _body([update(run, project) for run in some])


def _body(operations: list[Operation]) -> Body:
    boundary = multipart.new_boundary()
    data = b"".join(compression.compress(multipart.encode(operations, boundary)))
    headers = {"Content-Type": multipart.content_type(boundary), "Content-Encoding": "zstd"}
    return Body("/runs/multipart", headers, data)


def create(run: Made, project: str) -> Operation:
    """Return what is told of a run when it starts."""
    parts = {"inputs": run.inputs, "outputs": b"{}", "events": b"[]", "extra": run.extra}
    return Operation("create", run.id, _head(run, project), parts)


def update(run: Made, project: str) -> Operation:
    """Return what is told of a run when it has ended."""
    head = {**_head(run, project), "end_time": run.end.isoformat()}
    parts = {"events": b"[]", "extra": run.extra}
    if run.outputs:
        parts["outputs"] = run.outputs
    if run.error is not None:
        parts["error"] = f'"{run.error}"'.encode()
    return Operation("update", run.id, head, parts)


def _head(run: Made, project: str) -> dict[str, object]:
    return {
        "id": str(run.id),
        "trace_id": str(run.trace_id),
        "parent_run_id": None if run.parent_id is None else str(run.parent_id),
        "dotted_order": run.dotted_order,
        "name": run.name,
        "run_type": run.run_type,
        "start_time": run.start.isoformat(),
        "session_name": project,
        "tags": run.tags,
    }
