"""What follows from what is told of a run: pure, and the same for every store.

Parts are decoded here and nowhere else on their way into a store, and only those from which
something follows.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from callboard.clock import microseconds, moment_at
from callboard.errors import BadBodyError
from callboard.store.previews import preview
from callboard.store.records import Status
from callboard.wire import json
from callboard.wire.orders import moment

__all__ = [
    "ERROR_LENGTH",
    "error_of",
    "first_token_us",
    "metadata_of",
    "microseconds_of",
    "parent_of",
    "place_of_root",
    "place_under",
    "read",
    "status_of",
    "thread_of",
    "trace_of",
]

ERROR_LENGTH = 500
"""How many characters of an error its preview has at the most."""

_THREAD_KEYS = ("session_id", "conversation_id", "thread_id")
_ID_LENGTH = 36
_NO_MARKS = str.maketrans("", "", "-:.")


def read(part: bytes) -> Any:
    """Return what a part says; None if it is no JSON."""
    try:
        return json.decode(part)
    except BadBodyError:
        return None


def microseconds_of(time: str) -> int:
    """Return a head's time in microseconds since 1970."""
    return microseconds(datetime.fromisoformat(time))


def status_of(end_us: int | None, error: str | None) -> Status:
    """Return how a run stands."""
    if end_us is None:
        return "pending"
    return "success" if error is None else "error"


def error_of(part: bytes) -> str | None:
    """Return the text of an error; None if it has none.

    Args:
        part: The error as JSON: text as a rule.
    """
    told = read(part)
    if isinstance(told, str):
        return told or None
    return preview(told) or part.decode(errors="replace")


def metadata_of(extra: bytes) -> dict[str, Any]:
    """Return the metadata that is told in a run's ``extra``."""
    told = read(extra)
    metadata = told.get("metadata") if isinstance(told, dict) else None
    return metadata if isinstance(metadata, dict) else {}


def thread_of(metadata: Mapping[str, Any]) -> str | None:
    """Return the thread that metadata names, if it does."""
    for key in _THREAD_KEYS:
        thread = metadata.get(key)
        if thread is not None:
            return thread if isinstance(thread, str) else json.encode(thread).decode()
    return None


def first_token_us(events: bytes) -> int | None:
    """Return when the first token came, if one did."""
    if b"new_token" not in events:
        return None
    told = read(events)
    for event in told if isinstance(told, list) else ():
        if isinstance(event, dict) and event.get("name") == "new_token":
            try:
                return microseconds(moment(event.get("time")))
            except BadBodyError:
                return None
    return None


def trace_of(dotted_order: str) -> UUID:
    """Return the trace that a dotted order is of."""
    start = dotted_order.index("Z") + 1
    return UUID(dotted_order[start : start + _ID_LENGTH])


def parent_of(dotted_order: str) -> UUID | None:
    """Return the parent of the run that a dotted order is of; None if it is a root's."""
    ancestors, _, _ = dotted_order.rpartition(".")
    return UUID(ancestors[-_ID_LENGTH:]) if ancestors else None


def place_of_root(run_id: UUID, start_us: int) -> str:
    """Return the dotted order of a root."""
    started = moment_at(start_us).replace(tzinfo=None).isoformat(timespec="microseconds")
    return f"{started.translate(_NO_MARKS)}Z{run_id}"


def place_under(parent: str, run_id: UUID, start_us: int) -> str:
    """Return the dotted order of a run whose parent has the one given."""
    return f"{parent}.{place_of_root(run_id, start_us)}"
