"""Projects, by the first API, which calls them sessions."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID

import orjson
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from callboard import ids
from callboard.clock import now_us
from callboard.server.answers import answer
from callboard.server.arguments import Arguments
from callboard.server.board import Board, board_of
from callboard.server.bodies import read_object
from callboard.server.columns import moment_shown
from callboard.server.faults import Conflict, Invalid, Missing
from callboard.server.v1.runs import statistics_shown
from callboard.store.records import Project, ProjectQuery, RunStatistics

__all__ = ["ROUTES", "project_shown"]

MAX_PAGE = 100


def project_shown(
    project: Project, board: Board, statistics: RunStatistics | None = None
) -> dict[str, Any]:
    """Return a project as the first API has it.

    Args:
        project: It.
        board: Whose project it is.
        statistics: What its runs come to, if that is to be told.
    """
    reference = project.reference_dataset_id
    shown = {
        "id": str(project.id),
        "tenant_id": str(board.tenant_id),
        "name": project.name,
        "start_time": moment_shown(project.start_us),
        "end_time": moment_shown(project.end_us),
        "description": project.description,
        "extra": project.extra,
        "reference_dataset_id": None if reference is None else str(reference),
        "trace_tier": "longlived",
    }
    if statistics is not None:
        shown |= statistics_shown(statistics)
        shown["session_feedback_stats"] = None
    return shown


async def _shown_all(board: Board, projects: list[Project], *, counted: bool) -> list[Any]:
    statistics: Mapping[UUID, RunStatistics] = {}
    if counted and projects:
        wanted = [project.id for project in projects]
        statistics = await board.read(board.store.project_statistics, wanted)
    none = RunStatistics() if counted else None
    return [project_shown(project, board, statistics.get(project.id, none)) for project in projects]


async def _list(request: Request) -> Response:
    board = board_of(request)
    arguments = Arguments(request.query_params)
    query = ProjectQuery(
        ids=arguments.ids("id"),
        name=arguments.text("name"),
        name_contains=arguments.text("name_contains"),
        reference_dataset_ids=arguments.ids("reference_dataset"),
        reference_free=arguments.flag("reference_free"),
        metadata=_metadata(arguments),
        limit=min(arguments.count("limit", 100), MAX_PAGE),
        offset=arguments.count("offset", 0),
    )
    projects = await board.read(board.store.find_projects, query)
    counted = arguments.flag("include_stats") is True
    return answer(await _shown_all(board, projects, counted=counted))


def _metadata(arguments: Arguments) -> dict[str, Any]:
    text = arguments.text("metadata")
    if text is None:
        return {}
    try:
        metadata = orjson.loads(text)
    except orjson.JSONDecodeError:
        metadata = None
    if not isinstance(metadata, dict):
        raise Invalid("metadata takes a JSON object.")
    return metadata


async def _read(request: Request) -> Response:
    board = board_of(request)
    project_id = Arguments(request.path_params).required_id("project_id")
    found = await board.read(board.store.find_projects, ProjectQuery(ids=(project_id,)))
    if not found:
        raise Missing("Project")
    counted = Arguments(request.query_params).flag("include_stats") is True
    return answer((await _shown_all(board, found, counted=counted))[0])


async def _create(request: Request) -> Response:
    board = board_of(request)
    arguments = Arguments(await read_object(request))
    project = _project_of(arguments)
    made = await board.writer.change(lambda store: store.create_project(project))
    if made is not None:
        return answer(project_shown(made, board))
    if Arguments(request.query_params).flag("upsert") is True:
        for there in await board.read(board.store.find_projects, ProjectQuery(name=project.name)):
            return answer(project_shown(there, board))
    raise Conflict(f"There is a project named {project.name!r} already, or of this id.")


def _project_of(arguments: Arguments) -> Project:
    start_us = arguments.moment("start_time")
    return Project(
        id=arguments.id("id") or ids.new_id(),
        name=arguments.required_text("name"),
        start_us=now_us() if start_us is None else start_us,
        end_us=arguments.moment("end_time"),
        description=arguments.text("description"),
        extra=arguments.object("extra") or {},
        reference_dataset_id=arguments.id("reference_dataset_id"),
    )


async def _update(request: Request) -> Response:
    board = board_of(request)
    project_id = Arguments(request.path_params).required_id("project_id")
    arguments = Arguments(await read_object(request))
    told = {
        "name": arguments.text("name"),
        "description": arguments.text("description"),
        "extra": arguments.object("extra"),
        "end_us": arguments.moment("end_time"),
        "reference_dataset_id": arguments.id("default_dataset_id"),
    }
    if told["name"] == "":
        raise Invalid("name is empty; it takes text.")
    changes = {name: value for name, value in told.items() if value is not None}
    project = await board.writer.change(lambda store: store.update_project(project_id, changes))
    if project is None:
        raise Missing("Project")
    return answer(project_shown(project, board))


async def _delete(request: Request) -> Response:
    project_id = Arguments(request.path_params).required_id("project_id")
    if not await board_of(request).writer.change(lambda store: store.delete_project(project_id)):
        raise Missing("Project")
    return answer({"message": "Project deleted"}, 202)


ROUTES = [
    Route("/sessions", _list, methods=["GET"]),
    Route("/sessions", _create, methods=["POST"]),
    Route("/sessions/{project_id}", _read, methods=["GET"]),
    Route("/sessions/{project_id}", _update, methods=["PATCH"]),
    Route("/sessions/{project_id}", _delete, methods=["DELETE"]),
]
