"""Rules: what is measured of which runs, over how long, and how much of it is too much.

A rule is a setting, and holds nothing: the same one may be given to several handlers.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from math import isfinite
from typing import ClassVar, Literal, TypeAlias

from callboard.errors import BadOptionError
from callboard.integrations.alerts.statistics import Statistic, statistic_named
from callboard.integrations.records import RunRecord

__all__ = [
    "Cost",
    "ErrorCount",
    "ErrorRate",
    "FeedbackScore",
    "Latency",
    "Rule",
    "RunCost",
    "TimeToFirstToken",
    "Unit",
]

Unit: TypeAlias = Literal["", "share", "s", "USD"]

NO_FAILURES = frozenset(
    {
        "CancelledError",
        "GeneratorExit",
        "GraphBubbleUp",
        "GraphInterrupt",
        "NodeInterrupt",
        "ParentCommand",
    }
)
"""Exceptions that end runs though nothing failed: somebody went away, or is waited for."""


@dataclass(frozen=True, kw_only=True)
class Rule:
    """What to watch. Derive from it to measure something else: override `measure` or `rate`.

    Attributes:
        above: The limit, if there is trouble when it is exceeded.
        below: The limit, if there is trouble when it is undercut.
        statistic: What is held against the limit: ``"average"``, ``"total"`` or ``"worst"`` of
            what was measured, or a percentile such as ``"p95"``.
        window: Over how many seconds. The window moves in steps of a 60th of it.
        min_count: How many values there must be before anything is said to be wrong.
        names: The names of the runs that it is about; all, if there are none.
        types: Their types: see `RunRecord`; all, if there are none.
        tags: Tags of which they have at least one; any, if there are none.
        root_only: Whether it is about outermost runs alone.
        remind_every: After how many seconds a message is repeated while it goes on; 0 for at
            each run, None for never.
        cooldown: For how many seconds after its end nothing is said if it begins anew.
        name: What it is called in messages; by default by what it measures.
        metric: What is measured, for machines.
        label: The same for people.
        unit: What it is measured in: ``"s"``, ``"USD"``, ``"share"`` (from 0 to 1), or nothing.
        counted: What has the values.
    """

    metric: ClassVar[str] = "value"
    label: ClassVar[str] = "value"
    unit: ClassVar[Unit] = ""
    counted: ClassVar[str] = "runs"

    above: float | None = None
    below: float | None = None
    statistic: str = "average"
    window: float = 300.0
    min_count: int = 1
    names: str | Collection[str] = ()
    types: str | Collection[str] = ()
    tags: str | Collection[str] = ()
    root_only: bool = False
    remind_every: float | None = None
    cooldown: float = 300.0
    name: str = ""

    def __post_init__(self) -> None:
        """Refuse what makes no sense.

        Raises:
            BadOptionError: An option has a value that is not accepted.
        """
        for each in ("names", "types", "tags"):
            object.__setattr__(self, each, _several(self, each))
        if (self.above is None) == (self.below is None):
            raise BadOptionError(f"{self._called} needs {self._limits}.")
        if not isfinite(self.limit):
            raise BadOptionError(f"{self._called} has the limit {self.limit}; it takes a number.")
        self._check_statistic()
        self._at_least("min_count", self.min_count, 1)
        self._at_least("cooldown", self.cooldown, 0)
        self._at_least("remind_every", self.remind_every or 0, 0)
        if not 0 < self.window < float("inf"):
            raise BadOptionError(
                f"{self._called} has window={self.window!r}; it takes seconds, more than 0."
            )

    def _check_statistic(self) -> None:
        if statistic_named(self.statistic).percent is not None and not (self.above or 0) > 0:
            raise BadOptionError(
                f"{self._called} has statistic={self.statistic!r}; a percentile takes a limit "
                "above, greater than 0."
            )

    def _at_least(self, name: str, value: float, least: int) -> None:
        if not least <= value < float("inf"):
            raise BadOptionError(
                f"{self._called} has {name}={value!r}; it takes a number from {least} up."
            )

    @property
    def _called(self) -> str:
        return type(self).__name__

    @property
    def _limits(self) -> str:
        below = type(self).__dataclass_fields__["below"]
        return "a limit: above or below, and not both" if below.init else "a limit: above"

    # What rules of one's own override.

    def measure(self, record: RunRecord) -> float | None:
        """Return what is measured of a run that has ended; None if it does not count.

        Args:
            record: The run; its ``kept`` is what it and the runs inside it have cost, in US
                dollars, or None if that is not known.
        """
        return None

    def rate(self, key: str, score: float) -> float | None:
        """Return what is measured of a feedback; None if it does not count.

        Args:
            key: What was judged.
            score: How it was judged.
        """
        return None

    # What is read off.

    @property
    def title(self) -> str:
        """What it is called in messages."""
        if self.name:
            return self.name
        names = " or ".join(sorted(self.names))
        return f"{self.subject} of {names}" if names else self.subject

    @property
    def subject(self) -> str:
        """What is held against the limit, in words."""
        return self.label if self.statistic == "total" else f"{self.statistic} {self.label}"

    @property
    def limit(self) -> float:
        """The limit, whichever it is."""
        return float(self.above if self.above is not None else self.below or 0.0)

    @property
    def is_worse(self) -> Callable[[float, float], bool]:
        """Whether one value is worse than another."""
        return operator.gt if self.above is not None else operator.lt

    @property
    def computed(self) -> Statistic:
        """The statistic itself."""
        return statistic_named(self.statistic)

    def selects(self, record: RunRecord | None) -> bool:
        """Whether it is about a run.

        Args:
            record: The run; None if nothing is known of it, which no choice fits.
        """
        if record is None:
            return not (self.names or self.types or self.tags or self.root_only)
        return (
            (not self.names or record.name in self.names)
            and (not self.types or record.type in self.types)
            and (not self.tags or any(tag in self.tags for tag in record.tags))
            and not (self.root_only and record.parent is not None)
        )


def _several(rule: Rule, option: str) -> frozenset[str]:
    value = getattr(rule, option)
    several = [value] if isinstance(value, str) else list(value)
    if not all(isinstance(each, str) for each in several):
        raise BadOptionError(
            f"{type(rule).__name__} has {option}={value!r}; it takes a text, or a list of them."
        )
    return frozenset(several)


@dataclass(frozen=True, kw_only=True)
class _Failures(Rule):
    """What rules about errors have in common.

    Attributes:
        ignored_errors: Classes of exceptions, by name, that are no failures: runs that they end
            do not count. By default those by which runs are cancelled or interrupted.
    """

    below: float | None = field(init=False, default=None)
    statistic: str = field(init=False, default="average")
    ignored_errors: Collection[str] = NO_FAILURES

    def measure(self, record: RunRecord) -> float | None:
        """Return 1 for a run that failed, 0 for one that did not."""
        if record.status == "error" and record.error_type in self.ignored_errors:
            return None
        return float(record.status == "error")


@dataclass(frozen=True, kw_only=True)
class ErrorRate(_Failures):
    """The share of runs that fail. See `Rule` for the other options."""

    metric: ClassVar[str] = "error_rate"
    label: ClassVar[str] = "error rate"
    unit: ClassVar[Unit] = "share"

    min_count: int = 10

    def __post_init__(self) -> None:
        """Refuse what makes no sense, such as percents."""
        super().__post_init__()
        if not 0 <= self.limit < 1:
            raise BadOptionError(
                f"ErrorRate has above={self.above!r}; it takes a share from 0 up to 1, "
                "such as 0.1 for a tenth."
            )

    @property
    def subject(self) -> str:
        """What is held against the limit, in words."""
        return self.label


@dataclass(frozen=True, kw_only=True)
class ErrorCount(_Failures):
    """How many runs fail; by default there is trouble with the first."""

    metric: ClassVar[str] = "errors"
    label: ClassVar[str] = "number of errors"

    above: float | None = 0
    statistic: str = field(init=False, default="total")


@dataclass(frozen=True, kw_only=True)
class Latency(Rule):
    """How long runs take, in seconds."""

    metric: ClassVar[str] = "latency"
    label: ClassVar[str] = "latency"
    unit: ClassVar[Unit] = "s"

    below: float | None = field(init=False, default=None)
    statistic: str = "p95"

    def measure(self, record: RunRecord) -> float | None:
        """Return how long a run took, in seconds."""
        return record.latency


@dataclass(frozen=True, kw_only=True)
class TimeToFirstToken(Latency):
    """How long models take until their first token, in seconds; where tokens are streamed."""

    metric: ClassVar[str] = "time_to_first_token"
    label: ClassVar[str] = "time to first token"

    def measure(self, record: RunRecord) -> float | None:
        """Return how long a model's first token took, in seconds."""
        return record.time_to_first_token


