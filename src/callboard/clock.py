"""The one clock: what time it is, for everything that records a moment."""

from __future__ import annotations

from collections.abc import Callable, Generator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

__all__ = ["clock_from", "microseconds", "moment_at", "now", "now_us"]

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


_source: Callable[[], datetime] | None = None


def now() -> datetime:
    """Return the present moment, aware, in UTC."""
    # Looked up at each call: programs under test put another `datetime` in its place.
    return datetime.now(UTC) if _source is None else _source()


def now_us() -> int:
    """Return the present moment in microseconds since 1970, in UTC."""
    return microseconds(now())


def microseconds(moment: datetime) -> int:
    """Return a moment, aware, in microseconds since 1970; exact, as a float's would not be."""
    return (moment - _EPOCH) // _MICROSECOND


def moment_at(microseconds: int) -> datetime:
    """Return the moment, in UTC, that is so many microseconds after 1970 began."""
    return _EPOCH + timedelta(microseconds=microseconds)


@contextmanager
def clock_from(source: Callable[[], datetime]) -> Generator[None]:
    """Take the time from another source for the length of a block, in every thread.

    Args:
        source: Returns an aware datetime in UTC: see `callboard.testing.StepClock`.
    """
    global _source
    before, _source = _source, source
    try:
        yield
    finally:
        _source = before
