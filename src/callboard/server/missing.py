"""What is asked for and not there: said in a sentence, so that nobody hunts for a typo."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from callboard.server.faults import Missing, NotThereYet

__all__ = ["ROUTES"]

_ALL_METHODS = ["GET", "POST", "PUT", "PATCH", "DELETE"]

_NOT_YET = {
    "datasets": "Examples and experiments",
    "examples": "Examples",
    "annotation-queues": "Annotation queues",
    "repos": "Prompts",
    "commits": "Prompts",
    "likes": "Prompts",
    "platform": "Datasets, prompts and evaluators",
    "workspaces": "Workspaces",
    "agents": "Agents",
    "otel": "OpenTelemetry",
    "v1": "OpenTelemetry",
}
"""The first step of a path, and what of LangSmith is behind it that this server lacks."""


async def _answer(request: Request) -> Response:
    path = request.path_params["path"]
    first = path.partition("/")[0]
    if first in _NOT_YET:
        raise NotThereYet(_NOT_YET[first])
    raise Missing(f"{request.method} {request.url.path[:200]}")


ROUTES = [Route("/{path:path}", _answer, methods=_ALL_METHODS)]