@dataclass(frozen=True, kw_only=True)
class Cost(Rule):
    """What model calls cost, in US dollars, all of a window together.

    It is counted when a call ends, so the choice of runs is one of model calls.
    """

    metric: ClassVar[str] = "cost"
    label: ClassVar[str] = "cost"
    unit: ClassVar[Unit] = "USD"

    below: float | None = field(init=False, default=None)
    statistic: str = "total"
    window: float = 3600.0

    def measure(self, record: RunRecord) -> float | None:
        """Return what a model's call cost, in US dollars."""
        return None if record.cost is None else record.cost.total


@dataclass(frozen=True, kw_only=True)
class RunCost(Rule):
    """What a run costs with all that is inside it, in US dollars; by default an outermost one."""

    metric: ClassVar[str] = "run_cost"
    label: ClassVar[str] = "cost of a run"
    unit: ClassVar[Unit] = "USD"

    below: float | None = field(init=False, default=None)
    statistic: str = "worst"
    root_only: bool = True

    def measure(self, record: RunRecord) -> float | None:
        """Return what a run and the runs inside it cost, in US dollars."""
        cost: float | None = record.kept
        return cost


@dataclass(frozen=True, kw_only=True)
class FeedbackScore(Rule):
    """How runs are judged: see `AlertCallbackHandler.feedback`.

    Attributes:
        key: What is judged, as the feedback calls it.
    """

    metric: ClassVar[str] = "feedback_score"
    label: ClassVar[str] = "score"
    counted: ClassVar[str] = "scores"

    key: str
    window: float = 3600.0

    def rate(self, key: str, score: float) -> float | None:
        """Return the score, if it is for the key."""
        return score if key == self.key else None

    @property
    def subject(self) -> str:
        """What is held against the limit, in words."""
        return f"{self.statistic} score for {self.key}"
