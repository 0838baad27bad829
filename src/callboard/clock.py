"""The one clock: what time it is, for everything that records a moment."""

from __future__ import annotations

from collections.abc import Callable, Generator
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import partial

__all__ = ["clock_from", "now"]


_source: Callable[[], datetime] = partial(datetime.now, UTC)


def now() -> datetime:
    """Return the present moment, aware, in UTC."""
    return _source()


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
