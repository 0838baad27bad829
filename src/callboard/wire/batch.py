"""The JSON forms: a batch of runs in one object, and a single run.

They are what servers without the multipart form take, and what clients send for runs that have
no place in a trace (LangSmith protocol: JSON batch, single runs). Neither has room for
attachments or feedback.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any
from uuid import UUID

from callboard.errors import BadBodyError, BodyTooLargeError
from callboard.wire import json
from callboard.wire.heads import identifier
from callboard.wire.intake import DecodedBatch, Limits, read_fields, read_operation
from callboard.wire.operations import KINDS, PARTS, VERBS, Kind, Operation

__all__ = ["decode", "decode_run", "encode", "encode_run"]

_DEFAULT_LIMITS = Limits()


def encode(operations: Iterable[Operation]) -> bytes:
    """Return the body of a batch, without the attachments.

    Args:
        operations: What is told of runs.
    """
    runs: dict[Kind, list[bytes]] = {"create": [], "update": []}
    for operation in operations:
        runs[operation.kind].append(encode_run(operation))
    lists = [
        b'"%s":[%s]' % (VERBS[kind].encode(), b",".join(members)) for kind, members in runs.items()
    ]
    return b"{%s}" % b",".join(lists)


def encode_run(operation: Operation) -> bytes:
    """Return an operation as one JSON object, without its attachments.

    Args:
        operation: What is told of a run.
    """
    head = operation.head
    if "id" not in head:
        head = {"id": operation.run_id, **head}
    pieces = [json.encode(head)[:-1]]  # Without its closing brace.
    for name in PARTS:
        part = operation.parts.get(name)
        if part is not None:
            data = part if type(part) is bytes else json.encode(part)
            pieces.append(b'"%s":%s' % (name.encode(), data))
    return b",".join(pieces) + b"}"


def decode(body: bytes, limits: Limits = _DEFAULT_LIMITS) -> DecodedBatch:
    """Return what the body of a batch says: its creates, then its updates.

    Args:
        body: ``{"post": [...], "patch": [...]}``, either of which may be missing.
        limits: How much it may be; `Limits.parts` is how many runs.

    Raises:
        BodyTooLargeError: There is more of something than there may be.
        BadBodyError: It is no such object.
    """
    fields = _whole_body(body, limits)
    batch = DecodedBatch()
    count = 0
    for verb, kind in KINDS.items():
        runs = fields.get(verb)
        if runs is None:
            continue
        if not isinstance(runs, list):
            raise BadBodyError(f"The body's {verb} is no list of runs.")
        count += len(runs)
        if count > limits.parts:
            raise BodyTooLargeError(f"A batch takes {limits.parts} runs, and this has more.")
        for index, run in enumerate(runs):
            try:
                batch.operations.append(_read_run(kind, run, None))
            except BadBodyError as error:
                batch.refuse(f"{verb}[{index}]", error)
    return batch


def decode_run(
    body: bytes, kind: Kind, run_id: UUID | None = None, limits: Limits = _DEFAULT_LIMITS
) -> Operation:
    """Return what the body of a single run says.

    Args:
        body: The run, as one JSON object.
        kind: Whether it was posted or patched.
        run_id: The run's id, if it is named outside of the body.
        limits: How much it may be.

    Raises:
        BodyTooLargeError: It is bigger than it may be.
        BadBodyError: It is no such object, or a field has a value that it does not take.
    """
    fields = _whole_body(body, limits)
    try:
        return _read_run(kind, fields, run_id)
    except BadBodyError as error:
        raise BadBodyError(f"The run is refused: {error}") from None


def _whole_body(body: bytes, limits: Limits) -> dict[str, Any]:
    limits.check_body(len(body))
    try:
        return read_fields(body, limits)
    except BadBodyError as error:
        raise BadBodyError(f"The body is refused: {error}") from None


def _read_run(kind: Kind, run: Any, run_id: UUID | None) -> Operation:
    if not isinstance(run, dict):
        raise BadBodyError("it is no object.")
    if run_id is None:
        run_id = identifier(run.get("id"))
    return read_operation(kind, run_id, run)
