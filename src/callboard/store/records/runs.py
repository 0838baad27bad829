"""Runs as they are read, and what is said of those that were not taken."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal, TypeAlias
from uuid import UUID

from callboard.prices import Cost, Tokens
from callboard.store.records.summaries import FeedbackSummary

__all__ = ["PAYLOADS", "Field", "Outline", "Rejection", "RunRecord", "Share", "Status"]

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
            with another inside it does not count. Their details are added up, too.
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
