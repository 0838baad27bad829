"""The guard: who may call at all.

The server listens on loopback and asks for no key, so what keeps strangers out are two checks.
A web page that is open in a browser here can send requests here: its `Origin` gives it away.
One that has its own name point to this machine (DNS rebinding) would be of the same origin:
the `Host` it asks for gives that away.
"""

from __future__ import annotations

from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from callboard.server.answers import answer
from callboard.server.settings import is_loopback

__all__ = ["Guard"]


class Guard:
    """Answers requests of strangers, and hands on the others."""

    def __init__(self, app: ASGIApp) -> None:
        """Stand before an application.

        Args:
            app: The application.
        """
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request, or hand it on."""
        if scope["type"] == "http" and (complaint := _complaint(Headers(scope=scope))):
            await answer({"detail": complaint}, 403)(scope, receive, send)
        else:
            await self._app(scope, receive, send)


def _complaint(headers: Headers) -> str | None:
    host, origin = headers.get("host", ""), headers.get("origin")
    if not _is_ours(f"//{host}"):
        return (
            f"The Host {host[:200]!r} is not one that this server is called by; use "
            "http://127.0.0.1 or http://localhost."
        )
    if origin is not None and not _is_ours(origin):
        return f"Pages of {origin[:200]!r} may not call this server."
    return None


def _is_ours(url: str) -> bool:
    try:
        return is_loopback(urlsplit(url).hostname or "")
    except ValueError:
        return False
