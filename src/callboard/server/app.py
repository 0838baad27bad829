"""The application: every room's routes, under every prefix that clients use."""

from __future__ import annotations

from collections.abc import Sequence

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.routing import Mount, Route

from callboard.server import info, ingest, outlines, v1, v2
from callboard.server.board import Board
from callboard.server.faults import HANDLERS
from callboard.server.guard import Guard
from callboard.server.missing import missing_beside
from callboard.server.slashes import Slashes

__all__ = ["make_app"]

# LANGSMITH_ENDPOINT may have the API's path in it, or part of it, or not: clients add what they
# think is missing (LangSmith protocol: URL prefixes).
_PREFIXES = ("/api/v1", "/api", "")

_V1: Sequence[Route] = [*info.ROUTES, *ingest.ROUTES, *outlines.ROUTES, *v1.ROUTES]


def make_app(board: Board) -> Starlette:
    """Return the ASGI application of a board.

    Args:
        board: It is the caller's to close.
    """
    app = Starlette(
        routes=[
            Mount("/api/v2", routes=[*v2.ROUTES, *missing_beside(v2.ROUTES)]),
            *(Mount(prefix, routes=[*_V1, *missing_beside(_V1)]) for prefix in _PREFIXES),
        ],
        middleware=[
            Middleware(Guard),
            Middleware(Slashes),
        ],
        exception_handlers=dict(HANDLERS),
    )
    app.state.board = board
    return app
