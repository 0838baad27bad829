"""Serving: one process has a database, listens, and answers until it is told to stop.

`serve` does so for the command line. `start` does so beside other code, in a notebook or a test.
"""

from __future__ import annotations

import gc
import os
import socket
import threading
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Self
from weakref import WeakSet

import uvicorn

from callboard.errors import (
    BoardClosedError,
    BoardInUseError,
    PortTakenError,
    StoreUnavailableError,
)
from callboard.locks import FileLock
from callboard.server.app import make_app
from callboard.server.board import Board
from callboard.server.settings import DEFAULT_HOST, Settings
from callboard.store.database import default_database, make_folder, open_database

__all__ = ["RunningServer", "serve", "start"]

_STOP_SECONDS = 10.0
_COLLECT = (50_000, 20, 50)
"""How seldom the garbage collector looks, in a process that does nothing but serve."""


class RunningServer:
    """A server that runs in a thread of this process.

    It is a context manager that stops it.

    Attributes:
        url: Where it is, such as ``http://127.0.0.1:1984``.
        database: Its file.
    """

    def __init__(self, settings: Settings) -> None:
        """Start it: it answers when this returns.

        Args:
            settings: How to serve.

        Raises:
            BoardInUseError: Another server has the file.
            PortTakenError: Something else listens at that port.
            StoreError: The file can't be used.
        """
        self._served = _Served(settings)
        self.url = self._served.url
        self.database = settings.database
        self._started = threading.Event()
        self._thread = threading.Thread(
            target=self._served.run,
            kwargs={"on_start": self._started.set},
            name="callboard-server",
            daemon=True,
        )
        self._thread.start()
        while not self._started.wait(0.05):
            if not self._thread.is_alive():
                raise BoardClosedError("The server ended before it answered; its log says why.")

    def stop(self, timeout: float = _STOP_SECONDS) -> None:
        """Stop it: what it has acknowledged is on disk, and its file is closed.

        Args:
            timeout: How long to wait for that at the most, in seconds.
        """
        self._served.stop()
        self._thread.join(timeout)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()


def start(
    *,
    database: str | Path | None = None,
    host: str = DEFAULT_HOST,
    port: int = 0,
    full_sync: bool = False,
) -> RunningServer:
    """Start a server in this process.

    Args:
        database: Its file, made if it is missing; the default one if None.
        host: The loopback address to listen at.
        port: The port to listen at; 0 takes one that is free.
        full_sync: Whether what comes is on the disk before it is answered for; see `Settings`.

    Returns:
        The server; stop it with ``stop()``, or use it in a ``with`` statement.

    Raises:
        BadOptionError: The host is no loopback address.
        BoardInUseError: Another server has the file.
        PortTakenError: Something else listens at that port.
        StoreError: The file can't be used.
    """
    path = default_database() if database is None else Path(database)
    return RunningServer(Settings(host=host, port=port, database=path, full_sync=full_sync))


def serve(settings: Settings, on_start: Callable[[str], object]) -> None:
    """Serve until the process is told to stop, by SIGINT or SIGTERM.

    Args:
        settings: How to serve.
        on_start: Called with the server's URL when it answers.

    Raises:
        BoardInUseError: Another server has the file.
        PortTakenError: Something else listens at that port.
        StoreError: The file can't be used.
    """
    served = _Served(settings)
    # What requests bring is let go of when they are answered, none of it in circles: the collector
    # would look through it in vain, which takes a fifth of the time that ingest does.
    gc.collect()
    gc.freeze()
    gc.set_threshold(*_COLLECT)
    served.run(on_start=lambda: on_start(served.url))


class _Served:
    """A board, its lock, its socket, and what runs them."""

    def __init__(self, settings: Settings) -> None:
        self._lock = _claim(settings.database)
        try:
            self._socket = _listen(settings)
            try:
                self._board = _open_board(settings)
            except BaseException:
                self._socket.close()
                raise
        except BaseException:
            self._lock.release()
            raise
        host, port = self._socket.getsockname()[:2]
        self.url = f"http://{f'[{host}]' if ':' in host else host}:{port}"
        _all_served.add(self)
        self._server = _Uvicorn(
            uvicorn.Config(
                make_app(self._board),
                log_config=None,
                access_log=False,
                server_header=False,
                lifespan="off",
                timeout_graceful_shutdown=int(_STOP_SECONDS),
            )
        )

    def run(self, on_start: Callable[[], object]) -> None:
        """Answer requests until told to stop; then close everything."""
        self._server.on_start = on_start
        try:
            self._server.run(sockets=[self._socket])
        finally:
            self._socket.close()
            self._board.close()
            self._lock.release()

    def stop(self) -> None:
        """Tell it to stop."""
        self._server.should_exit = True

    def leave_to_parent(self) -> None:
        """Let go of the lock and the socket, in the child of a fork: the parent has its own.

        Else they would be taken as long as the child lives, also when the parent has stopped.
        """
        self._socket.close()
        self._lock.release()


_all_served: WeakSet[_Served] = WeakSet()


def _after_fork() -> None:
    for served in list(_all_served):
        served.leave_to_parent()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)


class _Uvicorn(uvicorn.Server):
    """Says when it answers, and leaves signals alone where it isn't the main thread's affair."""

    on_start: Callable[[], object]

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if self.started:
            self.on_start()


def _open_board(settings: Settings) -> Board:
    store = open_database(settings.database, full_sync=settings.full_sync)
    try:
        return Board(store, settings)
    except BaseException:
        store.close()
        raise


def _claim(database: Path) -> FileLock:
    """Take a database for this process."""
    make_folder(database)
    lock = database.with_name(database.name + ".lock")
    try:
        return FileLock(lock)
    except BlockingIOError:
        raise BoardInUseError(
            f"Another Callboard server has {database} open; stop it, or name another file "
            "with --db."
        ) from None
    except OSError as error:
        raise StoreUnavailableError(
            f"{database} can't be opened, as {lock} can't be written: {error.strerror}."
        ) from None


def _listen(settings: Settings) -> socket.socket:
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    listening = socket.socket(family, socket.SOCK_STREAM)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind((settings.host, settings.port))
        # Two may bind an address that neither listens at; one of them may listen.
        listening.listen()
    except OSError as error:
        listening.close()
        raise PortTakenError(
            f"Can't listen at {settings.host}, port {settings.port}: {error.strerror}; name "
            "another port with --port."
        ) from None
    return listening
