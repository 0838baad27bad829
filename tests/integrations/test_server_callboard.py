"""Our own ways to the server: the tracer and its exporter, `start`, and the command line."""

import os
import random
import socket
import subprocess
import sys
import threading
from urllib.request import urlopen
from uuid import UUID, uuid4

import pytest

from callboard import ids
from callboard.callbacks import CallbackManager
from callboard.clock import now
from callboard.errors import BoardInUseError, PortTakenError
from callboard.export import Exporter, HttpSink, Spool
from callboard.export.pace import Pace
from callboard.export.retry import Backoff
from callboard.langsmith.tracer import LangChainTracer
from callboard.payloads import AIMessage, ChatGeneration, LLMResult
from callboard.server import start
from callboard.wire import batch
from callboard.wire.operations import Operation
from tests.integrations.board import BoardProcess
from tests.integrations.langsmith_reading import client_of, runs_of, tree_of
from tests.integrations.receiver import until

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")

SOON = Pace(linger=0.01, backoff=Backoff(0.01, 0.05))
USAGE = {"input_tokens": 3, "output_tokens": 4, "total_tokens": 7}


def work(manager, question):
    """Do what an agent does: a chain, a model inside it that streams, and a tool that fails."""
    agent = manager.on_chain_start({}, {"question": question}, name="agent")
    inner = agent.get_child()
    (model,) = inner.on_llm_start({}, [f"prompt of {question}"], name="model")
    model.on_llm_new_token("said ")
    message = AIMessage(f"said of {question}", usage_metadata=USAGE)
    model.on_llm_end(LLMResult([[ChatGeneration(message)]]))
    tool = inner.on_tool_start({}, question, name="search")
    tool.on_tool_error(TimeoutError(question))
    agent.on_chain_end({"answer": question})


def manager_of(tracer):
    return CallbackManager([tracer], inheritable_handlers=[tracer])


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


PROGRAM = """
import runpy
module = runpy.run_path({path!r})
module["work"](module["CallbackManager"].configure(), "why")
"""


def test_a_program_needs_nothing_but_variables(board, project, tmp_path):
    variables = {
        "LANGSMITH_TRACING": "true",
        "LANGSMITH_ENDPOINT": board.url,
        "LANGSMITH_API_KEY": "any",
        "LANGSMITH_PROJECT": project,
        "CALLBOARD_SPOOL_DIR": str(tmp_path),
    }
    program = [sys.executable, "-c", PROGRAM.format(path=__file__)]
    subprocess.run(program, env={**os.environ, **variables}, check=True, timeout=30)
    with client_of(board.url) as client:
        runs = runs_of(client, project)
        assert tree_of(runs.values(), lambda run: f"{run.name} {run.run_type} {run.status}") == (
            "agent chain success\n  model llm success\n  search tool error"
        )
        assert runs["agent"].outputs == {"answer": "why"}
        assert runs["agent"].total_tokens == runs["model"].total_tokens == 7
        assert runs["model"].first_token_time is not None
        assert runs["search"].error.startswith("TimeoutError('why')")


def test_a_server_that_is_killed_and_comes_back_has_everything_once(tmp_path, project):
    database, port = tmp_path / "callboard.db", str(free_port())
    board = BoardProcess(database, "--port", port)
    sink = HttpSink(board.url, connect_timeout=1, read_timeout=5)
    exporter = Exporter(sink, spool=Spool(tmp_path / "spool"), pace=SOON)
    manager = manager_of(LangChainTracer(project_name=project, destination=exporter))
    stop, questions = threading.Event(), []

    def ask():
        while not stop.is_set():
            questions.append(f"question {uuid4()}")
            work(manager, questions[-1])
            stop.wait(0.01)

    askers = [threading.Thread(target=ask) for _ in range(2)]
    for asker in askers:
        asker.start()
    dice = random.Random(3)
    for _ in range(3):
        stop.wait(dice.uniform(0.1, 0.4))
        board.kill()
        stop.wait(dice.uniform(0.1, 0.3))
        board = BoardProcess(database, "--port", port)
    stop.set()
    for asker in askers:
        asker.join(timeout=20)
    until(lambda: exporter.counters.queued == exporter.counters.spooled == 0, 30)
    assert exporter.shutdown(10)
    assert exporter.counters.dropped == 0
    with board, client_of(board.url) as client:
        runs = list(client.list_runs(project_name=project))
    assert len(runs) == 3 * len(questions)
    roots = {run.id: run.inputs["question"] for run in runs if run.name == "agent"}
    assert sorted(roots.values()) == sorted(questions)
    for run in runs:
        question = roots[run.trace_id]
        match run.name:
            case "agent":
                assert run.outputs == {"answer": question}
            case "model":
                assert run.outputs["generations"][0][0]["text"] == f"said of {question}"
            case "search":
                assert run.error.startswith("TimeoutError(")
        assert run.status == ("error" if run.name == "search" else "success")


