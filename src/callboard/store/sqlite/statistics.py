"""Statistics: what some runs come to, in all or for each value of something.

Each model run counts once: the runs that a query means and those inside them are put together
before they are summed up.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from callboard.errors import BadOptionError
from callboard.store.records import Cost, GroupKey, RunQuery, RunStatistics, Tokens
from callboard.store.sqlite.compiler import subtree_sum
from callboard.store.sqlite.connections import ReadConnection
from callboard.store.sqlite.feedback import summaries_of
from callboard.store.sqlite.selecting import Selection, select

__all__ = ["group_runs", "run_statistics", "statistics_of"]

MAX_GROUPS = 1_000
"""How many values are told apart at the most."""

_FIRST_TOKEN = subtree_sum("first_token_us", "run", "min")
# Aliases, so that functions of an ended run are not asked of each one again.
_COLUMNS = (
    "run.rid, run.id, run.trace_id, run.dotted, run.start_us, run.status, "
    "(run.end_us - run.start_us) / 1e6 AS latency, "
    f"({_FIRST_TOKEN} - run.start_us) / 1e6 AS first_token"
)
_FIGURES = """
    count(*), count(*) FILTER (WHERE status = 'error'),
    percentile(latency, 50), percentile(latency, 99),
    percentile(first_token, 50), percentile(first_token, 99), max(start_us)
"""
_SPENT = """
    sum(prompt_tokens), sum(completion_tokens), sum(total_tokens),
    sum(prompt_cost), sum(completion_cost), sum(total_cost)
"""
# Models inside what is meant, each once; one whose place is unknown is inside nothing but itself.
_MODELS = """
    SELECT {group} model.rid FROM meant JOIN runs AS model INDEXED BY runs_counting
        ON model.counts = 1 AND model.trace_id = meant.trace_id
        AND model.dotted >= meant.dotted AND model.dotted < meant.dotted || '/'
    UNION
    SELECT {group} rid FROM meant WHERE dotted IS NULL
"""


def run_statistics(connection: ReadConnection, query: RunQuery) -> RunStatistics:
    """Return what the runs of a query come to."""
    return statistics_of(connection, select(connection, query))


def statistics_of(connection: ReadConnection, selection: Selection) -> RunStatistics:
    """Return what some runs come to.

    Args:
        connection: Where they are.
        selection: Which runs.
    """
    meant = selection.sql(_COLUMNS)
    # Pieces of SQL are the program's own; values are bound.
    with_meant = f"WITH meant AS MATERIALIZED ({meant.text})"
    [figures] = connection.db.execute(
        f"{with_meant} SELECT {_FIGURES} FROM meant",  # noqa: S608
        meant.values,
    )
    [spent] = connection.db.execute(
        f"{with_meant} SELECT {_SPENT} FROM runs "  # noqa: S608
        f"WHERE counts = 1 AND rid IN ({_MODELS.format(group='')})",
        meant.values,
    )
    statistics = _statistics(figures, spent)
    if connection.db.execute("SELECT EXISTS (SELECT 1 FROM feedback)").get:
        ids = selection.sql("run.id")
        statistics.feedback = summaries_of(
            connection.db, f"feedback.run_id IN ({ids.text})", ids.values
        )
    return statistics


# What tells runs apart: an expression, and what it is looked for in besides the run.
_GROUPS: Mapping[GroupKey, tuple[str, str]] = {
    "name": ("run.name", ""),
    "run_type": ("run.run_type", ""),
    "status": ("run.status", ""),
    "hour": ("run.start_us / 3600000000 * 3600000000", ""),
    "project": ("(SELECT id FROM projects WHERE pid = run.project)", ""),
    "tag": ("part.value", "json_each(run.tags)"),
    "metadata": ("part.value", "json_each(values_of(?, run.metadata))"),
}


def group_runs(
    connection: ReadConnection, query: RunQuery, by: GroupKey, key: str | None
) -> list[tuple[Any, RunStatistics]]:
    """Return what the runs of a query come to for each value of something, most runs first.

    Raises:
        BadOptionError: There is nothing of that name to tell them apart by, or the key is missing.
    """
    if by not in _GROUPS or (by == "metadata") != (key is not None):
        raise BadOptionError(
            f"Runs are told apart by {by!r} and the key {key!r}; it takes one of "
            f"{', '.join(_GROUPS)}, and a key for metadata alone."
        )
    value, part = _GROUPS[by]
    selection = select(connection, query)
    if part:
        selection.source += f" CROSS JOIN {part} AS part"
    meant = selection.sql(f"{value} AS value, {_COLUMNS}")
    values = meant.values if key is None else (key, *meant.values)
    # Pieces of SQL are the program's own; values are bound.
    with_meant = f"WITH meant AS MATERIALIZED ({meant.text})"
    figures = connection.db.execute(
        f"{with_meant} SELECT value, {_FIGURES} FROM meant GROUP BY value "  # noqa: S608
        "ORDER BY count(*) DESC, value LIMIT ?",
        (*values, MAX_GROUPS),
    ).fetchall()
    spent = {
        group: row
        for group, *row in connection.db.execute(
            f"{with_meant}, inside (value, rid) AS ({_MODELS.format(group='value,')}) "  # noqa: S608
            f"SELECT value, {_SPENT} FROM inside JOIN runs USING (rid) WHERE counts = 1 "
            "GROUP BY value",
            values,
        )
    }
    return [(_value(by, group), _statistics(row, spent.get(group))) for group, *row in figures]


def _value(by: GroupKey, group: Any) -> Any:
    return UUID(bytes=group) if by == "project" and group is not None else group


def _statistics(figures: Any, spent: Any) -> RunStatistics:
    *numbers, last_start_us = figures
    statistics = RunStatistics(*numbers)
    statistics.last_start_us = last_start_us
    if spent is not None:
        statistics.tokens, statistics.cost = Tokens(*spent[:3]), Cost(*spent[3:])
    return statistics
