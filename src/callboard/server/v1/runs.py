"""Runs, read by the first API."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from callboard.server.answers import answer
from callboard.server.arguments import Arguments
from callboard.server.board import Board, board_of, origin_of
from callboard.server.bodies import read_object
from callboard.server.columns import feedback_shown, fields_of, moment_shown, row
from callboard.server.faults import Invalid, Missing
from callboard.server.v1.run_columns import ALL, COLUMNS, REQUIRED
from callboard.store.records import GroupKey, RunQuery, RunStatistics

__all__ = ["ROUTES", "query_of", "statistics_shown"]

MAX_PAGE = 1_000


async def _query(request: Request) -> Response:
    body = await read_object(request)
    return await answer_query(request, body)


async def answer_query(
    request: Request, body: Mapping[str, Any], within: Mapping[str, Any] | None = None
) -> Response:
    """Return a page of runs.

    Args:
        request: Whose answer it is.
        body: What was asked for.
        within: Fields of the `RunQuery` that hold whatever was asked for.
    """
    board = board_of(request)
    arguments = Arguments(body)
    names = _selected(arguments)
    query = query_of(arguments, fields=fields_of(COLUMNS, names), **(within or {}))
    page = await board.read(board.store.find_runs, query)
    origin = origin_of(request)
    return answer(
        {
            "runs": [row(COLUMNS, names, run, origin) for run in page.items],
            "cursors": {"next": page.next, "prev": None},
            **_notice(page.stopped_at_us),
        }
    )


def _notice(stopped_at_us: int | None) -> dict[str, Any]:
    """Say that a search gave up before it had looked at everything."""
    return {} if stopped_at_us is None else {"search_stopped_at": moment_shown(stopped_at_us)}


def query_of(arguments: Arguments, **fields: Any) -> RunQuery:
    """Return the query that a body of the first API describes.

    Args:
        arguments: The body.
        **fields: Fields of the query that hold whatever it says.

    Raises:
        Invalid: An argument has a value that it does not take.
        FilterError: A filter is not in the form of one.
    """
    told: dict[str, Any] = {
        "project_ids": arguments.ids("session"),
        "ids": arguments.ids("id"),
        "trace_id": arguments.id("trace"),
        "parent_run_id": arguments.id("parent_run"),
        "run_type": arguments.text("run_type"),
        "is_root": _is_root(arguments),
        "has_error": arguments.flag("error"),
        "since_us": arguments.moment("start_time"),
        "until_us": arguments.moment("end_time"),
        "reference_example_ids": arguments.ids("reference_example"),
        "filter": arguments.filter("filter", and_search=arguments.text("query")),
        "trace_filter": arguments.filter("trace_filter"),
        "tree_filter": arguments.filter("tree_filter"),
        "newest_first": arguments.text("order") != "asc",
        # A client may ask for more than a page has: it comes back for the rest.
        "limit": min(arguments.count("limit", 100), MAX_PAGE),
        "cursor": arguments.text("cursor"),
    }
    return RunQuery(**(told | fields))


def _is_root(arguments: Arguments) -> bool | None:
    if arguments.number("execution_order") == 1:
        return True
    return arguments.flag("is_root")


def _selected(arguments: Arguments) -> tuple[str, ...]:
    select = arguments.texts("select")
    if not select:
        return ALL
    unknown = next((name for name in select if name not in COLUMNS), None)
    if unknown is not None:
        raise Invalid(f"select names {unknown!r}; it takes {', '.join(sorted(COLUMNS))}.")
    return tuple(dict.fromkeys((*REQUIRED, *select)))


async def _read(request: Request) -> Response:
    board = board_of(request)
    run_id = Arguments(request.path_params).required_id("run_id")
    run = await board.read(board.store.read_run, run_id, fields_of(COLUMNS, ALL))
    if run is None:
        raise Missing("Run")
    share = await board.read(board.store.find_share, run_id=run_id)
    shown = row(COLUMNS, ALL, run, origin_of(request))
    return answer({**shown, "share_token": None if share is None else str(share.token)})


async def _stats(request: Request) -> Response:
    board = board_of(request)
    body = await read_object(request)
    group_by = body.get("group_by")
    query = query_of(Arguments(body))
    if isinstance(group_by, Mapping):
        return answer(await _grouped(board, query, group_by))
    return answer(statistics_shown(await board.read(board.store.run_statistics, query)))


_GROUPS: Mapping[str, GroupKey] = {
    "name": "name",
    "run_type": "run_type",
    "tag": "tag",
    "metadata": "metadata",
    "status": "status",
}


async def _grouped(board: Board, query: RunQuery, by: Mapping[str, Any]) -> dict[str, Any]:
    arguments = Arguments(by)
    attribute = arguments.required_text("attribute")
    if attribute not in _GROUPS:
        raise Invalid(f"group_by.attribute is {attribute[:80]!r}; it takes {', '.join(_GROUPS)}.")
    key = arguments.text("path")
    groups = await board.read(board.store.group_runs, query, _GROUPS[attribute], key)
    return {str(value): statistics_shown(statistics) for value, statistics in groups}


def statistics_shown(statistics: RunStatistics) -> dict[str, Any]:
    """Return statistics as JSON has them: latencies in seconds, costs in US dollars."""
    count = statistics.run_count
    return {
        "run_count": count,
        "latency_p50": statistics.latency_p50,
        "latency_p99": statistics.latency_p99,
        "first_token_p50": statistics.first_token_p50,
        "first_token_p99": statistics.first_token_p99,
        "total_tokens": statistics.tokens.total,
        "prompt_tokens": statistics.tokens.prompt,
        "completion_tokens": statistics.tokens.completion,
        "total_cost": statistics.cost.total,
        "prompt_cost": statistics.cost.prompt,
        "completion_cost": statistics.cost.completion,
        "last_run_start_time": moment_shown(statistics.last_start_us),
        "feedback_stats": feedback_shown(statistics.feedback) or {},
        "run_facets": [],
        "error_rate": statistics.error_count / count if count else None,
    }


async def _group(request: Request) -> Response:
    """Return the groups of runs that share a value of metadata: threads, as a rule."""
    board = board_of(request)
    arguments = Arguments(await read_object(request))
    by = arguments.text("group_by")
    if by != "conversation":
        raise Invalid(f"group_by is {by!r}; it takes conversation.")
    project = arguments.required_id("session_id")
    limit = min(arguments.count("limit", 20), MAX_PAGE)
    offset = arguments.count("offset", 0)
    query = query_of(arguments, project_ids=(project,), is_root=True, limit=limit + offset)
    page = await board.read(board.store.find_threads, query)
    groups = [
        {
            "group_key": thread.thread_id,
            "filter": f"eq(thread_id, {_quoted(thread.thread_id)})",
            "count": thread.turn_count,
            "min_start_time": moment_shown(thread.first_start_us),
            "max_start_time": moment_shown(thread.last_start_us),
            "first_inputs": thread.first_inputs_preview,
            "last_outputs": thread.last_outputs_preview,
            "last_error": thread.last_error_preview,
            **_only(statistics_shown(thread.statistics), _GROUP_STATISTICS),
        }
        for thread in page.items[offset:]
    ]
    return answer({"groups": groups, "total": len(page.items)})


_GROUP_STATISTICS = (
    "total_tokens",
    "total_cost",
    "latency_p50",
    "latency_p99",
    "feedback_stats",
)


def _only(content: Mapping[str, Any], names: Iterable[str]) -> dict[str, Any]:
    return {name: content[name] for name in names}


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


ROUTES = [
    Route("/runs/query", _query, methods=["POST"]),
    Route("/runs/stats", _stats, methods=["POST"]),
    Route("/runs/group", _group, methods=["POST"]),
    Route("/runs/{run_id}", _read, methods=["GET"]),
]