def taken(url):
    """Whether a server takes and shows a run; returns its id."""
    run_id = ids.new_id()
    told = Operation("create", run_id, {"name": "hello", "start_time": now()}, {"inputs": {}})
    with urlopen(f"{url}/runs/batch", data=batch.encode([told]), timeout=10) as answer:
        assert answer.status == 202
    with urlopen(f"{url}/runs/{run_id}", timeout=10) as answer:
        assert b'"hello"' in answer.read()
    return run_id


def test_a_server_in_this_process(tmp_path):
    before = set(threading.enumerate())
    database = tmp_path / "there" / "callboard.db"
    with start(database=database) as first:
        run_id = taken(first.url)
        with pytest.raises(BoardInUseError, match=r"callboard\.db open"):
            start(database=database)
        port = int(first.url.rpartition(":")[2])
        with pytest.raises(PortTakenError, match=str(port)):
            start(database=tmp_path / "other.db", port=port)
    with start(database=database, port=port) as again, urlopen(f"{again.url}/runs/{run_id}") as it:
        assert it.status == 200
    assert set(threading.enumerate()) <= before


def shown(database, *arguments):
    command = [sys.executable, "-m", "callboard", "show", "--db", str(database), *arguments]
    ran = subprocess.run(command, capture_output=True, text=True, timeout=20, check=False)
    return ran.returncode, ran.stdout, ran.stderr


@pytest.fixture(scope="module")
def traced(tmp_path_factory):
    """A file with two traces in it, and the id of a run in the first."""
    database = tmp_path_factory.mktemp("traced") / "callboard.db"
    with start(database=database) as server:
        exporter = Exporter(HttpSink(server.url), pace=SOON)
        manager = manager_of(LangChainTracer(project_name="shown", destination=exporter))
        work(manager, "why")
        later = manager.on_chain_start({}, {}, name="later\x1b[31m")
        later.on_chain_error(ValueError("no\nmore"))
        assert exporter.shutdown(10)
        with client_of(server.url) as client:
            return database, runs_of(client, "shown")


def test_show_prints_the_latest_trace(traced):
    database, _ = traced
    code, out, _ = shown(database)
    assert code == 0
    (line,) = out.splitlines()
    assert line.startswith("later\N{REPLACEMENT CHARACTER}[31m (chain), 0.0")
    assert "error: ValueError('no" in line


@pytest.mark.parametrize("which", ["agent", "search"])
def test_show_prints_the_tree_of_any_run(traced, which):
    database, runs = traced
    code, out, _ = shown(database, str(runs[which].id))
    assert code == 0
    agent, model, search = out.splitlines()
    assert agent.startswith("agent (chain), 0.0")
    assert model.startswith("  model (llm), 0.0")
    assert "first token 0.0" in model
    assert "7 tokens" in model
    assert search.startswith("  search (tool), 0.0")
    assert "error: TimeoutError('why')" in search


@pytest.mark.parametrize(
    ("argument", "said"), [("nonsense", "named by a UUID"), (str(UUID(int=7)), "There is no trace")]
)
def test_show_says_what_is_not_there(traced, argument, said):
    code, out, errors = shown(traced[0], argument)
    assert (code, out) == (1, "")
    assert said in errors
    assert "Traceback" not in errors


def test_show_of_no_file(tmp_path):
    code, _, errors = shown(tmp_path / "none.db")
    assert code == 1
    assert "There is no file" in errors
    assert not (tmp_path / "none.db").exists()
