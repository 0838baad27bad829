"""Feedback tokens: links with which somebody can give feedback on a run, and do nothing else."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from starlette.datastructures import QueryParams
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from callboard import ids
from callboard.clock import microseconds, now, now_us
from callboard.server.answers import answer
from callboard.server.arguments import Arguments
from callboard.server.board import Board, board_of, origin_of
from callboard.server.bodies import read_json, read_object
from callboard.server.columns import Origin, moment_shown
from callboard.server.faults import Invalid, Missing
from callboard.server.v1.feedback import give_feedback

__all__ = ["ROUTES"]

_KIND = "feedback_token"
_USUAL_LIFE = timedelta(hours=3)
_GIVEN = ("score", "value", "correction", "comment")


async def _create(request: Request) -> Response:
    board, origin = board_of(request), origin_of(request)
    wanted = await read_json(request)
    if isinstance(wanted, list):
        return answer([await _make(board, origin, each) for each in wanted[:100]])
    return answer(await _make(board, origin, wanted))


async def _make(board: Board, origin: Origin, wanted: Any) -> dict[str, Any]:
    if not isinstance(wanted, dict):
        raise Invalid("A feedback token is made of an object with run_id and feedback_key.")
    arguments = Arguments(wanted)
    token_id = str(ids.new_id())
    token = {
        "run_id": str(arguments.required_id("run_id")),
        "feedback_key": arguments.required_text("feedback_key"),
        "expires_us": _end(arguments),
    }
    await board.writer.change(lambda store: store.write_setting(_KIND, token_id, token))
    return _shown(token_id, token, origin)


def _end(arguments: Arguments) -> int:
    told = arguments.moment("expires_at")
    if told is not None:
        return told
    within = arguments.raw("expires_in")
    if not isinstance(within, dict):
        return microseconds(now() + _USUAL_LIFE)
    parts = Arguments(within)
    try:
        life = timedelta(
            days=parts.number("days") or 0,
            hours=parts.number("hours") or 0,
            minutes=parts.number("minutes") or 0,
        )
        return microseconds(now() + life)
    except OverflowError:
        raise Invalid("expires_in is longer than any calendar; it takes some days.") from None


def _shown(token_id: str, token: dict[str, Any], origin: Origin) -> dict[str, Any]:
    return {
        "id": token_id,
        "url": f"{origin.url}/feedback/tokens/{token_id}",
        "expires_at": moment_shown(token["expires_us"]),
        "feedback_key": token["feedback_key"],
    }


async def _list(request: Request) -> Response:
    board, origin = board_of(request), origin_of(request)
    run_id = str(Arguments(request.query_params).required_id("run_id"))
    tokens = await board.read(board.store.list_settings, _KIND)
    of_run = [
        _shown(token_id, token, origin)
        for token_id, token in tokens.items()
        if token["run_id"] == run_id
    ]
    arguments = Arguments(request.query_params)
    offset, limit = arguments.count("offset", 0), arguments.count("limit", 100)
    return answer(of_run[offset : offset + limit])


async def _give(request: Request) -> Response:
    board = board_of(request)
    token_id = str(Arguments(request.path_params).required_id("token_id"))
    token = await board.read(board.store.read_setting, _KIND, token_id)
    if token is None or token["expires_us"] < now_us():
        raise Missing("Feedback token")
    if request.method == "HEAD":  # Whatever looks where a link leads gives no feedback.
        return answer({})
    told: Mapping[str, Any]
    if request.method == "GET":
        told = _read_link(request.query_params)
    else:
        told = await read_object(request)
    fields = {name: told.get(name) for name in _GIVEN if told.get(name) is not None}
    fields |= {
        "run_id": token["run_id"],
        "key": token["feedback_key"],
        "feedback_source": {"type": "api", "metadata": _metadata(told)},
    }
    await give_feedback(board, fields)
    return answer({})


def _read_link(query: QueryParams) -> dict[str, Any]:
    """Return what a link says: all of it is text there, so its score is read as a number."""
    arguments = Arguments(query)
    flags = {"true": True, "false": False}
    score = flags.get((arguments.text("score") or "").lower())
    return {**query, "score": arguments.number("score") if score is None else score}


def _metadata(told: Any) -> dict[str, Any]:
    metadata = told.get("metadata")
    return metadata if isinstance(metadata, dict) else {}


ROUTES = [
    Route("/feedback/tokens", _create, methods=["POST"]),
    Route("/feedback/tokens", _list, methods=["GET"]),
    Route("/feedback/tokens/{token_id}", _give, methods=["POST", "GET"]),
]
