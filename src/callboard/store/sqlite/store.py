"""The store: what the law of stores asks for, each by the module that is about it."""

from __future__ import annotations

import threading
from collections.abc import Generator, Iterable, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from uuid import UUID

import apsw

from callboard.prices import NO_PRICES, PriceList
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
from callboard.store.sqlite import feedback, projects, settings, shares
from callboard.store.sqlite.connections import Connections, ReadConnection
from callboard.store.sqlite.deleting import delete_runs
from callboard.store.sqlite.faults import faults_of
from callboard.store.sqlite.listing import find_runs
from callboard.store.sqlite.reading import read_attachment, read_outline, read_run
from callboard.store.sqlite.statistics import group_runs, run_statistics
from callboard.store.sqlite.threads import find_threads
from callboard.store.sqlite.totals import ProjectTotals
from callboard.store.sqlite.writing import RunWriter
from callboard.wire.operations import Attachment, Feedback, Operation

__all__ = ["SqliteStore"]


class SqliteStore:
    """Keeps everything in one SQLite file; see `callboard.store.base` for what it promises.

    Any number of processes may have the file open, and write to it. A killed process loses nothing
    that was acknowledged. Power loss may cost the last writes before it, unless `open` was told
    ``full_sync``, but never the file.
    """

    def __init__(self, connections: Connections, prices: PriceList) -> None:
        self._connections = connections
        try:
            with faults_of(connections.path):
                self._writer = RunWriter(connections.writer, prices)
        except BaseException:
            connections.close()
            raise
        self._writing = threading.Lock()
        self._totals = ProjectTotals()

    @classmethod
    def open(
        cls, path: str | Path, *, full_sync: bool = False, prices: PriceList = NO_PRICES
    ) -> SqliteStore:
        """Open a file, or make it.

        Args:
            path: The file; its folder must be there. Beside it are two more while it is open.
            full_sync: Whether a write waits until the disk has it, so that it survives power loss
                too.
            prices: What models cost.

        Raises:
            StoreUnavailableError: The file can't be opened.
            StoreFormatError: It is no store, or of a newer version.
        """
        connections = Connections(Path(path), full_sync=full_sync)
        try:
            with faults_of(connections.path):
                return cls(connections, prices)
        except BaseException:
            connections.close()
            raise

    # Taking.

    def write(self, told: Sequence[Operation | Feedback]) -> list[Rejection]:
        """Take operations and feedback, durably; return what was not taken."""
        operations = [each for each in told if isinstance(each, Operation)]
        given = [each for each in told if isinstance(each, Feedback)]
        with self._changing() as db:
            rejections = self._writer.write(operations)
            rejections += feedback.write_feedback(db, given)
            self._writer.train()
        return rejections

    # Runs.

    def find_runs(self, query: RunQuery) -> Page[RunRecord]:
        """Return a page of runs."""
        with self._reading() as connection:
            return find_runs(connection, query)

    def read_run(self, run_id: UUID, fields: Iterable[Field] = ()) -> RunRecord | None:
        """Return a run."""
        with self._reading() as connection:
            return read_run(connection, run_id, frozenset(fields))

    def read_outline(
        self, trace_id: UUID, *, offset: int = 0, limit: int | None = None
    ) -> list[Outline]:
        """Return the runs of a trace in the order of its tree, as outlines."""
        with self._reading() as connection:
            return read_outline(connection, trace_id, offset, limit)

    def read_attachment(self, run_id: UUID, name: str) -> Attachment | None:
        """Return a file of a run."""
        with self._reading() as connection:
            return read_attachment(connection, run_id, name)

    def run_statistics(self, query: RunQuery) -> RunStatistics:
        """Return what the runs of a query come to."""
        with self._reading() as connection:
            return run_statistics(connection, query)

    def group_runs(
        self, query: RunQuery, by: GroupKey, key: str | None = None
    ) -> list[tuple[Any, RunStatistics]]:
        """Return the same for each value of something, the most numerous first."""
        with self._reading() as connection:
            return group_runs(connection, query, by, key)

    def find_threads(self, query: RunQuery, having: Node | None = None) -> Page[ThreadRecord]:
        """Return the threads that root runs of a query belong to, the latest first."""
        with self._reading() as connection:
            return find_threads(connection, query, having)

    def delete_traces(self, trace_ids: Sequence[UUID]) -> int:
        """Delete traces, with their attachments and feedback; return how many runs there were."""
        wanted = tuple(each.bytes for each in trace_ids)
        if not wanted:
            return 0
        with self._changing() as db:
            count = delete_runs(db, "trace_id IN carray(?)", (apsw.carray(wanted),))
            self._writer.forget()
        return count

    # Projects.

    def find_projects(self, query: ProjectQuery) -> list[Project]:
        """Return projects."""
        with self._reading() as connection:
            return projects.find_projects(connection.db, query)

    def create_project(self, project: Project) -> Project | None:
        """Make a project; None if there is another of its name or its id."""
        with self._changing() as db:
            return projects.create_project(db, project)

    def update_project(self, project_id: UUID, changes: Mapping[str, Any]) -> Project | None:
        """Change fields of a project; None if there is none."""
        with self._changing() as db:
            self._writer.forget()
            return projects.update_project(db, project_id, changes)

    def delete_project(self, project_id: UUID) -> bool:
        """Delete a project, with its runs and all that belongs to them."""
        with self._changing() as db:
            self._writer.forget()
            return projects.delete_project(db, project_id)

    def project_statistics(self, project_ids: Sequence[UUID]) -> dict[UUID, RunStatistics]:
        """Return what the runs of each project come to; at most five seconds old."""
        with self._reading() as connection:
            return self._totals.of_projects(connection, project_ids)

    # Feedback.

    def find_feedback(self, query: FeedbackQuery) -> list[FeedbackRecord]:
        """Return feedback."""
        with self._reading() as connection:
            return feedback.find_feedback(connection.db, query)

    def update_feedback(self, feedback_id: UUID, changes: Mapping[str, Any]) -> bool:
        """Change fields of feedback."""
        with self._changing() as db:
            return feedback.update_feedback(db, feedback_id, changes)

    def delete_feedback(self, feedback_id: UUID) -> bool:
        """Delete feedback."""
        with self._changing() as db:
            return feedback.delete_feedback(db, feedback_id)

    # Shares.

    def share_run(self, run_id: UUID, trace_id: UUID) -> Share:
        """Let a run be read by a token; the same token if it is shared already."""
        with self._changing() as db:
            return shares.share_run(db, run_id, trace_id)

    def find_share(self, *, token: UUID | None = None, run_id: UUID | None = None) -> Share | None:
        """Return the share of a token, or of a run."""
        with self._reading() as connection:
            return shares.find_share(connection.db, token, run_id)

    def unshare_run(self, run_id: UUID) -> bool:
        """End the sharing of a run."""
        with self._changing() as db:
            return shares.unshare_run(db, run_id)

    # Settings.

    def read_setting(self, kind: str, name: str) -> Any | None:
        """Return a JSON value that was put under a name."""
        with self._reading() as connection:
            return settings.read_setting(connection.db, kind, name)

    def write_setting(self, kind: str, name: str, value: Any | None) -> None:
        """Put a JSON value under a name, durably; None takes it away."""
        with self._changing() as db:
            settings.write_setting(db, kind, name, value)

    def list_settings(self, kind: str) -> dict[str, Any]:
        """Return all values of a kind, by name."""
        with self._reading() as connection:
            return settings.list_settings(connection.db, kind)

    def close(self) -> None:
        """Close the store. Nothing is called thereafter."""
        with self._writing:
            self._writer.close()
            self._connections.close()

    @contextmanager
    def _changing(self) -> Generator[apsw.Connection]:
        with self._writing:
            try:
                with self._connections.writing() as db:
                    yield db
            except BaseException:
                # What it remembers may be of what has just been rolled back.
                self._writer.forget()
                raise

    @contextmanager
    def _reading(self) -> Generator[ReadConnection]:
        with self._connections.reading() as connection:
            try:
                yield connection
            finally:
                connection.functions.forget()
