"""The workspace: there is one, and it is this server."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from callboard.server.answers import answer
from callboard.server.board import board_of

__all__ = ["ROUTES"]


async def _settings(request: Request) -> Response:
    return answer(
        {
            "id": str(board_of(request).tenant_id),
            "display_name": "Callboard",
            "created_at": "2026-01-01T00:00:00+00:00",
            "tenant_handle": None,
        }
    )


ROUTES = [Route("/settings", _settings, methods=["GET"])]
