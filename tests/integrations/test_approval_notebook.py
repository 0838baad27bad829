"""Approval in a notebook: a real kernel asks its front end."""

import os
from pathlib import Path

import pytest

pytest.importorskip("ipykernel", reason="ipykernel is not installed")

from jupyter_client.manager import start_new_kernel

SOURCE = Path(__file__).parents[2] / "src"

SYNC = """
from callboard.integrations import approved
print(approved(lambda x: x)(1))
"""
ASYNC = """
@approved(rejected=str)
async def double(x):
    return x * 2
print(await double(2))
"""


@pytest.fixture(scope="module")
def front_end():
    manager, client = start_new_kernel(env={**os.environ, "PYTHONPATH": str(SOURCE)})
    yield client
    client.stop_channels()
    manager.shutdown_kernel(now=True)


def run(client, source, *typed):
    """Run a cell, answer what it asks, and return what it has printed."""
    answers, printed = iter(typed), []

    def show(message):
        printed.append(message["content"].get("text", ""))

    told = client.execute_interactive(
        source,
        allow_stdin=True,
        stdin_hook=lambda message: client.input(next(answers)),
        output_hook=show,
        timeout=50,
    )
    assert told["content"]["status"] == "ok"
    return "".join(printed)


def test_the_front_end_is_asked_in_sync_and_in_async_code(front_end):
    edited = run(front_end, SYNC, "e", '{"x": 7}')
    assert "The tool <lambda> is about to run:\n  x: 1\n" in edited
    assert edited.endswith("7\n")
    assert run(front_end, ASYNC, "y").endswith("4\n")
    assert "it was rejected: not today" in run(front_end, ASYNC, "r not today")
