"""Programs whose endpoint is a file: several at once, with a server on the same file."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.integrations.board import BoardProcess

PROGRAM = """
import sys
from callboard import traceable
from callboard.callbacks import CallbackManager
from callboard.langsmith.exporters import default_exporter

@traceable(run_type="tool")
def look_up(city):
    return {"weather": "rain"}

@traceable
def forecast(city):
    return look_up(city)["weather"]

for number in range(int(sys.argv[1])):
    forecast(f"city {number}")
assert default_exporter().flush(20)
counters = default_exporter().counters
print(counters.sent == counters.emitted > 0)
"""


def environment(endpoint, **more):
    return {
        **os.environ,
        "CALLBOARD_SPOOL_DIR": "",
        "LANGSMITH_TRACING": "true",
        "LANGSMITH_ENDPOINT": endpoint,
        "LANGSMITH_PROJECT": "weather",
        **more,
    }


def writing(endpoint, count, **more):
    return subprocess.Popen(
        [sys.executable, "-W", "error", "-c", PROGRAM, str(count)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=environment(endpoint, **more),
    )


def finished(process):
    printed, errors = process.communicate(timeout=60)
    assert (process.returncode, errors) == (0, "")
    return printed


def shown(*arguments, **more):
    done = subprocess.run(
        [sys.executable, "-m", "callboard", "show", *map(str, arguments)],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, **more},
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture
def path(tmp_path) -> Path:
    return tmp_path / "new" / "my traces.db"


def test_a_program_writes_its_traces_into_a_file_without_a_server(path):
    assert finished(writing(path.as_uri(), 1)) == "True\n"
    forecast, look_up = shown("--db", path).splitlines()
    assert forecast.startswith("forecast (chain)")
    assert look_up.startswith("  look_up (tool)")


def test_the_usual_file_is_where_the_command_line_looks(tmp_path):
    usual = {"CALLBOARD_DB": str(tmp_path / "usual.db")}
    finished(writing("callboard:///", 1, **usual))
    assert "look_up (tool)" in shown(**usual)


def test_two_programs_write_while_a_server_has_the_file(path):
    path.parent.mkdir()
    with BoardProcess(path) as board:
        writers = [writing(each, 25) for each in (path.as_uri(), path.as_uri(), board.url)]
        assert [finished(each) for each in writers] == ["True\n"] * 3
        asked = {"session": [project(board)], "is_root": True, "limit": 100}
        runs = board.ask("POST", "/runs/query", asked).content["runs"]
        assert len({run["id"] for run in runs}) == len(runs) == 75
        assert {json.dumps(run["outputs"]) for run in runs} == {'{"output": "rain"}'}
        assert {run["status"] for run in runs} == {"success"}
        assert "look_up (tool)" in shown("--db", path)


def project(board):
    (found,) = board.ask("GET", "/sessions?name=weather").content
    return found["id"]


LINKED = """
import sys
if "installed" in sys.argv:
    import callboard.langchain
    callboard.langchain.install()
    from langchain_core.tracers.langchain import LangChainTracer
else:
    from callboard.tracers import LangChainTracer
from callboard.callbacks import CallbackManager

tracer = LangChainTracer(project_name="some/project")
run = CallbackManager.configure([tracer]).on_chain_start({"name": "a chain"}, {})
run.on_chain_end({})
print(run.run_id, tracer.get_run_url())
"""


@pytest.mark.parametrize("how", ["alone", "installed"])
@pytest.mark.parametrize("prefix", ["", "/api/v1"])
def test_a_link_is_to_where_the_server_says_that_the_run_is(path, how, prefix):
    path.parent.mkdir()
    with BoardProcess(path) as board:
        done = subprocess.run(
            [sys.executable, "-c", LINKED, how],
            capture_output=True,
            text=True,
            check=True,
            env=environment(board.url + prefix, LANGSMITH_API_KEY="any"),
        )
        run_id, url = done.stdout.split()
        assert url == board.ask("GET", f"/api/v2/runs/{run_id}/url").content["url"]
        assert url.startswith(board.url)
