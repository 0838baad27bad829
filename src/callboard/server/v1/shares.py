"""Shares, by the first API: a run that whoever knows a token may read."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from callboard.query.nodes import one_of
from callboard.server.answers import answer, no_content
from callboard.server.arguments import Arguments
from callboard.server.board import board_of, origin_of
from callboard.server.bodies import read_object
from callboard.server.columns import fields_of, row
from callboard.server.faults import Missing
from callboard.server.v1.run_columns import ALL, COLUMNS
from callboard.server.v1.runs import answer_query
from callboard.store.records import Share

__all__ = ["ROUTES", "share_of_token"]


def _shown(share: Share) -> dict[str, Any]:
    return {"run_id": str(share.run_id), "share_token": str(share.token)}


def _run_id(request: Request) -> UUID:
    return Arguments(request.path_params).required_id("run_id")


async def share_of_token(request: Request) -> Share:
    """Return the share whose token is in the path.

    Raises:
        Missing: There is none.
    """
    board = board_of(request)
    token = Arguments(request.path_params).required_id("token")
    share = await board.read(board.store.find_share, token=token)
    if share is None:
        raise Missing("Share")
    return share


async def _share(request: Request) -> Response:
    board = board_of(request)
    run_id = _run_id(request)
    run = await board.read(board.store.read_run, run_id)
    if run is None:
        raise Missing("Run")
    trace_id = run.trace_id
    share = await board.writer.change(lambda store: store.share_run(run_id, trace_id))
    return answer(_shown(share))


async def _read(request: Request) -> Response:
    board = board_of(request)
    share = await board.read(board.store.find_share, run_id=_run_id(request))
    return answer(None if share is None else _shown(share))


async def _unshare(request: Request) -> Response:
    run_id = _run_id(request)
    await board_of(request).writer.change(lambda store: store.unshare_run(run_id))
    return no_content()


async def _public_run(request: Request) -> Response:
    board = board_of(request)
    share = await share_of_token(request)
    run_id = Arguments(request.path_params).id("run_id") or share.run_id
    run = await board.read(board.store.read_run, run_id, fields_of(COLUMNS, ALL))
    if run is None or run.trace_id != share.trace_id:
        raise Missing("Run")
    return answer(row(COLUMNS, ALL, run, origin_of(request)))


async def _public_runs(request: Request) -> Response:
    share = await share_of_token(request)
    body = await read_object(request)
    wanted = Arguments(body).ids("id")
    within: dict[str, Any] = {"trace_id": share.trace_id}
    if wanted:
        # Ids alone would be looked up in every trace.
        within["filter"] = one_of("id", [*wanted])
        body = {name: value for name, value in body.items() if name != "id"}
    return await answer_query(request, body, within)


ROUTES = [
    Route("/runs/{run_id}/share", _share, methods=["PUT", "POST"]),
    Route("/runs/{run_id}/share", _read, methods=["GET"]),
    Route("/runs/{run_id}/share", _unshare, methods=["DELETE"]),
    Route("/public/{token}/run", _public_run, methods=["GET"]),
    Route("/public/{token}/run/{run_id}", _public_run, methods=["GET"]),
    Route("/public/{token}/runs/query", _public_runs, methods=["POST"]),
]
