"""What is asked for and not there: said in a sentence, so that nobody hunts for a typo."""

from __future__ import annotations

from collections.abc import Sequence

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Match, Route

from callboard.server.faults import Missing, NotThereYet

__all__ = ["missing_beside"]

_ALL_METHODS = ["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]

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


def missing_beside(routes: Sequence[Route]) -> list[BaseRoute]:
    """Return the route that answers for what no other does.

    Args:
        routes: The others, which come before it.
    """

    async def answer_missing(request: Request) -> Response:
        path: str = request.path_params["path"]
        first = path.partition("/")[0]
        if first in _NOT_YET:
            raise NotThereYet(_NOT_YET[first])
        methods = _methods_of(request, routes)
        if methods:
            allowed = ", ".join(methods)
            detail = f"/{path[:200]} takes {allowed}, not {request.method}."
            raise HTTPException(405, detail, {"Allow": allowed})
        raise Missing(f"{request.method} {request.url.path[:200]}")

    return [Route("/{path:path}", answer_missing, methods=_ALL_METHODS)]


def _methods_of(request: Request, routes: Sequence[Route]) -> list[str]:
    """Return the methods by which a path can be asked for that this one is none of."""
    beside = [route for route in routes if route.matches(request.scope)[0] is Match.PARTIAL]
    if not beside:
        return []
    # Where a path has a fixed name, what takes an id in its place is not meant.
    nearest = min(beside, key=lambda route: len(route.param_convertors)).path
    return sorted(
        {each for route in beside if route.path == nearest for each in route.methods or ()}
    )
