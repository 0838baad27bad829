"""ASGI middleware: requests that come from a traced call are part of its trace."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any, TypeAlias

from callboard.instrument.context import tracing_context

__all__ = ["TracingMiddleware"]

_Message: TypeAlias = MutableMapping[str, Any]
_Receive: TypeAlias = Callable[[], Awaitable[_Message]]
_Send: TypeAlias = Callable[[_Message], Awaitable[None]]
_App: TypeAlias = Callable[[_Message, _Receive, _Send], Awaitable[None]]


class TracingMiddleware:
    """Traces what an application calls for a request under the run that its headers tell of.

    Requests with no such headers, or with headers that make no sense, are handled as ever.
    Headers can be forged: use it where callers are trusted to add to your traces.
    """

    def __init__(self, app: _App) -> None:
        """Wrap an application.

        Args:
            app: The ASGI application.
        """
        self._app = app

    async def __call__(self, scope: _Message, receive: _Receive, send: _Send) -> None:
        """Handle a request, or whatever else the server has."""
        if scope.get("type") not in ("http", "websocket"):
            await self._app(scope, receive, send)
            return
        with tracing_context(parent=dict(scope.get("headers") or ())):
            await self._app(scope, receive, send)
