"""Outlines of traces: the skeleton of a big one first, what is in its runs when it is asked for.

This is Callboard's own; the LangSmith protocol has no such thing. The children of one run are
had by ``POST /runs/query`` with ``parent_run``, what is in a run by ``GET /runs/{id}``.
"""

from __future__ import annotations

from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from callboard.server.answers import answer
from callboard.server.arguments import Arguments
from callboard.server.board import board_of
from callboard.server.columns import moment_shown
from callboard.server.faults import Missing
from callboard.store.records import Outline

__all__ = ["ROUTES"]

USUAL_WINDOW = 1_000
MAX_WINDOW = 20_000


async def _read(request: Request) -> Response:
    """Return a window of a trace's runs, in the order of its tree.

    ``offset`` says how many to pass over, ``limit`` how many to return. ``next_offset`` in the
    answer is null when there are no more.
    """
    board = board_of(request)
    trace_id = Arguments(request.path_params).required_id("trace_id")
    arguments = Arguments(request.query_params)
    offset = arguments.count("offset", 0)
    limit = min(max(arguments.count("limit", USUAL_WINDOW), 1), MAX_WINDOW)
    # One more than is returned tells whether there are more.
    runs = await board.read(board.store.read_outline, trace_id, offset=offset, limit=limit + 1)
    if not runs and not offset:
        raise Missing("Trace")
    more = len(runs) > limit
    return answer(
        {
            "runs": [_shown(run) for run in runs[:limit]],
            "next_offset": offset + limit if more else None,
        }
    )


def _shown(run: Outline) -> dict[str, Any]:
    return {
        "id": str(run.id),
        "parent_run_id": None if run.parent_run_id is None else str(run.parent_run_id),
        "dotted_order": run.dotted_order,
        "name": run.name,
        "run_type": run.run_type,
        "start_time": moment_shown(run.start_us),
        "end_time": moment_shown(run.end_us),
        "first_token_time": moment_shown(run.first_token_us),
        "latency": run.latency,
        "status": run.status,
        "error_preview": run.error_preview,
        "total_tokens": None if run.tokens is None else run.tokens.total,
        "total_cost": None if run.cost is None else run.cost.total,
    }


ROUTES = [Route("/traces/{trace_id}/outline", _read, methods=["GET"])]
