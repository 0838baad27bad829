"""What goes into a store and what comes out of it, whichever store it is.

Times are whole microseconds since 1970 in UTC, latencies seconds, costs US dollars. Big fields
(`PAYLOADS`) are bytes: the JSON that the client sent, untouched.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Generic, Literal, TypeAlias, TypeVar
from uuid import UUID

from callboard.prices import Cost, Tokens
from callboard.query.nodes import Node

__all__ = [
    "PAYLOADS",
    "Cost",
    "FeedbackQuery",
    "FeedbackRecord",
    "FeedbackSummary",
    "Field",
    "GroupKey",
    "Outline",
    "Page",
    "Project",
    "ProjectQuery",
    "Rejection",
    "RunQuery",
    "RunRecord",
    "RunStatistics",
    "Share",
    "Status",
    "ThreadRecord",
    "Tokens",
]

Item = TypeVar("Item")

Status: TypeAlias = Literal["pending", "success", "error"]
"""Pending until an end is told of; then error if an error is, too, else success."""

Field: TypeAlias = Literal[
    "inputs",
    "outputs",
    "events",
    "extra",
    "error",
    "serialized",
    "attachments",
    "feedback",
    "subtree",
]
"""What is read of a run only when it is asked for: its big fields, the names and types of its
attachments, a summary of its feedback, and the totals of the runs inside it."""

PAYLOADS: tuple[Field, ...] = ("inputs", "outputs", "events", "extra", "error", "serialized")
"""The big fields, kept as they came."""

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
class Outline:
    """A run as a list or a tree shows it: no more than its row.

    Attributes:
        id: The run.
        trace_id: The trace it is in.
        parent_run_id: The run it is part of, if any.
        dotted_order: Its place in the trace; None if it has not been told.
        name: What ran.
        run_type: What kind of thing.
        start_us: When it started.
        end_us: When it ended; None while it runs.
        status: How it stands.
        error_preview: The beginning of its error, if any.
        first_token_us: When its first token came, if any did.
        tokens: What it used itself, if it is a model.
        cost: What it cost itself, if it is a model.
    """

    id: UUID
    trace_id: UUID
    parent_run_id: UUID | None
    dotted_order: str | None
    name: str
    run_type: str
    start_us: int | None
    end_us: int | None
    status: Status
    error_preview: str | None = None
    first_token_us: int | None = None
    tokens: Tokens | None = None
    cost: Cost | None = None

    @property
    def is_root(self) -> bool:
        """Whether it is the outermost run of its trace."""
        return self.id == self.trace_id

    @property
    def latency(self) -> float | None:
        """How long it took, in seconds; None while it runs."""
        if self.start_us is None or self.end_us is None:
            return None
        return (self.end_us - self.start_us) / 1e6


@dataclass(slots=True)
class RunRecord(Outline):
    """A run as it is read.

    Attributes:
        project_id: The project it is in; None for one that only an update without a project
            has told of.
        tags: Its tags.
        metadata: Its metadata.
        thread_id: The thread that its metadata names, or else its trace's root's, if any.
        reference_example_id: The dataset example that it ran, if any.
        inputs_preview: The beginning of its inputs, as text.
        outputs_preview: The beginning of its outputs, as text.
        received_us: When the store first heard of it.
        payloads: Those of `PAYLOADS` that were asked for and that it has, as JSON bytes.
        attachments: The types of its files by name, if asked for.
        feedback: Its feedback by key, if asked for.
        subtree_tokens: What the models inside it have used, its own included, each once: one
            with another inside it does not count. Details are not told.
        subtree_cost: What they have cost.
        subtree_first_token_us: When the first token of any of them came.
    """

    project_id: UUID | None = None
    tags: list[str] = field(default_factory=list)
    metadata: dict[str, Any] = field(default_factory=dict)
    thread_id: str | None = None
    reference_example_id: UUID | None = None
    inputs_preview: str | None = None
    outputs_preview: str | None = None
    received_us: int = 0
    payloads: dict[Field, bytes] = field(default_factory=dict)
    attachments: dict[str, str] = field(default_factory=dict)
    feedback: dict[str, FeedbackSummary] = field(default_factory=dict)
    subtree_tokens: Tokens | None = None
    subtree_cost: Cost | None = None
    subtree_first_token_us: int | None = None


@dataclass(frozen=True, slots=True)
class RunQuery:
    """Which runs, in what order, how many, and what to read of them.

    All conditions must hold. Empty and None mean that there is no such condition.

    Attributes:
        project_ids: They are in one of these projects.
        ids: They are these; all other conditions are ignored then, and those are found too that
            are in no list yet.
        trace_id: They are in this trace.
        parent_run_id: They are directly inside this run.
        run_type: They are of this type.
        is_root: They are, or are not, the outermost of their trace.
        has_error: Their status is, or is not, ``error``.
        since_us: They started then or later.
        until_us: They started before then.
        reference_example_ids: They ran one of these examples.
        filter: What must be true of the run.
        trace_filter: What must be true of the root of its trace.
        tree_filter: What must be true of some run of its trace.
        newest_first: By start, descending; else ascending. Equal starts are ordered by id,
            the same way. Within one trace ascending order is the order of the tree.
        limit: How many at the most.
        cursor: The `Page.next` of the page before.
        fields: What to read besides the row.
    """

    project_ids: Sequence[UUID] = ()
    ids: Sequence[UUID] = ()
    trace_id: UUID | None = None
    parent_run_id: UUID | None = None
    run_type: str | None = None
    is_root: bool | None = None
    has_error: bool | None = None
    since_us: int | None = None
    until_us: int | None = None
    reference_example_ids: Sequence[UUID] = ()
    filter: Node | None = None
    trace_filter: Node | None = None
    tree_filter: Node | None = None
    newest_first: bool = True
    limit: int = 100
    cursor: str | None = None
    fields: frozenset[Field] = frozenset()


@dataclass(slots=True)
class Page(Generic[Item]):
    """Some of the results.

    Attributes:
        items: They.
        next: A cursor for the rest; None if there are no more.
        stopped_at_us: If a search gave up before it had looked at everything: how far back
            it got. The cursor goes on from there.
    """

    items: list[Item]
    next: str | None = None
    stopped_at_us: int | None = None


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
class Project:
    """A project, which is also what experiments are.

    Attributes:
        id: Its id.
        name: Its name; no two have the same.
        start_us: When it was made, or its earliest run started, whichever was first.
        end_us: When it ended, if it has.
        description: What it is for.
        extra: What else clients say of it; ``metadata`` among it.
        reference_dataset_id: The dataset that it is an experiment on, if it is one.
        address: The agent's address that its runs are sent to, if they are.
    """

    id: UUID
    name: str
    start_us: int
    end_us: int | None = None
    description: str | None = None
    extra: dict[str, Any] = field(default_factory=dict)
    reference_dataset_id: UUID | None = None
    address: str | None = None


@dataclass(frozen=True, slots=True)
class ProjectQuery:
    """Which projects; the one with the latest start first.

    Attributes:
        ids: They are these.
        name: It is called so.
        name_contains: They are called something with this in it, in any case.
        reference_dataset_ids: They are experiments on one of these.
        reference_free: They are, or are not, no experiments.
        metadata: They have this metadata.
        limit: How many at the most.
        offset: How many to pass over.
    """

    ids: Sequence[UUID] = ()
    name: str | None = None
    name_contains: str | None = None
    reference_dataset_ids: Sequence[UUID] = ()
    reference_free: bool | None = None
    metadata: Mapping[str, Any] = field(default_factory=dict)
    limit: int = 100
    offset: int = 0


@dataclass(slots=True)
class FeedbackRecord:
    """What somebody, or a program, thinks of a run, or of a project as a whole.

    Attributes:
        id: Its own id; the same id again replaces it.
        key: What it is about, such as ``correctness``.
        run_id: The run, if it is about one; it need not be known yet.
        trace_id: That run's trace, if told or known.
        project_id: The project, if told or known.
        score: How good: a number or a truth value, as it was told.
        value: The same in words, or anything.
        comment: Why.
        correction: What would have been right.
        source: Who says so: ``type`` and ``metadata``.
        extra: What else was told, as told.
        created_us: When it was made.
        modified_us: When it was changed last.
    """

    id: UUID
    key: str
    run_id: UUID | None = None
    trace_id: UUID | None = None
    project_id: UUID | None = None
    score: float | bool | None = None
    value: Any = None
    comment: str | None = None
    correction: Any = None
    source: dict[str, Any] = field(default_factory=dict)
    extra: dict[str, Any] = field(default_factory=dict)
    created_us: int = 0
    modified_us: int = 0


@dataclass(frozen=True, slots=True)
class FeedbackQuery:
    """Which feedback; the newest first.

    Attributes:
        ids: They are these.
        run_ids: They are of one of these runs.
        keys: They are about one of these.
        sources: They come from one of these types of source.
        project_ids: They are about these projects, or runs in them.
        limit: How many at the most.
        offset: How many to pass over.
    """

    ids: Sequence[UUID] = ()
    run_ids: Sequence[UUID] = ()
    keys: Sequence[str] = ()
    sources: Sequence[str] = ()
    project_ids: Sequence[UUID] = ()
    limit: int = 100
    offset: int = 0


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


@dataclass(frozen=True, slots=True)
class Share:
    """A run, with what is inside it, that whoever knows the token may read.

    Attributes:
        token: The token.
        run_id: The run.
        trace_id: Its trace.
    """

    token: UUID
    run_id: UUID
    trace_id: UUID


@dataclass(frozen=True, slots=True)
class Rejection:
    """An operation or feedback that the store does not take.

    Attributes:
        id: The run's or the feedback's id.
        reason: Why, in a sentence for the client's developer.
    """

    id: UUID
    reason: str
