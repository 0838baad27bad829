"""Endpoints that are files."""

import stat
import sys

import pytest

from callboard.environment import reload_environment
from callboard.errors import BadOptionError
from callboard.export import open_sink
from callboard.store.database import default_database
from callboard.store.endpoints import database_of
from callboard.store.local import StoreSink


@pytest.fixture
def environment(monkeypatch):
    def set_variables(**variables):
        for name, value in variables.items():
            monkeypatch.setenv(name, value)
        reload_environment()

    yield set_variables
    monkeypatch.undo()
    reload_environment()


@pytest.mark.parametrize("host", ["", "localhost"])
def test_a_file_is_named_by_its_whole_path(tmp_path, host):
    path = tmp_path / "my traces, ä.db"
    written = path.as_uri().removeprefix("file://")
    assert database_of(f"file://{host}{written}") == path


@pytest.mark.parametrize("endpoint", ["callboard:", "callboard:///", "CALLBOARD://localhost/"])
def test_the_usual_file_is_that_of_the_server(environment, tmp_path, endpoint):
    environment(CALLBOARD_DB=str(tmp_path / "usual.db"))
    assert database_of(endpoint) == default_database() == tmp_path / "usual.db"


@pytest.mark.parametrize(
    ("endpoint", "why"),
    [
        ("file:traces.db", "has no whole path"),
        ("file:", "has no whole path"),
        ("file://server/traces.db", "names a host"),
        ("file:///traces.db?mode=ro", "more than a path"),
        ("file:///traces.db#1", "more than a path"),
        ("callboard:///traces.db", "names a file"),
    ],
)
def test_what_is_no_file_is_refused(endpoint, why):
    with pytest.raises(BadOptionError, match=f"{why}.*; it takes file:///"):
        open_sink(endpoint)


def test_a_folder_is_refused(tmp_path):
    with pytest.raises(BadOptionError, match="is a folder"):
        open_sink(tmp_path.as_uri())


def test_nothing_is_made_before_something_is_written(tmp_path):
    path = tmp_path / "new" / "traces.db"
    sink = open_sink(path.as_uri(), "a key", headers={"a": "b"})
    assert isinstance(sink, StoreSink)
    sink.close()
    assert not path.parent.exists()


@pytest.mark.skipif(sys.platform == "win32", reason="there are no such permissions")
def test_file_and_folder_are_their_owners_alone(tmp_path):
    path = tmp_path / "new" / "traces.db"
    sink = open_sink(path.as_uri())
    sink.send([])
    sink.close()
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
