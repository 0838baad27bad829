"""Dotted order: a run's place in its trace, as text that sorts as the tree does.

A run's order is its parent's, a dot, and its own segment: its start, to the microsecond, and
its id. So runs of a trace, sorted by it, come parents first and siblings by start; and it names
all of a run's ancestors, the first of which is the trace.

The form is the LangSmith protocol's: ``20261121T184430493081Z01a1ff6c-....``.
"""

from __future__ import annotations

from datetime import UTC, datetime
from uuid import UUID

__all__ = ["ancestry", "own_id", "parent_id", "segment", "under"]

# A second and how it is written: that of the run before, as a rule.
_last: tuple[datetime, str] = (datetime.min.replace(tzinfo=UTC), "00010101T000000")


def segment(start_time: datetime, run_id: UUID) -> str:
    """Return a run's own segment, which is the whole order of a root.

    Args:
        start_time: When it started; aware, in UTC.
        run_id: Its id.
    """
    global _last
    second, text = _last
    if start_time.tzinfo is not UTC:
        text = _written(start_time)
    else:
        since = start_time - second
        if since.seconds or since.days:
            text = _written(start_time)
            _last = (start_time.replace(microsecond=0), text)
    if type(run_id) is not UUID:  # One of another package.
        return f"{text}{start_time.microsecond:06}Z{run_id}"
    # In fours, of which the first two and the last three stand together.
    fours = run_id.int.to_bytes(16, "big").hex("-", 2)
    return f"{text}{start_time.microsecond:06}Z{fours[:4]}{fours[5:29]}{fours[30:34]}{fours[35:]}"


def _written(at: datetime) -> str:
    # strftime takes three times as long.
    return f"{at.year:04}{at.month:02}{at.day:02}T{at.hour:02}{at.minute:02}{at.second:02}"


def under(parent: str, start_time: datetime, run_id: UUID) -> str:
    """Return the order of a run whose parent has the order given."""
    return f"{parent}.{segment(start_time, run_id)}"


def own_id(dotted_order: str) -> str:
    """Return the id of the run that has an order, as text: quicker than to print the UUID."""
    return dotted_order[-36:]


def parent_id(dotted_order: str) -> str:
    """Return the id of the parent of the run that has an order; empty if that is a root."""
    return dotted_order[-95:-59]


def ancestry(dotted_order: str) -> list[UUID]:
    """Return the ids that an order names: the trace first, the run itself last.

    Raises:
        ValueError: A segment does not end in a UUID.
    """
    return [UUID(part[-36:]) for part in dotted_order.split(".")]
