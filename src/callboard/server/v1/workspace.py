"""The workspace: there is one, and it is this server."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from callboard.server.answers import answer
from callboard.server.board import board_of
from callboard.server.columns import moment_shown

__all__ = ["ROUTES"]


async def _settings(request: Request) -> Response:
    tenant_id = board_of(request).tenant_id
    return answer(
        {
            "id": str(tenant_id),
            "display_name": "Callboard",
            # Its id, a UUID of version 7, begins with when it was made, in milliseconds.
            "created_at": moment_shown((tenant_id.int >> 80) * 1000),
            "tenant_handle": None,
        }
    )


ROUTES = [Route("/settings", _settings, methods=["GET"])]
