"""Whether commits wait for the disk: said to `start`, or to the command line."""

import pytest

import callboard
from callboard.cli.main import main
from callboard.server import serving, start


@pytest.mark.parametrize(("told", "level"), [({}, 1), ({"full_sync": True}, 2)])
def test_commits_wait_for_the_disk_if_they_are_to(tmp_path, told, level):
    with start(database=tmp_path / "traces.db", **told) as server:
        writer = server._served._board.store._connections.writer
        assert writer.pragma("synchronous") == level  # SQLite's NORMAL and FULL.


@pytest.fixture
def environment(monkeypatch):
    yield monkeypatch
    monkeypatch.undo()
    callboard.reload_environment()


@pytest.mark.parametrize(
    ("options", "variable", "is_full"),
    [([], "", False), (["--full-sync"], "", True), ([], "1", True), ([], "false", False)],
)
def test_an_option_or_a_variable_says_so(environment, tmp_path, options, variable, is_full):
    served = []
    environment.setenv("CALLBOARD_FULL_SYNC", variable)
    environment.setattr(serving, "serve", lambda settings, on_start: served.append(settings))
    callboard.reload_environment()
    assert main(["serve", "--db", str(tmp_path / "traces.db"), *options]) == 0
    assert [settings.full_sync for settings in served] == [is_full]
