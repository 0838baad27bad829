"""The store in one SQLite file: what Callboard keeps runs in unless it is told otherwise.

It needs the packages ``apsw`` and ``zstandard``: ``pip install 'callboard[server]'``. The SQLite
that comes with Python is too old on many systems, and slower to reach.
"""

from callboard.errors import MissingExtraError

try:
    from callboard.store.sqlite.store import SqliteStore
except ModuleNotFoundError as error:
    if error.name not in {"apsw", "zstandard"}:
        raise
    raise MissingExtraError(
        f"The SQLite store needs the package {error.name}: pip install 'callboard[server]'."
    ) from None

__all__ = ["SqliteStore"]
