"""Totals of projects: all of their runs, from indexes that have nothing else in them.

Of a project with a million runs they take a good part of a second. So what took long is kept for
five seconds, which is what the law of stores allows; what did not is counted each time.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from time import monotonic
from uuid import UUID

import apsw

from callboard.store.records import Cost, RunStatistics, Tokens
from callboard.store.sqlite.compiler import subtree_sum
from callboard.store.sqlite.connections import ReadConnection
from callboard.store.sqlite.feedback import summaries_of
from callboard.store.sqlite.projects import keys_of

__all__ = ["ProjectTotals"]

_MAX_AGE = 5.0
_LONG = 0.05

_RUNS = "SELECT count(*), max(start_us) FROM runs INDEXED BY runs_project WHERE project = ?"
_ERRORS = """
    SELECT count(*) FROM runs INDEXED BY runs_error WHERE status = 'error' AND project = ?
"""
_FIRST_TOKEN = subtree_sum("first_token_us", "run", "min")
_TIMES = f"""
    SELECT percentile(latency, 50), percentile(latency, 99),
        percentile(first_token, 50), percentile(first_token, 99)
    FROM (
        SELECT (run.end_us - run.start_us) / 1e6 AS latency,
            ({_FIRST_TOKEN} - run.start_us) / 1e6 AS first_token
        FROM runs AS run INDEXED BY runs_root WHERE run.is_root = 1 AND run.project = ?
    )
"""  # noqa: S608 - the program's own
_SPENT = """
    SELECT sum(prompt_tokens), sum(completion_tokens), sum(total_tokens),
        sum(prompt_cost), sum(completion_cost), sum(total_cost)
    FROM runs INDEXED BY runs_spending WHERE counts = 1 AND project = ?
"""
_FEEDBACK = """
    feedback.project_id = ?1 OR (feedback.project_id IS NULL AND run.project = ?2)
"""


class ProjectTotals:
    """What projects come to."""

    def __init__(self) -> None:
        self._kept: dict[UUID, tuple[float, RunStatistics]] = {}
        self._lock = threading.Lock()

    def of_projects(
        self, connection: ReadConnection, project_ids: Sequence[UUID]
    ) -> dict[UUID, RunStatistics]:
        """Return what each project's runs come to; projects that are not there have nothing."""
        if not project_ids:
            return {}
        keys = keys_of(connection.db, project_ids)
        found = {each: self._of(connection.db, key, each) for key, each in keys.items()}
        return {each: found.get(each, RunStatistics()) for each in project_ids}

    def _of(self, db: apsw.Connection, key: int, project_id: UUID) -> RunStatistics:
        began = monotonic()
        with self._lock:
            kept = self._kept.get(project_id)
        if kept is not None and began - kept[0] < _MAX_AGE:
            return kept[1]
        statistics = _count(db, key, project_id)
        with self._lock:
            if monotonic() - began > _LONG:
                self._kept[project_id] = began, statistics
            else:
                self._kept.pop(project_id, None)
        return statistics


def _count(db: apsw.Connection, key: int, project_id: UUID) -> RunStatistics:
    [(run_count, last_start_us)] = db.execute(_RUNS, (key,))
    error_count: int = db.execute(_ERRORS, (key,)).get
    [times] = db.execute(_TIMES, (key,))
    [spent] = db.execute(_SPENT, (key,))
    statistics = RunStatistics(run_count, error_count, *times)
    statistics.last_start_us = last_start_us
    statistics.tokens, statistics.cost = Tokens(*spent[:3]), Cost(*spent[3:])
    if db.execute("SELECT EXISTS (SELECT 1 FROM feedback)").get:
        statistics.feedback = summaries_of(db, _FEEDBACK, (project_id.bytes, key))
    return statistics
