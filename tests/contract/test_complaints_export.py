"""What users complain of where traces leave the process: promises that it can't happen here.

The docstrings name the threads, as repository#number. Programs are real processes, that are traced
as the environment says; the server is `tests.integrations.receiver`, which keeps a line for each
operation. More of the troubles that a server can give is in `tests/integrations`.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from collections import Counter

import pytest

from callboard.callbacks import CallbackManager
from callboard.environment import reload_environment
from callboard.export import Exporter, HttpSink, MemorySink
from callboard.export.pace import Pace
from callboard.export.retry import Backoff
from callboard.langsmith.tracer import LangChainTracer
from callboard.wire import json as wire_json
from tests.integrations.receiver import INFO, Receiver, until

QUICK = Pace(linger=0.01, backoff=Backoff(0.01, 0.05))

posix = pytest.mark.skipif(not hasattr(os, "fork"), reason="processes as POSIX has them")


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    server = Receiver(tmp_path_factory.mktemp("receiver"))
    yield server
    server.kill()


@pytest.fixture
def receiver(server):
    server.reset()
    return server


@pytest.fixture
def start(receiver, tmp_path):
    """Starts programs that are traced; they are killed at the end, if need be."""
    started = []

    def start(program, **variables):
        environment = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith(("LANGSMITH_", "LANGCHAIN_", "CALLBOARD_"))
        }
        environment |= {
            "LANGSMITH_TRACING": "true",
            "LANGSMITH_ENDPOINT": receiver.url,
            "LANGSMITH_API_KEY": "any",
            "CALLBOARD_SPOOL_DIR": str(tmp_path / "spool"),
        }
        process = subprocess.Popen(
            [sys.executable, "-c", PREAMBLE + program],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env={**environment, **variables},
        )
        started.append(process)
        return process

    yield start
    for process in started:
        process.kill()
        process.communicate()


PREAMBLE = """
import os, sys
from callboard.callbacks import CallbackManager, trace_as_chain_group

def call(name="call"):
    run = CallbackManager.configure().on_chain_start({}, {"question": "?"}, name=name)
    run.get_child().on_tool_start({}, "x", name="tool").on_tool_end(1)
    run.on_chain_end({"answer": "!"})
"""


def ended(process):
    out, said = process.communicate(timeout=30)
    return process.returncode, out, said


def kinds(receiver):
    """How many creates and updates have arrived; none twice."""
    arrivals = receiver.arrivals()
    assert set(arrivals.values()) <= {1}
    return Counter(kind for kind, _ in arrivals)


def runs_that_are_pending(receiver):
    arrivals = receiver.arrivals()
    return [run for kind, run in arrivals if kind == "create" and ("update", run) not in arrivals]


@posix
def test_where_a_process_is_frozen_as_it_answers_the_trace_is_out_by_then(receiver, start):
    """langsmith-sdk#611, #1875, #2438; langfuse#3292; weave#4965; openai-agents#2135."""
    freeze = f"call(); os.kill(os.getpid(), {signal.SIGSTOP:d})"
    process = start(freeze, AWS_LAMBDA_FUNCTION_NAME="mine")
    until(lambda: os.waitid(os.P_PID, process.pid, os.WSTOPPED | os.WNOHANG | os.WNOWAIT))
    assert kinds(receiver) == {"create": 2, "update": 2}


@posix
def test_a_worker_that_is_made_by_a_fork_and_lives_on_needs_no_flush(receiver, start):
    """Celery's pool: weave#4965, openai-agents#2135."""
    process = start(
        """
import multiprocessing
call("before the fork")

def work(done):
    call("task")
    done.wait(20)  # It never ends, nor flushes.

context = multiprocessing.get_context("fork")
done = context.Event()
children = [context.Process(target=work, args=(done,)) for _ in range(3)]
for child in children:
    child.start()
sys.stdin.read()
done.set()
for child in children:
    child.join()
"""
    )
    until(lambda: kinds(receiver) == {"create": 8, "update": 8})
    assert ended(process) == (0, "", "")


