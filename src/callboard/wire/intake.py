"""Intake: what is taken of a body, what is refused of it and why, and how much it may be.

One bad operation among good ones is refused alone: clients send hundreds of runs in a body, and
drop all of them if it is refused as a whole.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from callboard.errors import BadBodyError, BodyTooLargeError
from callboard.wire import json
from callboard.wire.heads import checked
from callboard.wire.operations import PARTS, Feedback, Kind, Operation

__all__ = ["DecodedBatch", "Limits", "Refusal", "read_fields", "read_operation"]


@dataclass(frozen=True, slots=True)
class Limits:
    """How much a body may be.

    Clients send about 20 MB at a time, but one operation that is bigger goes out as it is
    (LangSmith protocol: multipart ingest); so the limits are some times that.

    Attributes:
        body_bytes: The whole body, decompressed.
        part_bytes: One part of it. A bigger one is refused alone.
        parts: How many parts.
        header_bytes: The headers of one part.
        json_depth: How many containers deep JSON may be. A deeper part is refused alone.
    """

    body_bytes: int = 256 * 1024 * 1024
    part_bytes: int = 64 * 1024 * 1024
    parts: int = 20_000
    header_bytes: int = 8 * 1024
    json_depth: int = 200

    def check_body(self, size: int) -> None:
        """Raise if a body is too big.

        Args:
            size: How many bytes there are of it so far.

        Raises:
            BodyTooLargeError: These are too many.
        """
        if size > self.body_bytes:
            raise BodyTooLargeError(f"A body takes {self.body_bytes} bytes, and this has more.")


@dataclass(frozen=True, slots=True)
class Refusal:
    """A part of a body that was not taken.

    Attributes:
        part: What the client calls it, such as ``"post.<run id>.inputs"``.
        reason: A sentence for the client's developer, which names the part.
    """

    part: str
    reason: str


@dataclass(slots=True)
class DecodedBatch:
    """What came in a body.

    Attributes:
        operations: What is told of runs, in the order of the body. Their parts are bytes:
            JSON, as it came if it is JSON that every reader takes.
        feedback: Feedback, in the order of the body.
        refusals: What was not taken.
    """

    operations: list[Operation] = field(default_factory=list)
    feedback: list[Feedback] = field(default_factory=list)
    refusals: list[Refusal] = field(default_factory=list)

    def refuse(self, part: str, reason: BadBodyError | str) -> None:
        """Note that a part is not taken.

        Args:
            part: What the client calls it.
            reason: Why, in a clause that follows on the part's name.
        """
        named = f"The part {part}" if part else "A part without a name"
        self.refusals.append(Refusal(part, f"{named} is refused: {reason}"))


def read_fields(data: bytes, limits: Limits) -> dict[str, Any]:
    """Return the fields of a JSON object.

    Args:
        data: JSON in UTF-8.
        limits: How deep it may be.

    Raises:
        BadBodyError: It is no JSON, no object, or nested too deeply.
    """
    _, fields = json.read_clean(data, limits.json_depth)
    if isinstance(fields, dict):
        return fields
    raise BadBodyError("it is JSON, but no object.")


def read_operation(kind: Kind, run_id: UUID, fields: Mapping[str, Any]) -> Operation:
    """Return the operation that a run's fields tell.

    Big fields are taken from among them too: that is the form of single runs and of JSON
    batches. Attachments are not: they come only as parts of their own.

    Args:
        kind: Whether it creates the run or updates it.
        run_id: Which run.
        fields: What is told, by name.

    Raises:
        BadBodyError: A field has a value that it does not take.
    """
    parts = {name: json.encode(fields[name]) for name in PARTS if fields.get(name) is not None}
    return Operation(kind, run_id, checked(fields, run_id), parts)
