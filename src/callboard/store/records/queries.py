"""Which runs are asked for, and the pages they come in."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar
from uuid import UUID

from callboard.query.nodes import Node
from callboard.store.records.runs import Field

__all__ = ["Page", "RunQuery"]

Item = TypeVar("Item")


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
