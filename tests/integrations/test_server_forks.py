"""Servers in processes that fork: what they hold is the parent's, and ends with it."""

import multiprocessing
import os
from urllib.parse import urlsplit

import pytest

from callboard.server import start
from tests.integrations.board import ask
from tests.integrations.test_server_safety import batch, run_fields

pytestmark = [
    pytest.mark.skipif(not hasattr(os, "fork"), reason="forks"),
    # From Python 3.12 on a fork beside threads is warned of.
    pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning"),
]


@pytest.fixture
def child_of():
    """Returns a function that forks a child, which lives until the test ends."""
    context = multiprocessing.get_context("fork")
    ended = context.Event()
    children = []

    def make():
        child = context.Process(target=ended.wait, args=(30,))
        child.start()
        children.append(child)

    yield make
    ended.set()
    for child in children:
        child.join(10)
        assert child.exitcode == 0


def test_a_stopped_servers_file_and_port_are_free_while_a_child_lives(tmp_path, child_of):
    database = tmp_path / "traces.db"
    with start(database=database) as server:
        child_of()
    port = urlsplit(server.url).port
    with start(database=database, port=port) as again:
        assert ask(again.url, "GET", "/ok").status == 200


def test_a_server_goes_on_when_its_process_forks(tmp_path, child_of):
    database, run = tmp_path / "traces.db", run_fields()
    with start(database=database) as server:
        child_of()
        assert ask(server.url, "POST", "/runs/batch", batch(run)).status == 202
        assert ask(server.url, "GET", f"/runs/{run['id']}").status == 200
