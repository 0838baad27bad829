"""The multipart form: a run's small fields in one part, each big field in one of its own.

So a server can tell what a body is about without reading the big ones. Part names say what is
in them (LangSmith protocol: multipart ingest)::

    post.<run id>               the head of a create
    post.<run id>.inputs        a big field of it
    patch.<run id>              the head of an update
    patch.<run id>.outputs      a big field of it
    attachment.<run id>.<name>  a file
    feedback.<feedback id>      feedback
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any
from uuid import UUID, uuid4

from callboard.errors import BadBodyError
from callboard.wire import json
from callboard.wire.heads import identifier
from callboard.wire.intake import DecodedBatch, Limits, read_fields, read_operation
from callboard.wire.operations import (
    KINDS,
    PARTS,
    VERBS,
    Attachment,
    Feedback,
    Kind,
    Operation,
)
from callboard.wire.parts import ReceivedPart, Splitter, boundary_of

__all__ = ["Decoder", "content_type", "decode", "encode", "encode_body", "new_boundary"]

_JSON = "application/json"
_BYTES = "application/octet-stream"
# What would end a name, or its header; and the dot, which clients and servers cut names at.
_UNSAFE = re.compile(r'[."\\\x00-\x1f\x7f]')
_MIME_TYPE = re.compile(r"[\x21-\x7e][\x20-\x7e]*")


def new_boundary() -> str:
    """Return a boundary that stands in no body: 32 random hexadecimal digits."""
    return uuid4().hex


def content_type(boundary: str) -> str:
    """Return the Content-Type of a body with that boundary."""
    return f"multipart/form-data; boundary={boundary}"


def encode_body(operations: Iterable[Operation | Feedback], boundary: str) -> bytes:
    """Return a whole body: see `encode`."""
    return b"".join(encode(operations, boundary))


def encode(operations: Iterable[Operation | Feedback], boundary: str) -> Iterator[bytes]:
    """Yield a body in pieces, big fields as they are.

    Args:
        operations: What is told of runs, and feedback.
        boundary: What separates the parts: see `new_boundary`.
    """
    for operation in operations:
        pieces: list[bytes] = []
        if isinstance(operation, Operation):
            _encode_run(pieces, boundary, operation)
        else:
            fields = {"id": operation.id, **operation.fields}
            name = f"feedback.{operation.id}"
            _encode_part(pieces, boundary, name, _JSON, json.encode(fields))
        yield from pieces
    yield f"--{boundary}--\r\n".encode()


def _encode_run(pieces: list[bytes], boundary: str, operation: Operation) -> None:
    run_id = str(operation.run_id)
    name = f"{VERBS[operation.kind]}.{run_id}"
    head = operation.head
    if "id" not in head:
        head = {"id": run_id, **head}
    _encode_part(pieces, boundary, name, _JSON, json.encode(head))
    parts = operation.parts
    for field in PARTS:
        part = parts.get(field)
        if part is not None:
            data = part if type(part) is bytes else json.encode(part)
            _encode_part(pieces, boundary, f"{name}.{field}", _JSON, data)
    for file, (mime_type, data) in _named_safely(operation.attachments):
        known = _MIME_TYPE.fullmatch(mime_type)
        name = f"attachment.{run_id}.{file}"
        _encode_part(pieces, boundary, name, mime_type if known else _BYTES, data)


def _encode_part(
    pieces: list[bytes], boundary: str, name: str, mime_type: str, data: bytes
) -> None:
    header = (
        f'--{boundary}\r\nContent-Disposition: form-data; name="{name}"\r\n'
        f"Content-Type: {mime_type}\r\nContent-Length: {len(data)}\r\n\r\n"
    )
    pieces += (header.encode(), data, b"\r\n")


def _named_safely(attachments: Mapping[str, Attachment]) -> Iterator[tuple[str, Attachment]]:
    """Yield attachments by names that a part can have: ``notes.txt`` becomes ``notes_txt``."""
    taken: set[str] = set()
    for name, attachment in attachments.items():
        safe = _UNSAFE.sub("_", name).encode("utf-8", "replace").decode()
        while safe in taken:
            safe += "_"
        taken.add(safe)
        yield safe, attachment


_DEFAULT_LIMITS = Limits()
# What clients send of fields that only a run's end will tell: JSON, beyond doubt.
_NOTHING_MUCH = frozenset({b"{}", b"[]", b"null"})


def decode(
    body: bytes | Iterable[bytes], content_type: str, limits: Limits = _DEFAULT_LIMITS
) -> DecodedBatch:
    """Return what a body says.

    Args:
        body: The body, decompressed, whole or in chunks.
        content_type: The Content-Type that came with it.
        limits: How much it may be.

    Raises:
        BodyTooLargeError: There is more of something than there may be.
        BadBodyError: It is no multipart body, or not all of it came.
    """
    decoder = Decoder(content_type, limits)
    for chunk in (body,) if isinstance(body, bytes) else body:
        decoder.feed(chunk)
    return decoder.close()


class Decoder:
    """Reads one body, as it comes in.

    Parts may come in any order. A big field belongs to the last head before it of its run and
    kind, or to the first after it; an attachment to the last head before it of its run. A part
    that can't be taken costs that part, if it is a head its operation.
    """

    def __init__(self, content_type: str, limits: Limits = _DEFAULT_LIMITS) -> None:
        """Await a body.

        Args:
            content_type: The Content-Type that comes with it.
            limits: How much it may be.

        Raises:
            BadBodyError: The Content-Type is another.
        """
        self._limits = limits
        self._splitter = Splitter(boundary_of(content_type), limits)
        self._batch = DecodedBatch()
        # The operation that parts still to come belong to, by the head's name; None if that is
        # refused. Names and ids are text here: UUIDs take long to look up.
        self._operations: dict[str, Operation | None] = {}
        self._last: dict[str, Operation | None] = {}
        # What came before its head.
        self._early_parts: dict[str, dict[str, bytes]] = {}
        self._early_files: dict[str, dict[str, Attachment]] = {}

    def feed(self, chunk: bytes) -> None:
        """Take more of the body.

        Args:
            chunk: The next bytes, any number of them.

        Raises:
            BodyTooLargeError: There is more of something than there may be.
            BadBodyError: It is no multipart body.
        """
        for part in self._splitter.feed(chunk):
            try:
                self._take(part)
            except BadBodyError as error:
                self._batch.refuse(part.name, error)

    def close(self) -> DecodedBatch:
        """Return what the body says, now that all of it came.

        Raises:
            BadBodyError: It did not: a client that went away half-way must send it again.
        """
        if not self._splitter.is_complete:
            raise BadBodyError("The body ends before the boundary that closes it.")
        refuse = self._batch.refuse
        for head, parts in self._early_parts.items():
            for field in parts:
                refuse(f"{head}.{field}", f"the body has no part {head}.")
        for run_id, files in self._early_files.items():
            for name in files:
                refuse(f"attachment.{run_id}.{name}", f"the body has no part of run {run_id}.")
        return self._batch

    def _take(self, part: ReceivedPart) -> None:
        verb, _, rest = part.name.partition(".")
        owner, _, field = rest.partition(".")
        # Letters of ids are as good in capitals.
        owner = owner.lower()
        if verb in KINDS:
            head = f"{verb}.{owner}"
            if field:
                self._take_field(head, field, part)
            else:
                self._take_head(head, KINDS[verb], owner, part)
        elif verb == "attachment" and field:
            self._take_file(owner, field, part)
        elif verb == "feedback":
            self._take_feedback(identifier(owner), part)
        else:
            raise BadBodyError("its name is none that a part of a run or of feedback has.")

    def _take_head(self, head: str, kind: Kind, owner: str, part: ReceivedPart) -> None:
        run_id = identifier(owner)
        # Until it is read, it is a head that is refused.
        self._operations[head] = self._last[owner] = None
        early_parts = self._early_parts.pop(head, {})
        early_files = self._early_files.pop(owner, {})
        fields = read_fields(self._content(part), self._limits)
        operation = read_operation(kind, run_id, fields)
        operation.parts |= early_parts
        operation.attachments |= early_files
        self._operations[head] = self._last[owner] = operation
        self._batch.operations.append(operation)

    def _take_field(self, head: str, field: str, part: ReceivedPart) -> None:
        if field not in PARTS:
            return  # As unknown fields of a head are: a later client's, perhaps.
        operation = self._operations.get(head)
        if operation is None:
            if head in self._operations:
                return  # It goes with its head, of which that has been said.
            identifier(head.partition(".")[2])
        data = self._content(part)
        if data not in _NOTHING_MUCH:
            data, _ = json.read_clean(data, self._limits.json_depth)
        if data == b"null":
            return  # Nothing is said of the field.
        parts = self._early_parts.setdefault(head, {}) if operation is None else operation.parts
        parts[field] = data

    def _take_file(self, owner: str, name: str, part: ReceivedPart) -> None:
        attachment = Attachment(part.content_type, self._content(part))
        operation = self._last.get(owner)
        if operation is not None:
            operation.attachments[name] = attachment
        elif owner not in self._last:
            identifier(owner)
            self._early_files.setdefault(owner, {})[name] = attachment

    def _take_feedback(self, feedback_id: UUID, part: ReceivedPart) -> None:
        fields: dict[str, Any] = read_fields(self._content(part), self._limits)
        if identifier(fields.setdefault("id", str(feedback_id))) != feedback_id:
            raise BadBodyError(f"its id is {fields['id']}, but it is named for {feedback_id}.")
        self._batch.feedback.append(Feedback(feedback_id, fields))

    def _content(self, part: ReceivedPart) -> bytes:
        if part.data is None:
            raise BadBodyError(f"a part takes {self._limits.part_bytes} bytes, and it has more.")
        return part.data
