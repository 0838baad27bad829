"""Records: one operation as bytes, and back.

A header of one line of JSON says what follows it and how long each piece is; then come the big
fields, which are JSON already, and the files::

    {"kind": "create", "run_id": ..., "head": {...}, "parts": [[name, length], ...],
     "attachments": [[name, mime type, length], ...]}
    the pieces, in that order

Read back, big fields stay bytes: they are sent as they were written.
"""

from __future__ import annotations

from typing import Any
from uuid import UUID

from callboard.wire import json
from callboard.wire.operations import Attachment, Operation

__all__ = ["operation_from", "record_of"]


def record_of(operation: Operation) -> bytes:
    """Return an operation as bytes."""
    parts = {
        name: part if type(part) is bytes else json.encode(part)
        for name, part in operation.parts.items()
        if part is not None
    }
    files = operation.attachments
    header = {
        "kind": operation.kind,
        "run_id": operation.run_id,
        "head": operation.head,
        "parts": [[name, len(data)] for name, data in parts.items()],
        "attachments": [[name, each.mime_type, len(each.data)] for name, each in files.items()],
    }
    return b"".join(
        (json.encode(header), b"\n", *parts.values(), *(each.data for each in files.values()))
    )


def operation_from(record: bytes) -> Operation:
    """Return the operation that a record holds.

    Args:
        record: As `record_of` made it.

    Raises:
        ValueError: It is not one.
    """
    line, _, rest = record.partition(b"\n")
    header: Any = json.decode(line)
    try:
        taken = 0
        parts: dict[str, bytes] = {}
        for name, length in header["parts"]:
            parts[name] = rest[taken : taken + length]
            taken += length
        attachments: dict[str, Attachment] = {}
        for name, mime_type, length in header["attachments"]:
            attachments[name] = Attachment(mime_type, rest[taken : taken + length])
            taken += length
        if taken != len(rest):
            raise ValueError("A record's pieces are not as long as its header says.")
        run_id = UUID(header["run_id"])
        return Operation(header["kind"], run_id, header["head"], parts, attachments)
    except (AttributeError, KeyError, TypeError) as error:
        raise ValueError(f"A record's header is not one: {error!r}.") from None
