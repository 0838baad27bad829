"""Ingest: runs and feedback come in, and are answered for when they are durable.

Whatever can be taken of a body is taken, also when the rest is refused: clients send hundreds
of runs in one, and never again those that were in a body that was refused (LangSmith protocol:
errors and retries). The answer then names what was refused, with a status that is not tried
again.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from datetime import datetime

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from callboard.clock import now
from callboard.errors import BadBodyError
from callboard.server.answers import answer
from callboard.server.board import board_of
from callboard.server.bodies import pour, read_body
from callboard.server.faults import Invalid
from callboard.wire import batch
from callboard.wire.heads import identifier
from callboard.wire.intake import DecodedBatch
from callboard.wire.multipart import Decoder
from callboard.wire.operations import Feedback, Kind, Operation
from callboard.wire.orders import began

__all__ = ["ROUTES"]

_MAX_REASONS = 20


async def _multipart(request: Request) -> Response:
    decoder = Decoder(request.headers.get("content-type", ""), board_of(request).settings.limits)
    await pour(request, decoder.feed)
    return await _take(request, decoder.close())


async def _batch(request: Request) -> Response:
    body = await read_body(request)
    return await _take(request, batch.decode(body, board_of(request).settings.limits))


async def _create(request: Request) -> Response:
    return await _take_one(request, "create", None)


async def _update(request: Request) -> Response:
    return await _take_one(request, "update", request.path_params["run_id"])


async def _take_one(request: Request, kind: Kind, run_id: str | None) -> Response:
    body = await read_body(request)
    limits = board_of(request).settings.limits
    owner = None if run_id is None else identifier(run_id)
    return await _take(request, DecodedBatch([batch.decode_run(body, kind, owner, limits)]))


async def _take(request: Request, came: DecodedBatch) -> Response:
    for operation in came.operations:
        if operation.kind == "create" and "start_time" not in operation.head:
            operation.head["start_time"] = _start_of(operation).isoformat()
    told: Sequence[Operation | Feedback] = [*came.operations, *came.feedback]
    rejections = await board_of(request).writer.write(told)
    reasons = [refusal.reason for refusal in came.refusals]
    reasons += [rejection.reason for rejection in rejections]
    if not reasons:
        return answer({"message": "Runs taken"}, 202)
    taken = len(told) - len(rejections)
    raise Invalid(" ".join([f"Taken: {taken}, refused: {len(reasons)}.", *reasons[:_MAX_REASONS]]))


def _start_of(operation: Operation) -> datetime:
    """Return when a run started that is created without that being said: now, at the latest."""
    order = operation.head.get("dotted_order")
    # The form of a dotted order has room for moments that no calendar has.
    with suppress(BadBodyError):
        if order is not None:
            return began(order)
    return now()


ROUTES = [
    Route("/runs/multipart", _multipart, methods=["POST"]),
    Route("/runs/batch", _batch, methods=["POST"]),
    Route("/runs", _create, methods=["POST"]),
    Route("/runs/{run_id}", _update, methods=["PATCH"]),
]
