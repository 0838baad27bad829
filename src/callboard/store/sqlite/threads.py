"""Threads: the traces that share a thread id, summed up."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from callboard.clock import moment_at
from callboard.query import RunFacts, matches
from callboard.query.nodes import Compare, Node, all_of
from callboard.store.records import Page, RunQuery, ThreadRecord
from callboard.store.sqlite.compiler import Sql
from callboard.store.sqlite.connections import ReadConnection
from callboard.store.sqlite.cursors import read_cursor, write_cursor
from callboard.store.sqlite.selecting import Selection, select
from callboard.store.sqlite.statistics import statistics_of
from callboard.store.sqlite.values import id_or_none

__all__ = ["find_threads"]

_KIND = "threads"
_NAMED = Sql("run.thread IS NOT NULL")
_ENDS = "run.trace_id, run.inputs_preview, run.outputs_preview, run.error"


def find_threads(
    connection: ReadConnection, query: RunQuery, having: Node | None
) -> Page[ThreadRecord]:
    """Return the threads that root runs of a query belong to, the latest first.

    Args:
        connection: Where they are.
        query: Which root runs; of a thread, those count that it means.
        having: What must be true of the thread.
    """
    if query.limit < 1:
        return Page([])
    roots = replace(query, ids=(), is_root=True)
    found: list[ThreadRecord] = []
    for thread_id, *figures in _summaries(connection, roots):
        turns = select(connection, _of_thread(roots, thread_id))
        thread = _thread(connection, turns, thread_id, *figures)
        if having is not None and not matches(having, _facts(connection, turns, thread)):
            continue
        if len(found) == query.limit:
            last = found[-1]
            return Page(found, write_cursor(_KIND, last.last_start_us, last.thread_id))
        found.append(thread)
    return Page(found)


def _of_thread(query: RunQuery, thread_id: str) -> RunQuery:
    """Return a query for those of its runs that are in a thread."""
    of_it = Compare("thread_id", "eq", thread_id)
    return replace(query, filter=of_it if query.filter is None else all_of(of_it, query.filter))


def _summaries(connection: ReadConnection, query: RunQuery) -> Iterator[tuple[Any, ...]]:
    """Yield of each thread its id, how many traces it has, and the first and last start."""
    columns = "run.thread, count(*) AS turns, min(run.start_us) AS first, max(run.start_us) AS last"
    grouped = select(connection, query, threaded=True).sql(columns, _NAMED)
    after, place = "", ()
    if query.cursor is not None:
        after = "HAVING (last, run.thread) < (?, ?)"
        place = read_cursor(_KIND, query.cursor, int, str)
    # Pieces of SQL are the program's own; values are bound.
    sql = f"{grouped.text} GROUP BY run.thread {after} ORDER BY last DESC, run.thread DESC"
    # All of them at once: others are asked for meanwhile.
    yield from connection.db.execute(sql, (*grouped.values, *place)).fetchall()


def _thread(
    connection: ReadConnection,
    turns: Selection,
    thread_id: str,
    turn_count: int,
    first_start_us: int,
    last_start_us: int,
) -> ThreadRecord:
    first, last = _end(connection, turns, "ASC"), _end(connection, turns, "DESC")
    first_trace, last_trace = id_or_none(first[0]), id_or_none(last[0])
    assert first_trace is not None  # noqa: S101 - for the type checker: roots have traces
    assert last_trace is not None  # noqa: S101
    return ThreadRecord(
        thread_id,
        turn_count,
        first_start_us,
        last_start_us,
        first_trace,
        last_trace,
        first[1],
        last[2],
        last[3],
        statistics_of(connection, turns),
    )


def _end(connection: ReadConnection, turns: Selection, direction: str) -> tuple[Any, ...]:
    """Return the first or last trace of a thread."""
    sql = turns.sql(_ENDS)
    order = f"ORDER BY run.start_us {direction}, run.id {direction} LIMIT 1"
    [row] = connection.db.execute(f"{sql.text} {order}", sql.values)
    return tuple(row)


def _facts(connection: ReadConnection, turns: Selection, thread: ThreadRecord) -> RunFacts:
    statistics = thread.statistics
    last_end = turns.sql("max(run.end_us)")
    last_end_us: int | None = connection.db.execute(last_end.text, last_end.values).get
    duration = None if last_end_us is None else (last_end_us - thread.first_start_us) / 1e6
    return RunFacts(
        {
            "thread_id": thread.thread_id,
            "turn_count": thread.turn_count,
            "num_errored_turns": statistics.error_count,
            "min_start_time": moment_at(thread.first_start_us),
            "max_start_time": moment_at(thread.last_start_us),
            "thread_duration": duration,
            "trace_latency_p50": statistics.latency_p50,
            "trace_latency_p99": statistics.latency_p99,
            "first_trace_id": thread.first_trace_id,
            "last_trace_id": thread.last_trace_id,
            "last_error": thread.last_error_preview,
            "total_tokens": statistics.tokens.total,
            "prompt_tokens": statistics.tokens.prompt,
            "completion_tokens": statistics.tokens.completion,
            "total_cost": statistics.cost.total,
            "prompt_cost": statistics.cost.prompt,
            "completion_cost": statistics.cost.completion,
        }
    )
