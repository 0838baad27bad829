"""The same traces as OpenTelemetry's protobuf, for servers that take nothing else.

Written by hand: five messages of it are needed, and no package for them.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from datetime import datetime
from itertools import islice

from benchmarks.processes import Body
from benchmarks.traces import Made

__all__ = ["otlp_bodies"]

PER_REQUEST = 100
_KINDS = {"chain": "CHAIN", "llm": "LLM", "tool": "TOOL", "retriever": "RETRIEVER"}


def otlp_bodies(traces: Iterable[list[Made]], headers: dict[str, str]) -> Iterator[Body]:
    """Yield requests of spans, each sent when it has ended, as OpenTelemetry does.

    Args:
        traces: What ran.
        headers: More headers.
    """
    runs = (run for trace in traces for run in trace)
    told = {"Content-Type": "application/x-protobuf", **headers}
    while some := list(islice(runs, PER_REQUEST)):
        spans = b"".join(_field(2, _span(run)) for run in some)
        yield Body("/v1/traces", told, _field(1, _field(2, spans)))


def _span(run: Made) -> bytes:
    attributes = {
        "openinference.span.kind": _KINDS.get(run.run_type, "CHAIN"),
        "input.value": run.inputs.decode(),
        "input.mime_type": "application/json",
        "output.value": run.outputs.decode(),
        "output.mime_type": "application/json",
        "metadata": json.dumps(run.metadata),
        "tag.tags": json.dumps(run.tags),
        "session.id": run.metadata["thread_id"],
    }
    usage = run.usage or {}
    counts = {
        "llm.token_count.prompt": usage.get("input_tokens"),
        "llm.token_count.completion": usage.get("output_tokens"),
        "llm.token_count.total": usage.get("total_tokens"),
    }
    return b"".join(
        [
            _field(1, run.trace_id.bytes),
            _field(2, run.id.bytes[:8]),
            b"" if run.parent_id is None else _field(4, run.parent_id.bytes[:8]),
            _field(5, run.name.encode()),
            _key(6, 0) + _varint(1),
            _moment(7, run.start),
            _moment(8, run.end),
            *(_attribute(key, _field(1, value.encode())) for key, value in attributes.items()),
            *(_attribute(key, _key(3, 0) + _varint(n)) for key, n in counts.items() if n),
            _field(15, _status(run)),
        ]
    )


def _status(run: Made) -> bytes:
    if run.error is None:
        return _key(3, 0) + _varint(1)
    return _field(2, run.error.encode()) + _key(3, 0) + _varint(2)


def _attribute(key: str, value: bytes) -> bytes:
    return _field(9, _field(1, key.encode()) + _field(2, value))


def _moment(number: int, moment: datetime) -> bytes:
    return _key(number, 1) + int(moment.timestamp() * 1e9).to_bytes(8, "little")


def _field(number: int, data: bytes) -> bytes:
    return _key(number, 2) + _varint(len(data)) + data


def _key(number: int, form: int) -> bytes:
    return _varint(number << 3 | form)


def _varint(value: int) -> bytes:
    said = bytearray()
    while value > 0x7F:
        said.append(value & 0x7F | 0x80)
        value >>= 7
    said.append(value)
    return bytes(said)
