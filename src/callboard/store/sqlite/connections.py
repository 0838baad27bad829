"""Connections to the file: one that writes, and as many that read as threads read at once.

Readers see the last commit and never wait for the writer, nor it for them (SQLite: write-ahead
log). Each connection is used by one thread at a time.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Generator
from contextlib import contextmanager, suppress
from pathlib import Path
from time import monotonic, sleep

import apsw

from callboard.errors import StoreFormatError
from callboard.store.sqlite.codec import Reader
from callboard.store.sqlite.faults import faults_of
from callboard.store.sqlite.functions import Functions
from callboard.store.sqlite.schema import APPLICATION_ID, MIGRATIONS

__all__ = ["Connections", "ReadConnection"]

_BUSY_MS = 10_000
_AGAIN_MS = 5
_WRITER_PRAGMAS = """
    PRAGMA synchronous={synchronous};
    PRAGMA cache_size=-65536;
    PRAGMA wal_autocheckpoint=4000;
    PRAGMA journal_size_limit=67108864;
"""
_READER_PRAGMAS = "PRAGMA query_only=1; PRAGMA cache_size=-16384;"
# What is said of a file that another program made.
_FOREIGN = "{path} is a database, but no store of Callboard's."
_NEWER = (
    "{path} is of version {found}, and this Callboard reads up to version {known}: it was written "
    "by a newer one."
)


class ReadConnection:
    """A connection that reads, with what it needs to read payloads and answer filters.

    Attributes:
        db: The connection.
        payloads: Decompresses payloads.
        functions: The SQL functions of a query.
    """

    def __init__(self, db: apsw.Connection) -> None:
        self.db = db
        self.payloads = Reader(db)
        self.functions = Functions(db, self.payloads)


class Connections:
    """All connections of a process to one file."""

    def __init__(self, path: Path, *, full_sync: bool = False) -> None:
        """Open a file, or make it.

        Args:
            path: The file; its folder must be there.
            full_sync: Whether a commit waits for the disk, not just for the system.

        Raises:
            StoreError: It can't be opened, or is not what it should be.
        """
        self.path = path
        self._lock = threading.Lock()
        self._idle: list[ReadConnection] = []
        self._is_closed = False
        _make_private(path)
        with faults_of(path):
            self.writer = self._connect()
            try:
                _prepare(self.writer, path)
                synchronous = "FULL" if full_sync else "NORMAL"
                self.writer.execute(_WRITER_PRAGMAS.format(synchronous=synchronous))
            except BaseException:
                self.writer.close()
                raise

    @contextmanager
    def reading(self) -> Generator[ReadConnection]:
        """Lend a connection that sees one state of the file for the length of a block."""
        with faults_of(self.path):
            connection = self._take()
            try:
                connection.db.execute("BEGIN")
                yield connection
            finally:
                self._give_back(connection)

    @contextmanager
    def writing(self) -> Generator[apsw.Connection]:
        """Lend the connection that writes; the block is committed whole, or not at all."""
        with faults_of(self.path):
            self.writer.execute("BEGIN IMMEDIATE")
            try:
                yield self.writer
                self.writer.execute("COMMIT")
            except BaseException:
                if self.writer.in_transaction:  # A full disk may have ended it already.
                    self.writer.execute("ROLLBACK")
                raise

    def close(self) -> None:
        """Close what is open; connections that are lent are closed when they come back."""
        with self._lock:
            idle, self._idle, self._is_closed = self._idle, [], True
        for connection in idle:
            connection.db.close()
        self.writer.close()

    def _connect(self) -> apsw.Connection:
        connection = apsw.Connection(str(self.path), statementcachesize=256)
        connection.set_busy_timeout(_BUSY_MS)
        return connection

    def _take(self) -> ReadConnection:
        with self._lock:
            if self._idle:
                return self._idle.pop()
        connection = self._connect()
        connection.execute(_READER_PRAGMAS)
        return ReadConnection(connection)

    def _give_back(self, connection: ReadConnection) -> None:
        if connection.db.in_transaction:
            connection.db.execute("ROLLBACK")
        with self._lock:
            if not self._is_closed:
                self._idle.append(connection)
                return
        connection.db.close()


def _make_private(path: Path) -> None:
    """Make a file that nobody else may read, if there is none: prompts are nobody else's."""
    with suppress(OSError):  # What is wrong with it, SQLite says.
        os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))


def _prepare(db: apsw.Connection, path: Path) -> None:
    """Make a file a store of this version, if it is an older one or nothing yet."""
    if _version(db, path) == len(MIGRATIONS):
        return
    # Both have no effect on a file that has tables.
    db.execute("PRAGMA page_size=8192")
    _write_ahead(db)
    db.execute("BEGIN IMMEDIATE")
    try:
        # Another process may have been quicker.
        for version, migration in enumerate(MIGRATIONS[_version(db, path) :], _version(db, path)):
            db.execute(migration)
            db.execute(f"PRAGMA user_version={version + 1}")
        db.execute(f"PRAGMA application_id={APPLICATION_ID}")
        db.execute("COMMIT")
    except BaseException:
        if db.in_transaction:
            db.execute("ROLLBACK")
        raise


def _write_ahead(db: apsw.Connection) -> None:
    """Turn the write-ahead log on; wait for another process that does so to a file as new.

    SQLite itself does not wait there, whatever the timeout: each may hold what the other needs.
    """
    deadline = monotonic() + _BUSY_MS / 1000
    while True:
        try:
            db.execute("PRAGMA journal_mode=WAL")
        except apsw.BusyError:
            if monotonic() >= deadline:
                raise
            sleep(_AGAIN_MS / 1000)
        else:
            return


def _version(db: apsw.Connection, path: Path) -> int:
    """Return the version of a file, 0 of one with nothing in it.

    Raises:
        StoreFormatError: It is of another program, or of a version yet unknown.
    """
    application, version = db.pragma("application_id"), db.pragma("user_version")
    if application != APPLICATION_ID:
        is_empty = db.execute("SELECT NOT EXISTS (SELECT 1 FROM sqlite_schema)").get
        if application or version or not is_empty:
            raise StoreFormatError(_FOREIGN.format(path=path))
    if version > len(MIGRATIONS):
        raise StoreFormatError(_NEWER.format(path=path, found=version, known=len(MIGRATIONS)))
    return int(version)
