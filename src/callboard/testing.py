"""For your own tests: a handler that records, a clock and ids that you control.

with ids_from(CountingIds()), clock_from(StepClock()):
    ...  # every run of a program gets the same ids and times, every time
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any
from uuid import UUID

from callboard import clock
from callboard.callbacks.handlers import BaseCallbackHandler
from callboard.clock import clock_from
from callboard.events import EVENTS
from callboard.ids import ids_from

__all__ = [
    "CountingIds",
    "Heard",
    "RecordingHandler",
    "StepClock",
    "clock_from",
    "ids_from",
]


class CountingIds:
    """A source of run ids that counts: ``00000000-0000-0000-0000-000000000001`` and on.

    Use it with `ids_from`. Safe between threads.
    """

    def __init__(self, start: int = 1) -> None:
        """Make a source.

        Args:
            start: The first number.
        """
        self._numbers = count(start)

    def __call__(self) -> UUID:
        """Return the next id."""
        return UUID(int=next(self._numbers))


class StepClock:
    """A clock that moves only when it is read, by the same step each time.

    Use it with `clock_from`. Safe between threads.
    """

    def __init__(
        self,
        start: datetime = datetime(2025, 1, 1, tzinfo=UTC),
        step: timedelta = timedelta(seconds=1),
    ) -> None:
        """Make a clock.

        Args:
            start: The first time it tells; aware, in UTC.
            step: What lies between two readings.
        """
        self._start = start
        self._step = step
        self._readings = count()

    def __call__(self) -> datetime:
        """Return the time, and move on."""
        return self._start + self._step * next(self._readings)


@dataclass(frozen=True, slots=True)
class Heard:
    """One event as a handler heard it.

    Attributes:
        event: The method's name, such as ``"on_llm_end"``.
        args: What came by position.
        kwargs: What came by keyword.
        time: When, by `callboard.clock`.
        thread: The name of the thread that it came in.
    """

    event: str
    args: tuple[Any, ...]
    kwargs: dict[str, Any] = field(default_factory=dict)
    time: datetime = field(default_factory=clock.now)
    thread: str = field(default_factory=lambda: threading.current_thread().name)

    @property
    def run_id(self) -> UUID:
        """The run that it happened to."""
        run_id: UUID = self.kwargs["run_id"]
        return run_id


class RecordingHandler(BaseCallbackHandler):
    """Hears every event and keeps it, in the order in which they come.

    Attributes:
        heard: The events so far.
    """

    def __init__(self, *, run_inline: bool = True) -> None:
        """Make a handler that has heard nothing yet.

        Args:
            run_inline: Whether async code calls it in order, in its own task.
        """
        self.run_inline = run_inline
        self.heard: list[Heard] = []

    @property
    def events(self) -> list[str]:
        """The names of the events so far, in order."""
        return [heard.event for heard in self.heard]

    def tree(self) -> str:
        """Return the runs heard of as an indented tree, a line a run, in order of start.

        A line is the kind of run, its name if it was told, and how it ended: ``ok``,
        ``error: ...``, or ``running``.
        """
        starts = [heard for heard in self.heard if heard.event.endswith("_start")]
        known = {start.run_id for start in starts}
        lines: list[str] = []

        def add(start: Heard, depth: int) -> None:
            lines.append("  " * depth + self._line(start))
            for child in starts:
                if child.kwargs.get("parent_run_id") == start.run_id:
                    add(child, depth + 1)

        for start in starts:
            if start.kwargs.get("parent_run_id") not in known:
                add(start, 0)
        return "\n".join(lines)

    def _line(self, start: Heard) -> str:
        kind = start.event.removeprefix("on_").removesuffix("_start")
        name = start.kwargs.get("name") or (start.args[0] or {}).get("name") or ""
        return " ".join(part for part in (kind, name, f"({self._ending(start.run_id)})") if part)

    def _ending(self, run_id: UUID) -> str:
        for heard in self.heard:
            row = EVENTS.get(heard.event)
            if row and row.closes and heard.run_id == run_id:
                failed = heard.event.endswith("_error")
                return f"error: {heard.args[0]!r}" if failed else "ok"
        return "running"


def _recorder(event: str) -> Callable[..., None]:
    def hear(self: RecordingHandler, *args: Any, **kwargs: Any) -> None:
        self.heard.append(Heard(event, args, kwargs))

    return hear


for _name in EVENTS:
    setattr(RecordingHandler, _name, _recorder(_name))
