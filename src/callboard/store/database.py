"""The file that traces are kept in: where it is if nobody says, and how it is opened."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

from platformdirs import user_data_dir

from callboard.environment import value_of
from callboard.store.sqlite import SqliteStore

__all__ = ["default_database", "make_folder", "open_database"]


def default_database() -> Path:
    """Return the file to use when none is named: ``CALLBOARD_DB``, or one in the user's data.

    That is ``callboard/callboard.db`` in ``XDG_DATA_HOME`` (XDG Base Directory Specification),
    or where the platform keeps such things.
    """
    if told := value_of("CALLBOARD_DB"):
        return Path(told).expanduser()
    return Path(user_data_dir("callboard", appauthor=False)) / "callboard.db"


def make_folder(database: Path) -> None:
    """Make the folder of a file, for its owner alone; what is wrong with it, opening will tell.

    Args:
        database: The file.
    """
    with suppress(OSError):
        database.parent.mkdir(mode=0o700, parents=True, exist_ok=True)


def open_database(database: Path, *, full_sync: bool = False) -> SqliteStore:
    """Open a file, or make it and its folder: the same way for a server and for a program.

    Args:
        database: The file.
        full_sync: See `SqliteStore.open`.

    Raises:
        StoreError: It can't be opened.
    """
    make_folder(database)
    return SqliteStore.open(database, full_sync=full_sync)
