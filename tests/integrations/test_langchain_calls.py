"""Runnables and graphs called in every way, in processes of their own: beside the original."""

from __future__ import annotations

import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

PROGRAMS = Path(__file__).parent / "langchain_programs"

QUICK = ("invoke", "ainvoke")
OTHERS = (
    "stream",
    "transform",
    "batch",
    "astream",
    "atransform",
    "abatch",
    "astream_events v1",
    "astream_events v2",
    "astream_log",
)

# What each program has to tell of at the least.
SEEN = {
    "runnables.py": ("not yet", "RunnableEach", "Person(name='Ada', age=36)", "retry:attempt:2"),
    "graphs.py": (
        "paused ['left', 'right']",
        "GraphInterrupt",
        "GraphRecursionError",
        "CancelledError",
        "'langgraph_checkpoint_ns': 'outer:...|inner:...'",
    ),
}


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-W", "error", *arguments],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "LANGSMITH_TRACING": "false", "PYTHONHASHSEED": "0"},
    )


def both(program: str, *ways: str) -> str:
    """Run a program on both sides, and return what both have printed."""
    with ThreadPoolExecutor() as at_once:
        words = ((str(PROGRAMS / program), *place, *ways) for place in ((), ("callboard",)))
        original, installed = at_once.map(lambda each: run(*each), words)
    assert original.returncode == 0, original.stderr
    assert installed.returncode == 0, installed.stderr
    assert installed.stdout.splitlines() == original.stdout.splitlines()
    assert installed.stderr == original.stderr
    return original.stdout


@pytest.mark.parametrize("program", SEEN)
def test_calls_are_heard_and_traced_as_with_the_original(program):
    printed = both(program, *QUICK)
    for seen in SEEN[program]:
        assert seen in printed


@pytest.mark.slow
@pytest.mark.parametrize("program", SEEN)
def test_the_other_ways_to_call_are_heard_and_traced_as_with_the_original(program):
    both(program, *OTHERS)


@pytest.mark.slow
def test_results_that_come_as_they_are_done_are_those_of_the_original():
    both("runnables.py", "batch_as_completed", "abatch_as_completed")
