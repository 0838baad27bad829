"""Traces, read by the second API: root runs, with what their trees come to."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from callboard.query.nodes import Node, all_of, one_of
from callboard.server.arguments import Arguments
from callboard.server.board import board_of, origin_of
from callboard.server.bodies import read_object
from callboard.server.columns import Origin, cost_of, fields_of, moment_shown, row, tokens_of
from callboard.server.v2.queries import page_answer, query_of
from callboard.server.v2.run_columns import COLUMNS, selected
from callboard.store.records import RunRecord

__all__ = ["ROUTES"]

_PAGE = 20
_AGGREGATES = frozenset({"first_token_time", "total_cost", "total_tokens"})


async def _query(request: Request) -> Response:
    board = board_of(request)
    arguments = Arguments(await read_object(request))
    names = selected(COLUMNS, arguments.texts("selects"))
    query = query_of(
        arguments,
        page_size=_PAGE,
        project_ids=(arguments.required_id("project_id"),),
        is_root=True,
        filter=_only(arguments),
        fields=fields_of(COLUMNS, names) | {"subtree"},
    )
    page = await board.read(board.store.find_runs, query)
    return page_answer(request, page, partial(_shown, names, origin_of(request)))


def _only(arguments: Arguments) -> Node | None:
    """Return the filter, which holds for the traces that are named, if any are."""
    told, traces = arguments.filter("filter"), arguments.ids("trace_ids")
    if not traces:
        return told
    named = one_of("id", [*traces])
    return named if told is None else all_of(named, told)


def _shown(names: Sequence[str], origin: Origin, run: RunRecord) -> dict[str, Any]:
    shown: dict[str, Any] = {"root_run": row(COLUMNS, names, run, origin)}
    if _AGGREGATES.intersection(names):
        shown["trace_aggregates"] = {
            "first_token_time": moment_shown(run.subtree_first_token_us),
            "total_cost": cost_of(run).total,
            "total_tokens": tokens_of(run).total,
        }
    return shown


async def _runs(request: Request) -> Response:
    board = board_of(request)
    arguments = Arguments(request.query_params)
    names = selected(COLUMNS, arguments.texts("selects"))
    query = query_of(
        arguments,
        project_ids=(arguments.required_id("project_id"),),
        trace_id=Arguments(request.path_params).required_id("trace_id"),
        # A trace is read whole, unless a time is named.
        since_us=arguments.moment("min_start_time"),
        newest_first=False,
        limit=100_000,
        fields=fields_of(COLUMNS, names),
    )
    page = await board.read(board.store.find_runs, query)
    return page_answer(request, page, partial(row, COLUMNS, names, origin=origin_of(request)))


ROUTES = [
    Route("/traces/query", _query, methods=["POST"]),
    Route("/traces/{trace_id}/runs", _runs, methods=["GET"]),
]
