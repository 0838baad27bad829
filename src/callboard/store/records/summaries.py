"""What several things come to: feedback, runs, threads."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal, TypeAlias
from uuid import UUID

from callboard.prices import Cost, Tokens

__all__ = ["FeedbackSummary", "GroupKey", "RunStatistics", "ThreadRecord"]

GroupKey: TypeAlias = Literal["name", "run_type", "status", "tag", "metadata", "project", "hour"]
"""What statistics may be told apart by."""


@dataclass(slots=True)
class FeedbackSummary:
    """What the feedback of one key comes to.

    Attributes:
        count: How many there are.
        average: The mean of the scores; None without scores.
        deviation: Their standard deviation.
        least: The lowest.
        most: The highest.
        values: How many there are of each value, by its text.
        comments: Comments, the newest first, at most ten.
        errors: How many say that judging failed.
        sources: The kinds of source, such as ``api`` and ``model``.
    """

    count: int
    average: float | None = None
    deviation: float | None = None
    least: float | None = None
    most: float | None = None
    values: dict[str, int] = field(default_factory=dict)
    comments: list[str] = field(default_factory=list)
    errors: int = 0
    sources: list[str] = field(default_factory=list)


@dataclass(slots=True)
class RunStatistics:
    """What some runs come to.

    Tokens and costs count each model run once, however deep it is.

    Attributes:
        run_count: How many runs.
        error_count: How many of them failed.
        latency_p50: Half of those that ended took no longer; seconds.
        latency_p99: 99 of 100 took no longer; seconds.
        first_token_p50: The same of the time to the first token.
        first_token_p99: The same.
        tokens: The tokens used; details are not told.
        cost: The cost; details are not told.
        last_start_us: When the last of them started.
        feedback: Their feedback by key.
    """

    run_count: int = 0
    error_count: int = 0
    latency_p50: float | None = None
    latency_p99: float | None = None
    first_token_p50: float | None = None
    first_token_p99: float | None = None
    tokens: Tokens = field(default_factory=Tokens)
    cost: Cost = field(default_factory=Cost)
    last_start_us: int | None = None
    feedback: dict[str, FeedbackSummary] = field(default_factory=dict)


@dataclass(slots=True)
class ThreadRecord:
    """A thread: the traces that share a thread id, as a conversation's do.

    Attributes:
        thread_id: What they share.
        turn_count: How many traces.
        first_start_us: When the first of them started.
        last_start_us: When the last of them did.
        first_trace_id: The first.
        last_trace_id: The last.
        first_inputs_preview: The beginning of what the first was given.
        last_outputs_preview: The beginning of what the last returned.
        last_error_preview: The beginning of the last error, if the last trace failed.
        statistics: What its traces come to.
    """

    thread_id: str
    turn_count: int
    first_start_us: int
    last_start_us: int
    first_trace_id: UUID
    last_trace_id: UUID
    first_inputs_preview: str | None = None
    last_outputs_preview: str | None = None
    last_error_preview: str | None = None
    statistics: RunStatistics = field(default_factory=RunStatistics)
