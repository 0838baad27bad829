"""What programs trace in LangChain's place arrives as the original's does, at real servers.

Each program is run twice, in processes of their own: with LangChain's tracers and the SDK's
client, and with Callboard's. The traces are compared as text.
"""

from __future__ import annotations

import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple
from uuid import UUID

import pytest
from langsmith._internal._uuid import uuid7_deterministic

from tests.integrations.traces import as_text, runs_in
from tests.unit.wire.langsmith_server import Request, receiving

PROGRAMS = Path(__file__).parent / "langchain_programs"


class Arrived(NamedTuple):
    """What two servers have been sent by a program, and what it printed."""

    first: list[Request]
    second: list[Request]
    printed: str


def run(program: str, *arguments: str) -> Arrived:
    with receiving(zstd=True) as (url, first), receiving(zstd=True) as (other, second):
        ran = subprocess.run(
            [sys.executable, "-W", "error", str(PROGRAMS / program), *arguments, other],
            capture_output=True,
            text=True,
            check=False,
            env={
                **os.environ,
                "CALLBOARD_SPOOL_DIR": "",
                "LANGSMITH_API_KEY": "the key",
                "LANGSMITH_ENDPOINT": url,
                "LANGSMITH_PROJECT": "mine",
                "LANGSMITH_TRACING": "true",
            },
        )
        assert ran.returncode == 0, ran.stderr
        return Arrived(list(first), list(second), ran.stdout)


@pytest.fixture(scope="module")
def routed() -> Arrived:
    return run("routed.py", "callboard")


def test_a_programs_traces_are_those_of_the_original():
    original, installed = run("traced.py"), run("traced.py", "callboard")
    # Functions that the SDK traces, around chains too, and all chains go by one queue.
    agents = {sent.headers["user-agent"].partition("/")[0] for sent in installed.first}
    assert agents == {"callboard"}
    text = as_text(original.first)
    assert as_text(installed.first) == text
    assert installed.printed == original.printed
    for seen in ("'tools' over", "'by hand' over", "ValueError", "new_token", "another-project"):
        assert seen in text
    assert "pending" not in text
    assert "never seen" not in text


@pytest.mark.parametrize(
    ("program", "seen"),
    [
        ("interwoven.py", ("'ChatOpenAI'", "'fourth'", "ValueError")),
        ("contexts.py", ("'served'", "'below the first' over", "CancelledError", "a third")),
    ],
)
def test_the_sdks_runs_and_runnables_in_each_other_are_those_of_the_original(program, seen):
    with ThreadPoolExecutor() as at_once:
        places = ((), ("callboard",))
        original, installed = at_once.map(lambda place: run(program, *place), places)
    text = as_text(original.first, values=True)
    assert as_text(installed.first, values=True).splitlines() == text.splitlines()
    assert installed.printed == original.printed
    for words in seen:
        assert words in text
    assert "pending" not in text
    assert "never seen" not in text


def test_the_sdk_evaluates_runs_as_it_does_the_originals():
    original, installed = run("evaluated.py"), run("evaluated.py", "callboard")
    (_, *results), (_, *expected) = (each.printed.splitlines() for each in (installed, original))
    assert results == expected  # The first line has the experiment's name, made up each time.
    assert expected[0] == "{'double': 2} [('right', True)]"


def test_replicas_and_addresses_get_what_the_originals_get(routed):
    original = run("routed.py")
    for ours, theirs in zip(routed[:2], original[:2], strict=True):
        assert as_text(ours) == as_text(theirs)
    text = as_text(routed.first) + as_text(routed.second)
    for seen in ("lrn:agents/some-agent/environments/local", "'by the SDK'", "replicated"):
        assert seen in text


def test_a_replicas_ids_are_those_that_the_sdk_would_give_it(routed):
    primary, replica = ids_in("first", routed.first), ids_in("second", routed.second)
    assert len(primary) == 4
    assert replica == {uuid7_deterministic(UUID(str(each)), "second") for each in primary}


def ids_in(project: str, requests: list[Request]) -> set[UUID]:
    runs = runs_in(requests)
    return {run_id for run_id, run in runs.items() if run.head.get("session_name") == project}


def test_a_server_of_a_replica_is_not_sent_the_key_of_another(routed):
    keys = {
        (sent.headers.get("x-api-key"), sent.headers.get("x-service-key")) for sent in routed.second
    }
    assert keys == {("the other key", None), (None, "a service")}


def test_the_sdks_own_runs_inside_a_chain_go_the_chains_way(routed):
    agents = {sent.headers["user-agent"].partition("/")[0] for sent in routed.first}
    assert agents == {"callboard"}
