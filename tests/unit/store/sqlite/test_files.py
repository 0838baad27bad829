"""What may be wrong with a file, and what is said of it."""

import os
import sqlite3
import stat

import apsw
import pytest

from callboard.errors import StoreFormatError, StoreFullError, StoreUnavailableError
from callboard.store.records import RunQuery
from callboard.store.sqlite import SqliteStore
from callboard.store.sqlite.schema import APPLICATION_ID
from tests.contract.stores.made import created, ended, listed, whole


@pytest.fixture
def path(tmp_path):
    return tmp_path / "board.db"


@pytest.fixture
def kept(path):
    """A file with a run in it, closed."""
    store = SqliteStore.open(path)
    store.write([created(1, inputs={"text": "hello " * 50})])
    store.close()
    return path


def test_a_closed_store_is_one_file_that_opens_again(kept):
    assert [each.name for each in kept.parent.iterdir()] == ["board.db"]
    store = SqliteStore.open(kept)
    assert listed(store) == [1]
    store.close()


def test_a_file_is_known_by_its_mark_its_pages_and_its_log(kept):
    db = sqlite3.connect(kept)
    marks = [db.execute(f"PRAGMA {name}").fetchone()[0] for name in ("application_id", "page_size")]
    assert marks == [APPLICATION_ID, 8192]
    assert db.execute("PRAGMA journal_mode").fetchone()[0] == "wal"
    db.close()


@pytest.mark.skipif(os.name == "nt", reason="permissions are another thing there")
def test_a_file_is_its_owners_alone_and_so_is_its_log(path):
    store = SqliteStore.open(path)
    store.write([created(1)])
    modes = {each.name: stat.S_IMODE(each.stat().st_mode) for each in path.parent.iterdir()}
    assert modes == dict.fromkeys(("board.db", "board.db-wal", "board.db-shm"), 384)
    store.close()


def test_another_programs_database_is_left_alone(path):
    db = sqlite3.connect(path)
    db.execute("CREATE TABLE mine (a)")
    db.commit()
    db.close()
    before = path.read_bytes()
    with pytest.raises(StoreFormatError, match="no store of Callboard's"):
        SqliteStore.open(path)
    assert path.read_bytes() == before


def test_what_is_no_database_is_refused(path):
    path.write_bytes(b"some notes of mine, and no database" * 500)
    with pytest.raises(StoreFormatError, match="no store of Callboard's, or damaged"):
        SqliteStore.open(path)


def test_an_empty_file_becomes_a_store(path):
    path.touch()
    SqliteStore.open(path).close()
    assert path.stat().st_size > 0


def test_a_newer_version_is_refused(kept):
    db = sqlite3.connect(kept)
    db.execute("PRAGMA user_version = 99")
    db.close()
    with pytest.raises(StoreFormatError, match="version 99"):
        SqliteStore.open(kept)


def test_a_damaged_file_is_said_to_be_damaged(kept):
    data = bytearray(kept.read_bytes())
    data[8192 * 2 :] = b"\xff" * (len(data) - 8192 * 2)
    kept.write_bytes(data)
    with pytest.raises(StoreFormatError, match="damaged"):
        _use(kept)


def _use(path):
    store = SqliteStore.open(path)
    try:
        store.find_runs(RunQuery())
        store.write([created(2)])
    finally:
        store.close()


def test_a_folder_that_is_not_there_is_said_to_be_unreadable(tmp_path):
    with pytest.raises(StoreUnavailableError, match="can't be read or written"):
        SqliteStore.open(tmp_path / "nowhere" / "board.db")


def test_a_file_that_may_not_be_written_is_said_so(kept, monkeypatch):
    # Whoever runs the tests as root may write everything: SQLite is told to think otherwise.
    kept.chmod(stat.S_IRUSR)
    usual = apsw.Connection

    def read_only(name, **options):
        return usual(name, flags=apsw.SQLITE_OPEN_READONLY, **options)

    monkeypatch.setattr(apsw, "Connection", read_only)
    with pytest.raises(StoreUnavailableError, match="can't be read or written"):
        _use(kept)


def test_a_full_disk_costs_the_write_that_it_has_no_room_for_and_no_other(path):
    store = SqliteStore.open(path)
    store.write([created(1)])
    db = store._connections.writer
    db.pragma("max_page_count", db.pragma("page_count") + 20)
    big = [created(number, inputs={"n": number, "text": _noise(number)}) for number in range(2, 40)]
    with pytest.raises(StoreFullError, match="no room left"):
        store.write(big)
    assert listed(store) == [1]
    db.pragma("max_page_count", 10**6)
    store.write(big)
    assert len(listed(store)) == 39
    assert db.pragma("integrity_check") == "ok"
    store.close()


def _noise(seed):
    return "".join(chr(0x4E00 + (seed * 7919 + n * n * 31) % 20_000) for n in range(8_000))


def test_a_write_that_another_process_blocks_for_too_long_can_be_tried_again(kept):
    store = SqliteStore.open(kept)
    store._connections.writer.set_busy_timeout(10)
    other = apsw.Connection(str(kept))
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(StoreUnavailableError, match="another process"):
        store.write([created(2)])
    assert listed(store) == [1]
    other.execute("ROLLBACK")
    other.close()
    store.write([created(2)])
    assert listed(store) == [2, 1]
    store.close()


def test_two_stores_of_one_file_see_each_others_writes(kept):
    one, other = SqliteStore.open(kept), SqliteStore.open(kept)
    one.write([created(2, 1, session_name="made by one", tags=["t"])])
    other.write([created(3, 1, session_name="made by one", tags=["t"]), ended(2, outputs={"a": 1})])
    one.write([created(4, 1, session_name="made by one")])
    assert len({whole(store, n).project_id for store in (one, other) for n in (2, 3, 4)}) == 1
    assert whole(one, 2).payloads["outputs"] == b'{"a":1}'
    for store in (one, other):
        store.close()


def test_a_project_that_another_process_deleted_is_made_again(kept):
    one, other = SqliteStore.open(kept), SqliteStore.open(kept)
    other.delete_project(whole(other, 1).project_id)
    one.write([created(1), created(2)])
    assert listed(other) == [2, 1]
    for store in (one, other):
        store.close()


def test_full_sync_is_what_it_says(path):
    for full_sync, level in ((True, 2), (False, 1)):
        store = SqliteStore.open(path, full_sync=full_sync)
        assert store._connections.writer.pragma("synchronous") == level
        store.close()
