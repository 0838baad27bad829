"""Runs, read by the second API."""

from __future__ import annotations

from functools import partial

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from callboard.server.answers import answer
from callboard.server.arguments import Arguments
from callboard.server.board import board_of, origin_of
from callboard.server.bodies import read_object
from callboard.server.columns import app_path, fields_of, row
from callboard.server.faults import Invalid, Missing, NotThereYet
from callboard.server.v2.queries import page_answer, query_of
from callboard.server.v2.run_columns import COLUMNS, selected

__all__ = ["ROUTES"]


async def _query(request: Request) -> Response:
    board = board_of(request)
    arguments = Arguments(await read_object(request))
    if arguments.id("reference_dataset_id") is not None:
        raise NotThereYet("Datasets")
    projects = arguments.ids("project_ids")
    if not projects and not arguments.ids("ids"):
        raise Invalid("project_ids is missing; it takes a list of UUIDs.")
    names = selected(COLUMNS, arguments.texts("selects"))
    fields = fields_of(COLUMNS, names)
    query = query_of(arguments, project_ids=projects, fields=fields)
    page = await board.read(board.store.find_runs, query)
    return page_answer(request, page, partial(row, COLUMNS, names, origin=origin_of(request)))


async def _read(request: Request) -> Response:
    board = board_of(request)
    run_id = Arguments(request.path_params).required_id("run_id")
    names = selected(COLUMNS, Arguments(request.query_params).texts("selects"))
    run = await board.read(board.store.read_run, run_id, fields_of(COLUMNS, names))
    project_id = Arguments(request.query_params).id("project_id")
    if run is None or (project_id is not None and run.project_id != project_id):
        raise Missing("Run")
    return answer(row(COLUMNS, names, run, origin_of(request)))


async def _url(request: Request) -> Response:
    board, origin = board_of(request), origin_of(request)
    run_id = Arguments(request.path_params).required_id("run_id")
    run = await board.read(board.store.read_run, run_id)
    path = None if run is None else app_path(run, origin)
    if path is None:
        raise Missing("Run")
    return answer({"url": f"{request.url.scheme}://{request.url.netloc}{path}"})


ROUTES = [
    Route("/runs/query", _query, methods=["POST"]),
    Route("/runs/{run_id}", _read, methods=["GET"]),
    Route("/runs/{run_id}/url", _url, methods=["GET"]),
]
