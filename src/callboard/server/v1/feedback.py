"""Feedback, by the first API."""

from __future__ import annotations

from typing import Any

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
from callboard.server.faults import Invalid, Missing
from callboard.store.base import Store
from callboard.store.records import FeedbackQuery, FeedbackRecord
from callboard.wire.operations import Feedback

__all__ = ["ROUTES", "give_feedback"]

MAX_PAGE = 100
# What a change may name, as the protocol and as the record call it.
_CHANGES = {
    "score": "score",
    "value": "value",
    "comment": "comment",
    "correction": "correction",
    "feedback_source": "source",
}


def _shown(feedback: FeedbackRecord) -> dict[str, Any]:
    def text(value: object) -> str | None:
        return None if value is None else str(value)

    return {
        **feedback.extra,
        "id": str(feedback.id),
        "created_at": moment_shown(feedback.created_us),
        "modified_at": moment_shown(feedback.modified_us),
        "key": feedback.key,
        "run_id": text(feedback.run_id),
        "trace_id": text(feedback.trace_id),
        "session_id": text(feedback.project_id),
        "score": feedback.score,
        "value": feedback.value,
        "comment": feedback.comment,
        "correction": feedback.correction,
        "feedback_source": feedback.source or None,
        "extra": feedback.extra.get("extra"),
    }


async def give_feedback(board: Board, fields: dict[str, Any]) -> FeedbackRecord:
    """Write feedback, and return it as it was taken.

    Args:
        board: Where.
        fields: What is told, by the protocol's names; an id is made if there is none.

    Raises:
        Invalid: It can't be taken.
    """
    feedback_id = Arguments(fields).id("id") or ids.new_id()
    told = {**fields, "id": str(feedback_id)}
    for rejection in await board.writer.write([Feedback(feedback_id, told)]):
        raise Invalid(rejection.reason)
    query = FeedbackQuery(ids=(feedback_id,))
    [given] = await board.read(board.store.find_feedback, query)
    return given


async def _create(request: Request) -> Response:
    fields = await read_object(request)
    return answer(_shown(await give_feedback(board_of(request), fields)))


async def _list(request: Request) -> Response:
    board = board_of(request)
    arguments = Arguments(request.query_params)
    query = FeedbackQuery(
        run_ids=arguments.ids("run"),
        keys=arguments.texts("key"),
        sources=arguments.texts("source"),
        project_ids=arguments.ids("session"),
        limit=min(arguments.count("limit", 100), MAX_PAGE),
        offset=arguments.count("offset", 0),
    )
    return answer([_shown(each) for each in await board.read(board.store.find_feedback, query)])


async def _read(request: Request) -> Response:
    board = board_of(request)
    feedback_id = Arguments(request.path_params).required_id("feedback_id")
    found = await board.read(board.store.find_feedback, FeedbackQuery(ids=(feedback_id,)))
    if not found:
        raise Missing("Feedback")
    return answer(_shown(found[0]))


async def _update(request: Request) -> Response:
    board = board_of(request)
    feedback_id = Arguments(request.path_params).required_id("feedback_id")
    told = await read_object(request)
    changes: dict[str, Any] = {
        ours: told[theirs] for theirs, ours in _CHANGES.items() if theirs in told
    }
    changes["modified_us"] = now_us()
    if "source" in changes and changes["source"] is None:
        changes["source"] = {}

    def update(store: Store) -> bool:
        found = store.find_feedback(FeedbackQuery(ids=(feedback_id,)))
        if found and "extra" in told:
            # Among all that a client tells besides, which the record calls extra as well.
            changes["extra"] = {**found[0].extra, "extra": told["extra"]}
        return store.update_feedback(feedback_id, changes)

    if not await board.writer.change(update):
        raise Missing("Feedback")
    return await _read(request)


async def _delete(request: Request) -> Response:
    feedback_id = Arguments(request.path_params).required_id("feedback_id")
    if not await board_of(request).writer.change(lambda store: store.delete_feedback(feedback_id)):
        raise Missing("Feedback")
    return answer({"message": "Feedback deleted"})


ROUTES = [
    Route("/feedback", _create, methods=["POST"]),
    Route("/feedback", _list, methods=["GET"]),
    Route("/feedback/{feedback_id}", _read, methods=["GET"]),
    Route("/feedback/{feedback_id}", _update, methods=["PATCH"]),
    Route("/feedback/{feedback_id}", _delete, methods=["DELETE"]),
]
