"""The example that needs no package, from the outside: a program in a process of its own."""

import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]


def ran(*questions):
    done = subprocess.run(
        [sys.executable, "-W", "error", "-m", "examples.support_desk", *questions],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert not done.stderr
    return done.stdout


def test_the_support_desk_answers_shows_its_runs_and_counts():
    printed = ran()
    assert "raise_error" in printed
    assert "on_tool_start is silenced by ignore_agent." in printed
    assert "failed: there is no event on_coffee_break" in printed
    assert re.search(r"What happened.*\n  question +=+ +\d+\.\d ms", printed)
    assert re.search(r"rule_based_stand_in: \d+ in, \d+ out", printed)


def test_the_support_desk_answers_a_question_of_yours():
    printed = ran("What is a group for?")
    assert "puts several calls under one run" in " ".join(printed.split())
