"""What all requests share: the store, the one writer to it, and the threads that read."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any, ParamSpec, TypeVar
from uuid import UUID

from starlette.requests import Request

from callboard import clock, ids
from callboard.server.columns import Origin
from callboard.server.settings import Settings
from callboard.server.writer import Writer
from callboard.store.base import Store
from callboard.store.records import Project, ProjectQuery

__all__ = ["Board", "board_of", "origin_of"]

Result = TypeVar("Result")
Arguments = ParamSpec("Arguments")

DEFAULT_PROJECT = "default"


class Board:
    """The server's state.

    Attributes:
        store: For reads, through `read`.
        writer: For writes.
        settings: What it was started with.
        tenant_id: The one workspace that the protocol asks for; kept in the store.
    """

    def __init__(self, store: Store, settings: Settings) -> None:
        """Make it, with a workspace and the project ``default``.

        Args:
            store: It is the board's to close.
            settings: How to serve.
        """
        self.store = store
        self.settings = settings
        self.tenant_id = _tenant_of(store)
        _ensure_default_project(store)
        self.writer = Writer(store, max_queued_bytes=settings.max_queued_bytes)
        self._readers = ThreadPoolExecutor(settings.readers, thread_name_prefix="callboard-reader")

    async def read(
        self, look: Callable[Arguments, Result], *args: Arguments.args, **kwargs: Arguments.kwargs
    ) -> Result:
        """Return what a read of the store returns, from another thread.

        Args:
            look: A method of the store that reads.
            *args: Its arguments.
            **kwargs: Its keyword arguments.
        """
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._readers, partial(look, *args, **kwargs))

    def close(self) -> None:
        """Finish writing, and close the store."""
        self.writer.close()
        self._readers.shutdown()
        self.store.close()


def board_of(request: Request) -> Board:
    """Return the board that a request is made to."""
    board: Board = request.app.state.board
    return board


def origin_of(request: Request) -> Origin:
    """Return where the links in a request's answer point: to where it was sent."""
    return Origin(board_of(request).tenant_id, str(request.base_url).rstrip("/"))


def _tenant_of(store: Store) -> UUID:
    """Return the workspace's id, which links contain and so must stay the same."""
    kept: Any = store.read_setting("board", "tenant_id")
    if kept is None:
        kept = str(ids.new_id())
        store.write_setting("board", "tenant_id", kept)
    return UUID(kept)


def _ensure_default_project(store: Store) -> None:
    """Make a project, for clients find the workspace's id in the first one there is."""
    if not store.find_projects(ProjectQuery(limit=1)):
        store.create_project(Project(ids.new_id(), DEFAULT_PROJECT, start_us=clock.now_us()))
