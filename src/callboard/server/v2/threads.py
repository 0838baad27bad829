"""Threads, read by the second API: the traces that share a thread id."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from callboard.query import THREAD_FIELDS, parse
from callboard.query.nodes import Compare, all_of
from callboard.server.answers import answer
from callboard.server.arguments import Arguments
from callboard.server.board import Board, board_of, origin_of
from callboard.server.bodies import read_object
from callboard.server.columns import feedback_shown, fields_of, moment_shown, row
from callboard.server.faults import Invalid
from callboard.server.v2.queries import page_answer, query_of
from callboard.server.v2.run_columns import TRACE_COLUMNS, selected
from callboard.store.records import RunQuery, RunStatistics, ThreadRecord

__all__ = ["ROUTES"]

_PAGE = 20


async def _query(request: Request) -> Response:
    board = board_of(request)
    arguments = Arguments(await read_object(request))
    query = query_of(
        arguments,
        page_size=_PAGE,
        project_ids=(arguments.required_id("project_id"),),
        is_root=True,
    )
    condition = arguments.text("thread_filter")
    having = None if condition is None else parse(condition, THREAD_FIELDS)
    page = await board.read(board.store.find_threads, query, having)
    return page_answer(request, page, _shown)


def _shown(thread: ThreadRecord) -> dict[str, Any]:
    statistics = thread.statistics
    return {
        "thread_id": thread.thread_id,
        "count": thread.turn_count,
        "start_time": moment_shown(thread.last_start_us),
        "min_start_time": moment_shown(thread.first_start_us),
        "max_start_time": moment_shown(thread.last_start_us),
        "first_trace_id": str(thread.first_trace_id),
        "last_trace_id": str(thread.last_trace_id),
        "trace_id": str(thread.last_trace_id),
        "first_inputs": thread.first_inputs_preview,
        "last_outputs": thread.last_outputs_preview,
        "last_error": thread.last_error_preview,
        "num_errored_turns": statistics.error_count,
        "latency_p50": statistics.latency_p50,
        "latency_p99": statistics.latency_p99,
        "total_tokens": statistics.tokens.total,
        "total_cost": statistics.cost.total,
        "feedback_stats": feedback_shown(statistics.feedback),
    }


def _of_thread(request: Request, arguments: Arguments, **fields: Any) -> RunQuery:
    """Return the query for the root runs of the thread that the path names."""
    told = arguments.filter("filter")
    one = Compare("thread_id", "eq", request.path_params["thread_id"])
    return query_of(
        arguments,
        page_size=_PAGE,
        is_root=True,
        since_us=arguments.moment("min_start_time"),
        filter=one if told is None else all_of(one, told),
        **fields,
    )


async def _traces(request: Request) -> Response:
    board = board_of(request)
    arguments = Arguments(request.query_params)
    names = selected(
        TRACE_COLUMNS, arguments.texts("selects"), default=("trace_id", "thread_id", "start_time")
    )
    query = _of_thread(
        request,
        arguments,
        project_ids=(arguments.required_id("project_id"),),
        fields=fields_of(TRACE_COLUMNS, names),
    )
    page = await board.read(board.store.find_runs, query)
    return page_answer(request, page, partial(row, TRACE_COLUMNS, names, origin=origin_of(request)))


async def _stats(request: Request) -> Response:
    board = board_of(request)
    arguments = Arguments(request.query_params)
    query = _of_thread(request, arguments, project_ids=(arguments.required_id("session_id"),))
    statistics = await board.read(board.store.run_statistics, query)
    names = [name.lower() for name in arguments.texts("selects")]
    thread = await _thread(board, query) if _TIMES.intersection(names) else None
    return answer(_told(names, statistics, thread))


async def _thread(board: Board, query: RunQuery) -> ThreadRecord | None:
    page = await board.read(board.store.find_threads, query, None)
    return page.items[0] if page.items else None


_TIMES = frozenset({"first_start_time", "last_start_time"})
# What is selected, and what it is called in the answer.
_RENAMED: Mapping[str, str] = {
    "latency_p50": "latency_p50_seconds",
    "latency_p99": "latency_p99_seconds",
}


def _told(
    names: list[str], statistics: RunStatistics, thread: ThreadRecord | None
) -> dict[str, Any]:
    values: dict[str, Any] = {
        "turns": statistics.run_count,
        "first_start_time": None if thread is None else moment_shown(thread.first_start_us),
        "last_start_time": None if thread is None else moment_shown(thread.last_start_us),
        "last_end_time": None,
        "latency_p50": statistics.latency_p50,
        "latency_p99": statistics.latency_p99,
        "prompt_tokens": statistics.tokens.prompt,
        "completion_tokens": statistics.tokens.completion,
        "total_tokens": statistics.tokens.total,
        "prompt_cost": statistics.cost.prompt,
        "completion_cost": statistics.cost.completion,
        "total_cost": statistics.cost.total,
        "prompt_token_details": {"raw": dict(statistics.tokens.prompt_details)},
        "completion_token_details": {"raw": dict(statistics.tokens.completion_details)},
        "prompt_cost_details": {"raw": dict(statistics.cost.prompt_details)},
        "completion_cost_details": {"raw": dict(statistics.cost.completion_details)},
        "feedback_stats": feedback_shown(statistics.feedback) or {},
    }
    unknown = next((name for name in names if name not in values), None)
    if unknown is not None:
        accepted = ", ".join(sorted(name.upper() for name in values))
        raise Invalid(f"{unknown.upper()[:80]!r} can't be selected; accepted are {accepted}.")
    return {_RENAMED.get(name, name): values[name] for name in names}


ROUTES = [
    Route("/threads/query", _query, methods=["POST"]),
    Route("/threads/{thread_id:path}/traces", _traces, methods=["GET"]),
    Route("/threads/{thread_id:path}/stats", _stats, methods=["GET"]),
]
