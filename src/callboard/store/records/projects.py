"""Projects, and which are asked for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

__all__ = ["Project", "ProjectQuery"]


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
