"""Datasets, by the first API: that there are some, and what they are called.

Examples and experiments are not here yet, so a dataset is an empty one for now.
"""

from __future__ import annotations

from typing import Any
from uuid import UUID

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
from callboard.server.faults import Conflict, Missing
from callboard.store.base import Store

__all__ = ["ROUTES"]

_KIND = "dataset"
MAX_PAGE = 100


def _shown(dataset_id: str, kept: dict[str, Any], board: Board) -> dict[str, Any]:
    return {
        "id": dataset_id,
        "tenant_id": str(board.tenant_id),
        "name": kept["name"],
        "description": kept["description"],
        "data_type": kept["data_type"],
        "extra": kept["extra"],
        "metadata": kept["extra"].get("metadata"),
        "created_at": moment_shown(kept["created_us"]),
        "modified_at": moment_shown(kept["created_us"]),
        "example_count": 0,
        "session_count": 0,
        "last_session_start_time": None,
        "inputs_schema_definition": kept["inputs_schema"],
        "outputs_schema_definition": kept["outputs_schema"],
    }


async def _create(request: Request) -> Response:
    board = board_of(request)
    arguments = Arguments(await read_object(request))
    dataset_id = str(arguments.id("id") or ids.new_id())
    made = {
        "name": arguments.required_text("name"),
        "description": arguments.text("description"),
        "data_type": arguments.text("data_type") or "kv",
        "extra": arguments.object("extra") or {},
        "inputs_schema": arguments.object("inputs_schema_definition"),
        "outputs_schema": arguments.object("outputs_schema_definition"),
        "created_us": now_us(),
    }

    def create(store: Store) -> None:
        kept = store.list_settings(_KIND)
        if dataset_id in kept or any(each["name"] == made["name"] for each in kept.values()):
            raise Conflict(f"There is a dataset named {made['name']!r} already, or of this id.")
        store.write_setting(_KIND, dataset_id, made)

    await board.writer.change(create)
    return answer(_shown(dataset_id, made, board))


async def _list(request: Request) -> Response:
    board = board_of(request)
    arguments = Arguments(request.query_params)
    ids_wanted, name = arguments.ids("id"), arguments.text("name")
    part = (arguments.text("name_contains") or "").lower()
    offset = arguments.count("offset", 0)
    limit = min(arguments.count("limit", MAX_PAGE), MAX_PAGE)
    kept = await board.read(board.store.list_settings, _KIND)
    wanted = [
        _shown(dataset_id, dataset, board)
        for dataset_id, dataset in sorted(kept.items(), reverse=True)
        if (not ids_wanted or UUID(dataset_id) in ids_wanted)
        and name in (None, dataset["name"])
        and part in dataset["name"].lower()
    ]
    return answer(wanted[offset : offset + limit])


async def _read(request: Request) -> Response:
    board = board_of(request)
    dataset_id = str(Arguments(request.path_params).required_id("dataset_id"))
    kept = await board.read(board.store.read_setting, _KIND, dataset_id)
    if kept is None:
        raise Missing("Dataset")
    return answer(_shown(dataset_id, kept, board))


async def _delete(request: Request) -> Response:
    board = board_of(request)
    dataset_id = str(Arguments(request.path_params).required_id("dataset_id"))
    if await board.read(board.store.read_setting, _KIND, dataset_id) is None:
        raise Missing("Dataset")
    await board.writer.change(lambda store: store.write_setting(_KIND, dataset_id, None))
    return answer({"message": "Dataset deleted"})


ROUTES = [
    Route("/datasets", _create, methods=["POST"]),
    Route("/datasets", _list, methods=["GET"]),
    Route("/datasets/{dataset_id}", _read, methods=["GET"]),
    Route("/datasets/{dataset_id}", _delete, methods=["DELETE"]),
]
