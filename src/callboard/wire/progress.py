"""Progress: what running models have said so far, as lines of JSON; ``docs/live.md`` is the law.

This is Callboard's own addition to the protocol. A server that takes it says so at ``/info``.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from callboard.errors import BadBodyError, BodyTooLargeError
from callboard.wire import json

__all__ = ["CONTENT_TYPE", "MAX_BODY", "MAX_MESSAGES", "MAX_TEXT", "Progress", "decode", "encode"]

CONTENT_TYPE = "application/x-ndjson"
MAX_BODY = 2 * 1024 * 1024
"""Bytes that a body may have."""
MAX_MESSAGES = 1000
"""Messages that a body may have."""
MAX_TEXT = 16_000
"""Characters that the text of one message may have."""


@dataclass(frozen=True, slots=True)
class Progress:
    """A piece of what a running model says.

    Attributes:
        run_id: The model's run.
        trace_id: The trace that it is in.
        sequence: 0 for the first piece of a run, and one more for each after it, also for those
            that were not sent.
        offset: How many characters (code points) the model had said before this piece.
        text: What it said then.
        start_time: When the run started, aware.
        session_name: The project that the run belongs to.
    """

    run_id: UUID
    trace_id: UUID
    sequence: int
    offset: int
    text: str
    start_time: datetime
    session_name: str


def encode(messages: Iterable[Progress]) -> bytes:
    """Return messages as a body, a line each.

    Args:
        messages: No more than fit into one.
    """
    return b"".join(json.encode(_fields(each)) + b"\n" for each in messages)


def _fields(message: Progress) -> dict[str, Any]:
    return {name: getattr(message, name) for name in Progress.__slots__}


def decode(body: bytes) -> list[Progress]:
    """Return the messages of a body, in order.

    Args:
        body: As it came.

    Raises:
        BadBodyError: A line is no message.
        BodyTooLargeError: It has too many bytes or messages, or one of them too much text.
    """
    lines = body.splitlines()
    if len(body) > MAX_BODY or len(lines) > MAX_MESSAGES:
        raise BodyTooLargeError(
            f"Progress of {len(body)} bytes in {len(lines)} lines; accepted are {MAX_BODY} bytes "
            f"in {MAX_MESSAGES} lines."
        )
    return [_message(number, line) for number, line in enumerate(lines, 1) if line.strip()]


def _message(number: int, line: bytes) -> Progress:
    told: Any = json.decode(line)
    try:
        message = Progress(
            UUID(told["run_id"]),
            UUID(told["trace_id"]),
            _count(told["sequence"]),
            _count(told["offset"]),
            _text(told["text"]),
            datetime.fromisoformat(told["start_time"]),
            _text(told["session_name"]),
        )
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise BadBodyError(f"Line {number} of the progress is no message: {error!r}.") from None
    if len(message.text) > MAX_TEXT:
        raise BodyTooLargeError(
            f"Line {number} of the progress has {len(message.text)} characters of text; accepted "
            f"are {MAX_TEXT}."
        )
    return message


def _count(value: Any) -> int:
    if type(value) is not int or value < 0:
        raise ValueError(f"{value!r} is not a count")
    return value


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError(f"{value!r} is not text")
    return value
