"""Servers for the tests of one module: starting one takes most of a second; and projects."""

import uuid

import pytest

from tests.integrations.board import BoardProcess
from tests.integrations.receiver import Receiver


@pytest.fixture(scope="module")
def board(tmp_path_factory):
    with BoardProcess(tmp_path_factory.mktemp("board") / "callboard.db") as running:
        yield running


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    server = Receiver(tmp_path_factory.mktemp("receiver"))
    yield server
    server.kill()


@pytest.fixture
def receiver(server):
    """The module's receiver, up and as it should be."""
    server.reset()
    return server


@pytest.fixture
def project(request):
    """A project that only one test sends to."""
    return f"{request.node.name} {uuid.uuid4()}"
