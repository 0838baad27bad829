"""Shares, by the second API."""

from __future__ import annotations

from functools import partial

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from callboard.server.answers import answer, no_content
from callboard.server.arguments import Arguments
from callboard.server.board import board_of, origin_of
from callboard.server.bodies import read_object
from callboard.server.columns import fields_of, row
from callboard.server.faults import Missing
from callboard.server.v1.shares import share_of_token
from callboard.server.v2.queries import page_answer, query_of
from callboard.server.v2.run_columns import COLUMNS, selected

__all__ = ["ROUTES"]


async def _share(request: Request) -> Response:
    board = board_of(request)
    run_id = Arguments(request.path_params).required_id("run_id")
    run = await board.read(board.store.read_run, run_id)
    if run is None:
        raise Missing("Run")
    # What is shared is the trace, whichever run of it is named.
    trace_id = run.trace_id
    share = await board.writer.change(lambda store: store.share_run(trace_id, trace_id))
    return answer({"share_token": str(share.token)})


async def _unshare(request: Request) -> Response:
    trace_id = Arguments(request.path_params).required_id("run_id")
    await board_of(request).writer.change(lambda store: store.unshare_run(trace_id))
    return no_content()


async def _public_runs(request: Request) -> Response:
    board = board_of(request)
    share = await share_of_token(request)
    arguments = Arguments(await read_object(request))
    names = selected(COLUMNS, arguments.texts("selects"))
    query = query_of(
        arguments,
        trace_id=share.trace_id,
        ids=(),
        since_us=arguments.moment("min_start_time"),
        newest_first=False,
        fields=fields_of(COLUMNS, names),
    )
    page = await board.read(board.store.find_runs, query)
    return page_answer(request, page, partial(row, COLUMNS, names, origin=origin_of(request)))


async def _public_run(request: Request) -> Response:
    board = board_of(request)
    share = await share_of_token(request)
    names = selected(COLUMNS, Arguments(request.query_params).texts("selects"))
    run_id = Arguments(request.path_params).required_id("run_id")
    run = await board.read(board.store.read_run, run_id, fields_of(COLUMNS, names))
    if run is None or run.trace_id != share.trace_id:
        raise Missing("Run")
    return answer(row(COLUMNS, names, run, origin_of(request)))


ROUTES = [
    Route("/runs/{run_id}/share", _share, methods=["POST"]),
    Route("/runs/{run_id}/share", _unshare, methods=["DELETE"]),
    Route("/public/{token}/runs/query", _public_runs, methods=["POST"]),
    Route("/public/{token}/run/{run_id}", _public_run, methods=["GET"]),
]