@posix
def test_a_server_that_forks_its_workers_after_it_has_traced_loses_nothing(receiver, start):
    """langsmith-sdk#457: gunicorn, with the application loaded before the fork."""
    process = start(
        """
call("at load")
workers = []
for _ in range(3):
    worker = os.fork()
    if worker == 0:
        for _ in range(5):
            call("request")
        sys.exit(0)  # As gunicorn's worker does when it is asked to end.
    workers.append(worker)
for worker in workers:
    assert os.waitpid(worker, 0)[1] == 0
call("at the end")
"""
    )
    assert ended(process) == (0, "", "")
    assert kinds(receiver) == {"create": 34, "update": 34}
    assert runs_that_are_pending(receiver) == []


class NoCopies:
    def __deepcopy__(self, memo):
        raise AssertionError("copied")

    def __reduce_ex__(self, protocol):
        raise AssertionError("pickled")

    def __repr__(self):
        return "<no copies>"


def test_nothing_is_deep_copied_and_json_is_made_by_the_export_thread(receiver, monkeypatch):
    """langsmith-sdk#882, mlflow#12885, langfuse#3061."""
    threads = set()
    encode = wire_json.encode

    def watched(value):
        threads.add(threading.current_thread().name)
        return encode(value)

    monkeypatch.setattr(wire_json, "encode", watched)
    exporter = Exporter(HttpSink(receiver.url), pace=QUICK)
    manager = CallbackManager.configure([LangChainTracer(destination=exporter)])
    document = "word " * 200_000
    run = manager.on_chain_start({}, {"document": document, "odd": NoCopies()}, name="run")
    run.on_chain_end({"document": document, "odd": [NoCopies()]})
    assert exporter.flush(10)
    exporter.shutdown(10)
    assert exporter.counters.sent == 1
    assert threads == {"callboard-export"}


def test_text_is_sent_from_where_the_application_has_it():
    """langsmith-sdk#882: big values cost the caller nothing; containers are copied, text is not."""
    exporter = Exporter(sink := MemorySink(), pace=QUICK)
    manager = CallbackManager.configure([LangChainTracer(destination=exporter)])
    document = "word " * 200_000
    manager.on_chain_start({}, {"document": document}, name="run").on_chain_end({})
    assert exporter.flush(10)
    exporter.shutdown(10)
    assert sink.operations[0].parts["inputs"]["document"] is document


TROUBLES = {
    "413, too many bytes": {"max_bytes": 60_000, "info": {**INFO, "instance_flags": {}}},
    "413, too many runs": {"max_operations": 3},
    "422, one run": {"poison": {"RUN": {"do": 422}}},
    "400, one run": {"poison": {"RUN": {"do": 400}}},
    "500, one run": {"poison": {"RUN": {"do": 500}}},
    "timeouts": {"plan": [{"do": "hang"}, {"do": "hang"}]},
    "resets": {"plan": [{"do": "reset"}, {"do": "reset"}]},
    "no server": {"plan": [{"do": 502}, {"do": 504}, {"do": 503}]},
}


@pytest.mark.parametrize("trouble", TROUBLES)
def test_a_big_trace_arrives_but_for_what_the_server_refuses_and_that_is_counted(
    receiver, trouble, caplog
):
    """langsmith-sdk#1506, #808, #1101; langchain#17950."""
    sink = HttpSink(receiver.url, read_timeout=0.2 if trouble == "timeouts" else 5.0)
    exporter = Exporter(sink, pace=QUICK)
    manager = CallbackManager.configure([LangChainTracer(destination=exporter)])
    outer = manager.on_chain_start({}, {"question": "?"}, name="agent")
    bad = outer.get_child().on_tool_start({}, "the one to blame", name="bad")
    told = {"do": json.dumps(TROUBLES[trouble]).replace("RUN", f"create {bad.run_id}")}
    receiver.tell(**json.loads(told["do"]))
    for number in range(40):
        tool = outer.get_child().on_tool_start({}, "x" * 5000, name=f"{number}")
        tool.on_tool_end("y" * 5000)
    bad.on_tool_end("done")
    outer.on_chain_end({"answer": "!"})

    def is_settled():
        counters = exporter.counters
        if trouble == "500, one run" and not counters.dropped:  # Others have to be seen to pass.
            manager.on_chain_start({}, {}, name="more").on_chain_end({})
        return counters.queued == 0

    until(is_settled)
    assert exporter.flush(10)
    refused = trouble.endswith("one run")
    assert exporter.counters.dropped == refused
    assert sum("dropped" in each and str(bad.run_id) in each for each in caplog.messages) <= 1
    arrived = {run for _, run in receiver.arrivals()}
    assert len(arrived) >= 41
    assert (("create", str(bad.run_id)) in receiver.arrivals()) != refused
    assert bool([each for each in caplog.messages if "dropped" in each]) == refused
    exporter.shutdown(10)


