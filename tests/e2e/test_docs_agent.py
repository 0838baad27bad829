"""What `make run` runs, from the outside: its processes, what it prints, what the server has."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import sys
import urllib.error
import urllib.request
from pathlib import Path
from typing import NamedTuple

import pytest

from examples.docs_agent import board

ROOT = Path(__file__).parents[2]
PROJECTS = ("agent", "agent_with_callboard")
TREES = [
    [
        "docs agent (chain)",
        "  ask_model (chain)",
        "    ChatOpenAI (llm)",
        "    tools_condition (chain)",
        "  tools (chain)",
        "    search_docs (tool)",
        "      DocsRetriever (retriever)",
        "  ask_model (chain)",
        "    ChatOpenAI (llm)",
        "    tools_condition (chain)",
    ],
    [
        "docs agent (chain)",
        "  ask_model (chain)",
        "    ChatOpenAI (llm)",
        "    tools_condition (chain)",
        "  tools (chain)",
        "    describe_event (tool)",
        "    describe_event (tool)",
        "  ask_model (chain)",
        "    ChatOpenAI (llm)",
        "    tools_condition (chain)",
    ],
]

# It starts four processes, and imports much: seconds on a machine at rest, more on a busy one.
pytestmark = pytest.mark.timeout(240)


class Ran(NamedTuple):
    """What there is of a run of the example."""

    printed: str
    errors: str
    status: int
    database: Path
    runs: dict[str, list[dict]]


@pytest.fixture(scope="module")
def ran(tmp_path_factory):
    """Run the example, ask the server while it is up, and stop it as Ctrl+C does."""
    database = tmp_path_factory.mktemp("board") / "traces.db"
    command = [sys.executable, "-W", "error", "-m", "examples.docs_agent"]
    process = subprocess.Popen(
        [*command, "--keep", "--port", "0", "--db", str(database)],
        cwd=ROOT,
        env=os.environ
        | {"LANGSMITH_ENDPOINT": "http://127.0.0.1:9", "LANGCHAIN_PROJECT": "not me"},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        printed = ""
        while (line := process.stdout.readline()) and "The server stays up" not in line:
            printed += line
        runs = {project: runs_of(url_in(printed), project) for project in PROJECTS} if line else {}
        process.send_signal(signal.SIGINT)
        rest, errors = process.communicate(timeout=60)
    finally:
        process.kill()
    return Ran(printed + rest, errors, process.returncode, database, runs)


def url_in(printed):
    return re.search(r"http://127\.0\.0\.1:\d+", printed)[0]


def asked(url, content=None):
    body = None if content is None else json.dumps(content).encode()
    headers = {"Content-Type": "application/json"}
    with urllib.request.urlopen(urllib.request.Request(url, body, headers), timeout=30) as answer:
        return json.load(answer)


def runs_of(url, project):
    """Return a project's runs, the traces in the order of time, each in the order of its tree."""
    [found] = asked(f"{url}/sessions?name={project}")
    runs = asked(f"{url}/runs/query", {"session": [found["id"]], "limit": 100})["runs"]
    return sorted(runs, key=lambda run: run["dotted_order"])


def trees(runs):
    found = []
    for run in runs:
        depth = run["dotted_order"].count(".")
        if depth == 0:
            found.append([])
        found[-1].append(f"{'  ' * depth}{run['name']} ({run['run_type']})")
    return found


def test_it_ends_well_and_complains_of_nothing(ran):
    assert (ran.status, ran.errors) == (0, "")


def test_it_prints_the_conversation_and_a_tree_for_each_turn_and_tracer(ran):
    assert (
        "A handler whose exceptions should stop the application sets `raise_error`." in ran.printed
    )
    assert "on_tool_start is silenced by ignore_agent." in ran.printed
    url = url_in(ran.printed)
    links = re.findall(rf"^{url}/o/\S+/projects/p/\S+/r/(\S+)$", ran.printed, re.MULTILINE)
    roots = [run["id"] for project in PROJECTS for run in ran.runs[project] if is_root(run)]
    assert links == roots
    roots = re.findall(
        r"docs agent .* s  first token .* s  \d+ tokens  5 steps hidden", ran.printed
    )
    assert len(roots) == 4
    assert len(re.findall(r"describe_event .* failed: LookupError\(", ran.printed)) == 2
    assert len(ran.printed.splitlines()) <= 40


def is_root(run):
    return run["parent_run_id"] is None


@pytest.mark.parametrize("project", PROJECTS)
def test_the_server_has_every_run_in_its_place(ran, project):
    assert trees(ran.runs[project]) == TREES


@pytest.mark.parametrize("project", PROJECTS)
def test_the_server_has_what_the_runs_were_given_and_gave(ran, project):
    runs = ran.runs[project]
    first, second = (run for run in runs if is_root(run))
    assert first["inputs"]["messages"][0][1].startswith("How do I make an exception")
    assert "on_tool_start is silenced" in json.dumps(second["outputs"])
    threads = {run["extra"]["metadata"]["thread_id"] for run in runs}
    assert threads == {first["thread_id"]} == {second["thread_id"]}
    [search] = [run for run in runs if run["name"] == "DocsRetriever"]
    assert "sets `raise_error`" in json.dumps(search["outputs"]["documents"][0])


@pytest.mark.parametrize("project", PROJECTS)
def test_models_are_counted_and_timed_once(ran, project):
    models = [run for run in ran.runs[project] if run["run_type"] == "llm"]
    for model in models:
        assert model["start_time"] < model["first_token_time"] <= model["end_time"]
        assert model["prompt_tokens"] + model["completion_tokens"] == model["total_tokens"]
    roots = [run for run in ran.runs[project] if is_root(run)]
    assert sum(run["total_tokens"] for run in roots) == sum(run["total_tokens"] for run in models)


@pytest.mark.parametrize("project", PROJECTS)
def test_only_the_tool_that_failed_has_an_error(ran, project):
    failed = [run for run in ran.runs[project] if run["status"] != "success"]
    assert [(run["name"], run["status"]) for run in failed] == [("describe_event", "error")]
    assert "there is no event on_coffee_break" in failed[0]["error"]


def test_the_server_is_gone_and_its_traces_are_not(ran):
    with pytest.raises(urllib.error.URLError):
        asked(url_in(ran.printed))
    shown = subprocess.run(
        [sys.executable, "-m", "callboard", "show", "--db", str(ran.database)],
        capture_output=True,
        text=True,
        check=True,
    )
    assert shown.stdout.startswith("docs agent (chain)")
    assert "error: LookupError('there is no event on_coffee_break')\n" in shown.stdout


def test_a_port_that_is_taken_is_left_alone(tmp_path, monkeypatch):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        monkeypatch.setattr(board, "USUAL_PORT", taken.getsockname()[1])
        with board.board(tmp_path / "traces.db") as url:
            assert asked(f"{url}/info")["version"]
            assert not url.endswith(f":{board.USUAL_PORT}")


def test_a_server_that_can_not_start_says_why(tmp_path):
    with (
        board.board(tmp_path / "traces.db", 0),
        pytest.raises(SystemExit, match="Another Callboard server has"),
        board.board(tmp_path / "traces.db", 0),
    ):
        pass
