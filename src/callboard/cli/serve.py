"""``callboard serve``: take traces, and answer for them."""

from __future__ import annotations

import argparse
import logging
from pathlib import Path
from typing import Any

from callboard.environment import is_on, value_of
from callboard.errors import BadOptionError, MissingExtraError

__all__ = ["add_to"]

_USUAL_HOST = "127.0.0.1"
_USUAL_PORT = 1984


def add_to(commands: Any) -> None:
    """Add the command to a parser's."""
    parser = commands.add_parser(
        "serve",
        help="run the server",
        description="Run the server: any LangSmith client can send it traces and read them back.",
    )
    parser.add_argument(
        "--host", help=f"loopback address to listen at (CALLBOARD_HOST, {_USUAL_HOST})"
    )
    parser.add_argument(
        "--port", type=int, help=f"port to listen at; 0 is any (CALLBOARD_PORT, {_USUAL_PORT})"
    )
    parser.add_argument(
        "--db", type=Path, help="file to keep traces in (CALLBOARD_DB, one in your user data)"
    )
    parser.add_argument(
        "--full-sync",
        action="store_true",
        help="answer when the disk has it, so that power loss costs nothing (CALLBOARD_FULL_SYNC)",
    )
    parser.set_defaults(run=_run)


def _run(told: argparse.Namespace) -> int:
    try:
        from callboard.server.serving import serve
        from callboard.server.settings import Settings
        from callboard.store.database import default_database
    except ModuleNotFoundError as error:
        raise MissingExtraError(
            f"The server needs the package {error.name}: pip install 'callboard[server]'."
        ) from None
    logging.basicConfig(level=logging.INFO, format="%(levelname)s: %(message)s")
    settings = Settings(
        host=told.host or value_of("CALLBOARD_HOST") or _USUAL_HOST,
        port=_port() if told.port is None else told.port,
        database=told.db or default_database(),
        full_sync=told.full_sync or is_on("CALLBOARD_FULL_SYNC"),
    )
    serve(settings, lambda url: _greet(url, settings.database))
    return 0


def _port() -> int:
    told = value_of("CALLBOARD_PORT")
    if not told:
        return _USUAL_PORT
    try:
        return int(told)
    except ValueError:
        raise BadOptionError(
            f"CALLBOARD_PORT is {told!r}; it takes a number from 0 to 65535."
        ) from None


def _greet(url: str, database: Path) -> None:
    print(
        f"Callboard is at {url}, and keeps traces in {database}.\n\n"
        "Have an application send its traces here:\n\n"
        "  export LANGSMITH_TRACING=true\n"
        f"  export LANGSMITH_ENDPOINT={url}\n"
        "  export LANGSMITH_API_KEY=any\n\n"
        "Ctrl+C stops it.",
        flush=True,
    )