@posix
def test_a_quota_that_is_used_up_costs_no_trace_but_time(receiver, start, tmp_path):
    """gaia#720, LambChat#336: 429, and every trace of the month was gone."""
    quota = {"do": 429, "detail": "Monthly unique traces usage limit exceeded"}
    receiver.tell(always={**quota, "headers": {"Retry-After": "3600"}})
    for _ in range(2):
        code, _, said = ended(start("call()"))
        assert code == 0
        assert said.count("Monthly unique traces usage limit exceeded") == 1
    assert not receiver.arrivals()
    receiver.tell(always=None)
    process = start("call(); sys.stdin.read()")
    until(lambda: kinds(receiver) == {"create": 6, "update": 6})
    assert ended(process)[0] == 0
    assert not [each for each in (tmp_path / "spool").rglob("*") if each.is_file()]


ENDINGS = {
    "returns": "call()",
    "raises": """
with trace_as_chain_group("group", CallbackManager.configure()) as group:
    raise SystemExit(0)
""",
    "is interrupted": """
import signal
try:
    with trace_as_chain_group("group", CallbackManager.configure()) as group:
        signal.raise_signal(signal.SIGINT)
except KeyboardInterrupt:
    pass
""",
    "is cancelled": """
import asyncio
from callboard.callbacks import AsyncCallbackManager, atrace_as_chain_group

async def serve():
    async with atrace_as_chain_group("group", AsyncCallbackManager.configure()):
        await asyncio.sleep(60)

async def main():
    task = asyncio.create_task(serve())
    await asyncio.sleep(0)
    task.cancel()
    await asyncio.wait([task])

asyncio.run(main())
""",
    "abandons a stream": """
def stream():
    with trace_as_chain_group("group", CallbackManager.configure()) as group:
        yield 1
        yield 2

for _ in stream():
    break
""",
}


@pytest.mark.parametrize("ending", ENDINGS)
def test_no_run_is_pending_for_ever_however_the_program_ends(receiver, start, ending):
    """langsmith-sdk#453."""
    code, _, said = ended(start(ENDINGS[ending]))
    assert (code, said) == (0, "")
    assert receiver.arrivals()
    assert runs_that_are_pending(receiver) == []


@posix
def test_a_program_that_is_asked_to_end_ends_its_runs_if_it_has_asked_for_that(receiver, start):
    """langsmith-sdk#453: a container that is stopped."""
    process = start(
        """
from callboard.export import install_signal_handlers
install_signal_handlers()
call()
print("ready", flush=True)
sys.stdin.read()
"""
    )
    assert process.stdout.readline() == "ready\n"
    process.send_signal(signal.SIGTERM)
    assert ended(process)[0] == -signal.SIGTERM
    assert kinds(receiver) == {"create": 2, "update": 2}


@pytest.fixture(autouse=True)
def _the_environment_is_none_of_these_tests_affair(monkeypatch):
    for name in os.environ:
        if name.startswith(("LANGSMITH_", "LANGCHAIN_", "CALLBOARD_")):
            monkeypatch.delenv(name)
    reload_environment()
    yield
    monkeypatch.undo()
    reload_environment()
