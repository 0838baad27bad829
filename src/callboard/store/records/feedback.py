"""Feedback, and which is asked for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

__all__ = ["FeedbackQuery", "FeedbackRecord"]


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
