"""Endpoints that are files: ``file:///home/me/traces.db``, and ``callboard:///`` for the usual one.

A program that has one as its ``LANGSMITH_ENDPOINT`` writes its traces straight into the file. Any
number of programs may do so at once, and a server on the same file shows what they write.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from pathlib import Path
from urllib.parse import urlsplit
from urllib.request import url2pathname

from callboard.environment import is_on
from callboard.errors import BadOptionError
from callboard.store.database import default_database, open_database
from callboard.store.local import StoreSink

__all__ = ["database_of", "open_file_sink"]

_NO_HOST = frozenset({"", "localhost"})


def open_file_sink(
    endpoint: str,
    api_key: str | None = None,  # noqa: ARG001 - whoever can write the file needs none
    *,
    headers: Mapping[str, str] | None = None,  # noqa: ARG001
) -> StoreSink:
    """Make the sink of a file; it is opened, or made, when something is written.

    With ``CALLBOARD_FULL_SYNC`` what is written is on the disk before it counts as sent.

    Args:
        endpoint: See `database_of`.
        api_key: Not needed.
        headers: Not needed.

    Raises:
        BadOptionError: The endpoint is no file.
    """
    full_sync = is_on("CALLBOARD_FULL_SYNC")
    return StoreSink(partial(open_database, database_of(endpoint), full_sync=full_sync))


def database_of(endpoint: str) -> Path:
    """Return the file that an endpoint means.

    Args:
        endpoint: ``file:///`` with a path, in which other characters than usual are written as
            in any URL (``%20``), or ``callboard:///``.

    Raises:
        BadOptionError: It is neither, or there is a folder at that path.
    """
    parts = urlsplit(endpoint)
    if parts.netloc not in _NO_HOST or parts.query or parts.fragment:
        raise _refused(endpoint, "names a host, or more than a path")
    if parts.scheme == "callboard":
        if parts.path.strip("/"):
            raise _refused(endpoint, "names a file")
        return default_database()
    path = Path(url2pathname(parts.path))
    if not path.is_absolute():
        raise _refused(endpoint, "has no whole path")
    if path.is_dir():
        raise _refused(endpoint, "is a folder")
    return path


def _refused(endpoint: str, why: str) -> BadOptionError:
    return BadOptionError(
        f"The endpoint {endpoint!r} {why}; it takes file:/// with the whole path of a file, such "
        "as file:///home/me/traces.db, or callboard:/// for the file that callboard serve has."
    )
