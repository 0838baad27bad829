"""Times and places as they come over the wire: text, in every form that clients have used.

A dotted order is a run's place in its trace: one segment for each of its ancestors and one for
itself, each its start and its id, such as ``20261121T184430493081Z01a1ff6c-...``. Older
clients have milliseconds in it.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any
from uuid import UUID

from callboard.errors import BadBodyError

__all__ = ["began", "ends", "moment", "places", "shown"]

_ID = r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}"
_SEGMENT = rf"[0-9]{{8}}T[0-9]{{6}}[0-9]{{1,6}}Z{_ID}"
_ORDER = re.compile(rf"{_SEGMENT}(?:\.{_SEGMENT})*+")
_LAST = re.compile(_SEGMENT)
_ID_LENGTH = 36
_MOST_REMEMBERED = 2_000


def places(dotted_order: str) -> list[UUID]:
    """Return the ids that a dotted order names: the trace first, the run itself last.

    Raises:
        BadBodyError: It is not in the form of a dotted order.
    """
    ends(dotted_order)
    return [UUID(segment[-_ID_LENGTH:]) for segment in dotted_order.split(".")]


def ends(dotted_order: str) -> tuple[str, str]:
    """Return the first and the last id that a dotted order names: the trace, and the run itself.

    Raises:
        BadBodyError: It is not in the form of a dotted order.
    """
    # What is remembered is bounded in number, so it must not be long either.
    found = _ends if len(dotted_order) <= _MOST_REMEMBERED else _ends.__wrapped__
    return found(dotted_order)


# Each is told of at least twice, and siblings, which have the same ancestors, come together.
@lru_cache(2048)
def _ends(dotted_order: str) -> tuple[str, str]:
    ancestors, dot, last = dotted_order.rpartition(".")
    if not _LAST.fullmatch(last) or (dot and not _is_order(ancestors)):
        raise BadBodyError(
            f"dotted_order is {shown(dotted_order)}; it takes segments joined by dots, each a "
            "time and a run's id, such as 20261121T184430493081Z and a UUID."
        )
    first = dotted_order.index("Z") + 1
    trace_id = dotted_order[first : first + _ID_LENGTH]
    return trace_id.lower(), dotted_order[-_ID_LENGTH:].lower()


def began(dotted_order: str) -> datetime:
    """Return when the run that a dotted order is of started, aware, in UTC.

    Raises:
        BadBodyError: It is not in the form of a dotted order, or has no moment in it.
    """
    ends(dotted_order)
    time, _, _ = dotted_order.rpartition(".")[2].partition("Z")
    return moment(f"{time[:15]}.{time[15:]}Z")


def _is_order(text: str) -> bool:
    return (_matches if len(text) <= _MOST_REMEMBERED else _matches.__wrapped__)(text)


@lru_cache(2048)
def _matches(text: str) -> bool:
    return _ORDER.fullmatch(text) is not None


def moment(value: Any) -> datetime:
    """Return a moment, aware, in UTC.

    Args:
        value: ISO 8601 text, taken to be in UTC if it does not say otherwise; or milliseconds
            since 1970, which is what JavaScript has.

    Raises:
        BadBodyError: It is neither, or no moment that a calendar has.
    """
    try:
        if isinstance(value, str):
            read = datetime.fromisoformat(value)
            return read.replace(tzinfo=UTC) if read.tzinfo is None else read.astimezone(UTC)
        if isinstance(value, int | float) and not isinstance(value, bool):
            return datetime.fromtimestamp(value / 1000, UTC)
    except (ValueError, OverflowError, OSError):
        pass  # Said below: it is no moment, whatever is wrong with it.
    raise BadBodyError(
        f"a time is {shown(value)}; it takes ISO 8601 text, such as 2026-11-21T18:44:30+00:00."
    )


def shown(value: Any) -> str:
    """Return a value as an error shows it: its repr, cut if it is long."""
    text = repr(value)
    return text if len(text) <= 80 else f"{text[:80]}..."
