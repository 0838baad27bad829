"""A server for the tests of one module: starting one takes most of a second; and projects."""

import uuid

import pytest

from tests.integrations.board import BoardProcess


@pytest.fixture(scope="module")
def board(tmp_path_factory):
    with BoardProcess(tmp_path_factory.mktemp("board") / "callboard.db") as running:
        yield running


@pytest.fixture
def project(request):
    """A project that only one test sends to."""
    return f"{request.node.name} {uuid.uuid4()}"
