"""A slash at a path's end means nothing: some clients write one.

They are not redirected, as other servers would: a client that follows may send its POST as a GET.
"""

from __future__ import annotations

from starlette.types import ASGIApp, Receive, Scope, Send

__all__ = ["Slashes"]


class Slashes:
    """Hands on requests without the slashes at the end of their paths."""

    def __init__(self, app: ASGIApp) -> None:
        """Stand before an application.

        Args:
            app: The application.
        """
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Hand a request on."""
        # One that is quoted is part of a name, such as that of a file.
        if scope["type"] == "http" and scope["raw_path"].endswith(b"/"):
            scope = {**scope, "path": scope["path"].rstrip("/") or "/"}
        await self._app(scope, receive, send)
