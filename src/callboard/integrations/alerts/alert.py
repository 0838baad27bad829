"""An alert: what is told of a rule that is broken, or kept again."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from callboard.integrations.alerts.incidents import State
from callboard.integrations.alerts.rules import Rule, Unit
from callboard.integrations.records import RunRecord

__all__ = ["Alert", "Example"]

_LONGEST = 1_000
"""Characters of an error or a comment that are told."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Example:
    """A run that shows what an alert is about; what it says has been redacted.

    Attributes:
        id: The run's id.
        trace_id: The id of the outermost run that it is inside of, if that is known.
        name: Its name, if it is known.
        type: Its type, if it is known.
        error_type: The class of what ended it, by name, if it failed.
        error_message: The same with what it says.
        comment: What was said with a feedback.
    """

    id: UUID
    trace_id: UUID | None = None
    name: str | None = None
    type: str | None = None
    error_type: str | None = None
    error_message: str | None = None
    comment: str | None = None

    @classmethod
    def of(cls, run_id: UUID, record: RunRecord | None, comment: str | None = None) -> Example:
        """Return what is told of a run.

        Args:
            run_id: Its id.
            record: What is known of it, if anything is.
            comment: What was said with a feedback.
        """
        if record is None:
            return cls(id=run_id, comment=_short(comment))
        return cls(
            id=run_id,
            trace_id=record.trace_id,
            name=record.name,
            type=record.type,
            error_type=record.error_type,
            error_message=_short(record.error_message),
            comment=_short(comment),
        )


def _short(text: str | None) -> str | None:
    return text if text is None or len(text) <= _LONGEST else text[: _LONGEST - 1] + "…"


@dataclass(frozen=True, slots=True, kw_only=True)
class Alert:
    """What is told of a rule.

    Attributes:
        id: The same for all that is told of one incident.
        state: ``"firing"``: the rule is broken; ``"reminder"``: it still is; ``"resolved"``: it
            is not any more.
        rule: The rule.
        value: What was measured, in the rule's unit; None if there is nothing left in the window.
        count: Of how many runs, or scores.
        at: When that was, by the runs that were told of.
        since: Since when the rule has been, or had been, broken.
        example: The worst run in the window, if there is one.
        link: Where that can be looked at, if a link was asked for.
    """

    id: UUID
    state: State
    rule: Rule
    value: float | None
    count: int
    at: datetime
    since: datetime
    example: Example | None = None
    link: str | None = None

    @property
    def title(self) -> str:
        """The rule's name, with a capital."""
        title = self.rule.title
        return title[:1].upper() + title[1:]

    @property
    def threshold(self) -> str:
        """The limit in words, such as ``above 10%``."""
        way = "above" if self.rule.above is not None else "below"
        return f"{way} {amount(self.rule.limit, self.rule.unit)}"

    @property
    def reading(self) -> str:
        """What was measured in words, such as ``25% in the last 5 min (40 runs)``."""
        last = f"in the last {_duration(self.rule.window)}"
        if self.value is None or not self.count:
            return f"no {self.rule.counted} {last}"
        counted = self.rule.counted if self.count != 1 else self.rule.counted.removesuffix("s")
        return f"{amount(self.value, self.rule.unit)} {last} ({self.count} {counted})"

    @property
    def text(self) -> str:
        """All of it in a sentence or two."""
        # Not less than nothing, if the clock was set back.
        lasted = _duration(max(0.0, (self.at - self.since).total_seconds()))
        if self.state == "firing":
            return f"{self.title}: {self.reading}, which is {self.threshold}."
        if self.state == "reminder":
            return f"{self.title}: still {self.reading}, which is {self.threshold}, for {lasted}."
        return f"{self.title}: {self.reading}; it was {self.threshold} for {lasted}."

    def as_dict(self) -> dict[str, Any]:
        """Return all of it as plain data, without what is not known."""
        rule, example = self.rule, self.example
        told = {
            "id": str(self.id),
            "state": self.state,
            "text": self.text,
            "rule": rule.title,
            "metric": rule.metric,
            "statistic": rule.statistic,
            "value": self.value,
            "above": rule.above,
            "below": rule.below,
            "unit": rule.unit or None,
            "window_seconds": rule.window,
            "count": self.count,
            "at": self.at.isoformat(),
            "since": self.since.isoformat(),
            "run": None if example is None else _run(example),
            "link": self.link,
        }
        return _known(told)


def _run(example: Example) -> dict[str, Any]:
    told = {name: getattr(example, name) for name in Example.__slots__}
    return {
        name: str(value) if isinstance(value, UUID) else value
        for name, value in _known(told).items()
    }


def _known(told: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in told.items() if value is not None}


def amount(value: float, unit: Unit) -> str:
    """Return a value with its unit, for people.

    Args:
        value: The value.
        unit: The unit.
    """
    if unit == "share":
        return f"{_number(100 * value)}%"
    if unit == "USD":
        return f"${_number(value)}"
    return f"{_number(value)} {unit}".rstrip()


def _number(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 1_000 else f"{value:.4g}"


def _duration(seconds: float) -> str:
    if seconds < 120:
        return f"{_number(seconds)} s"
    minutes = seconds / 60
    return f"{minutes:.3g} min" if minutes < 120 else f"{minutes / 60:.3g} h"
