"""The law of stores. One suite of tests (``tests/contract/stores``) runs over all of them.

Durability. What `Store.write` was given is on disk when it returns: it survives a process that
is killed at any moment thereafter. What power loss may cost is each store's to say. A write is
taken whole or, if it raises, not at all; operations that can't be taken are returned as
`Rejection`, and the others of the same write are taken.

Order. Operations of one run may come in any order, in one write or in several, twice, or one
without the other, and what is read is the same: fields merge as `callboard.wire.operations.merge`
says. Children may come before their parents, feedback before its run. A run is readable as soon
as anything is known of it, by its id; in lists as soon as its project and its start are known.
A run without trace and place gets its own: a root's is itself, a child's follows from its
parent's when that is known, and until then it is said to be in its parent's trace. A run whose
create names no project is in the project ``default``.

Threads. `write` and the other changes are called by one thread at a time; reads by any number,
meanwhile. A read sees every write that returned before it began. Other processes may read,
and write, the same store where a store says so.

Missing things. A read of what is not there returns None or an empty page; a change of what is
not there returns False, or None. Never an exception.

Cursors are opaque text, good for the same query only; pages that follow each other by cursor
neither repeat nor miss a run that was there all the time. A cursor that is none raises
`BadOptionError`.

Errors. `StoreFullError` when there is no room, `StoreUnavailableError` when the file can't be
read or written (both can be tried again), `StoreFormatError` when it is no store or of a newer
version. Nothing else is raised for reasons outside the program.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Protocol
from uuid import UUID

from callboard.query.nodes import Node
from callboard.store.records import (
    FeedbackQuery,
    FeedbackRecord,
    Field,
    GroupKey,
    Outline,
    Page,
    Project,
    ProjectQuery,
    Rejection,
    RunQuery,
    RunRecord,
    RunStatistics,
    Share,
    ThreadRecord,
)
from callboard.wire.operations import Attachment, Feedback, Operation

__all__ = ["Store"]


class Store(Protocol):
    """Keeps runs, projects and feedback."""

    # Taking.

    def write(self, told: Sequence[Operation | Feedback]) -> list[Rejection]:
        """Take operations and feedback, durably.

        Projects that are named and not there are made. Their `Project.start_us` is never later
        than the earliest start of their runs.

        Args:
            told: In the order in which they came; the parts of operations are JSON bytes.

        Returns:
            Those that were not taken.
        """
        ...

    # Runs.

    def find_runs(self, query: RunQuery) -> Page[RunRecord]:
        """Return a page of runs.

        A page whose payloads are big has fewer than `RunQuery.limit`, but one at least; the
        cursor leads on. A query that has to look into inputs and outputs (`Search`, entries of
        them) may give up after some seconds of that: see `Page.stopped_at_us`.
        """
        ...

    def read_run(self, run_id: UUID, fields: Iterable[Field] = ()) -> RunRecord | None:
        """Return a run.

        Args:
            run_id: Which.
            fields: What to read besides the row.
        """
        ...

    def read_outline(
        self, trace_id: UUID, *, offset: int = 0, limit: int | None = None
    ) -> list[Outline]:
        """Return the runs of a trace in the order of its tree, as outlines.

        Runs whose place is not known come last, by start.

        Args:
            trace_id: Which trace.
            offset: How many to pass over.
            limit: How many at the most; all, if None.
        """
        ...

    def read_attachment(self, run_id: UUID, name: str) -> Attachment | None:
        """Return a file of a run."""
        ...

    def run_statistics(self, query: RunQuery) -> RunStatistics:
        """Return what the runs of a query come to; its order, limit and cursor are ignored."""
        ...

    def group_runs(
        self, query: RunQuery, by: GroupKey, key: str | None = None
    ) -> list[tuple[Any, RunStatistics]]:
        """Return the same for each value of something, the most numerous first, at most 1,000.

        Feedback is not told. A run with several tags, or values of a key, counts for each.

        Args:
            query: Which runs.
            by: What tells them apart.
            key: Which metadata, if it is that: the path of its entries
                (`callboard.query.entries`), whose texts are the values.

        Raises:
            BadOptionError: Nothing of that name tells runs apart, or the key is missing.
        """
        ...

    def find_threads(self, query: RunQuery, having: Node | None = None) -> Page[ThreadRecord]:
        """Return the threads that root runs of a query belong to, the latest first.

        Of each thread those of its traces count that the query means.

        Args:
            query: Which root runs.
            having: What must be true of the thread (`callboard.query.THREAD_FIELDS`).
        """
        ...

    def delete_traces(self, trace_ids: Sequence[UUID]) -> int:
        """Delete traces, with their attachments and feedback.

        Operations of them that come later are taken as if they were new.

        Returns:
            How many runs there were.
        """
        ...

    # Projects.

    def find_projects(self, query: ProjectQuery) -> list[Project]:
        """Return projects."""
        ...

    def create_project(self, project: Project) -> Project | None:
        """Make a project; None if there is another of its name or its id."""
        ...

    def update_project(self, project_id: UUID, changes: Mapping[str, Any]) -> Project | None:
        """Change fields of a project, by the names of `Project`'s attributes.

        Returns:
            It as it is then; None if there is none.

        Raises:
            NameTakenError: Another project has the name.
            BadOptionError: There is no such attribute, or it can't be changed.
        """
        ...

    def delete_project(self, project_id: UUID) -> bool:
        """Delete a project, with its runs and all that belongs to them."""
        ...

    def project_statistics(self, project_ids: Sequence[UUID]) -> dict[UUID, RunStatistics]:
        """Return what the runs of each project come to; at most five seconds old.

        Each model run is counted once; latency and first token are those of root runs, and
        `RunStatistics.run_count` counts all runs.
        """
        ...

    # Feedback. It is taken by `write`, too.

    def find_feedback(self, query: FeedbackQuery) -> list[FeedbackRecord]:
        """Return feedback."""
        ...

    def update_feedback(self, feedback_id: UUID, changes: Mapping[str, Any]) -> bool:
        """Change fields of feedback, by the names of `FeedbackRecord`'s attributes.

        Raises:
            BadBodyError: A field does not take its value.
        """
        ...

    def delete_feedback(self, feedback_id: UUID) -> bool:
        """Delete feedback."""
        ...

    # Shares.

    def share_run(self, run_id: UUID, trace_id: UUID) -> Share:
        """Let a run be read by a token; the same token if it is shared already."""
        ...

    def find_share(self, *, token: UUID | None = None, run_id: UUID | None = None) -> Share | None:
        """Return the share of a token, or of a run."""
        ...

    def unshare_run(self, run_id: UUID) -> bool:
        """End the sharing of a run."""
        ...

    # Small things that other rooms keep: settings, feedback configurations, feedback tokens.

    def read_setting(self, kind: str, name: str) -> Any | None:
        """Return a JSON value that was put under a name."""
        ...

    def write_setting(self, kind: str, name: str, value: Any | None) -> None:
        """Put a JSON value under a name, durably; None takes it away."""
        ...

    def list_settings(self, kind: str) -> dict[str, Any]:
        """Return all values of a kind, by name."""
        ...

    def close(self) -> None:
        """Close the store. Nothing is called thereafter."""
        ...
