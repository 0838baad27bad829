"""What SQLite reports, as the errors that the law of stores knows."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

import apsw
import zstandard

from callboard.errors import StoreFormatError, StoreFullError, StoreUnavailableError

__all__ = ["faults_of"]

# A payload that can't be decompressed is one that was written over.
_DAMAGED = (apsw.NotADBError, apsw.CorruptError, zstandard.ZstdError)
_UNAVAILABLE = (
    apsw.AuthError,
    apsw.BusyError,
    apsw.CantOpenError,
    apsw.IOError,
    apsw.LockedError,
    apsw.NoLFSError,
    apsw.PermissionsError,
    apsw.ProtocolError,
    apsw.ReadOnlyError,
)


@contextmanager
def faults_of(path: Path) -> Generator[None]:
    """Raise what SQLite raises in a block as what the law of stores has for it.

    Args:
        path: The file, for the message.
    """
    try:
        yield
    except apsw.FullError as error:
        raise StoreFullError(
            f"There is no room left for {path}; what was to be written is not in it: {error}."
        ) from error
    except _DAMAGED as error:
        raise StoreFormatError(
            f"{path} is no store of Callboard's, or damaged: {error}."
        ) from error
    except apsw.BusyError as error:
        raise StoreUnavailableError(
            f"{path} is being written by another process for too long: {error}."
        ) from error
    except _UNAVAILABLE as error:
        raise StoreUnavailableError(f"{path} can't be read or written: {error}.") from error
