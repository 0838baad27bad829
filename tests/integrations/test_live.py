"""What running models say, told to a real server as it comes: `docs/live.md`, from one end."""

from __future__ import annotations

import os

import pytest

from callboard.callbacks import CallbackManager
from callboard.environment import reload_environment
from callboard.export import Exporter, HttpSink, LiveCounters, MemorySink, Spool
from callboard.export.pace import Pace
from callboard.export.retry import Backoff
from callboard.langsmith.tracer import LangChainTracer
from callboard.payloads import LLMResult
from tests.integrations.receiver import CALLBOARD, until

QUICK = Pace(linger=0.01, backoff=Backoff(0.01, 0.05))


@pytest.fixture
def receiver(server):
    server.reset()
    server.tell(info=CALLBOARD)
    return server


@pytest.fixture
def exporter(receiver):
    exporter = Exporter(HttpSink(receiver.url, "the key"), pace=QUICK)
    yield exporter
    exporter.shutdown(10)


def model(exporter, name="model"):
    tracer = LangChainTracer(project_name="mine", destination=exporter)
    [run] = CallbackManager.configure([tracer]).on_llm_start({}, ["a prompt"], name=name)
    return run


def text_of(receiver, run):
    """Put what was told of a run together, as far as there is no gap."""
    told = [each for each in receiver.state()["told"] if each["run_id"] == str(run.run_id)]
    text = ""
    for number, each in enumerate(told):
        assert each["sequence"] == number
        assert each["offset"] == len(text)
        text += each["text"]
    return text


def test_the_text_of_a_running_model_comes_while_it_runs(receiver, exporter):
    run = model(exporter)
    for token in ("Good ", "morning", ", ", "Ada"):
        run.on_llm_new_token(token)
    until(lambda: text_of(receiver, run) == "Good morning, Ada")
    run.on_llm_new_token("!")
    until(lambda: text_of(receiver, run) == "Good morning, Ada!")
    told = receiver.state()["told"][0]
    assert (told["session_name"], told["key"]) == ("mine", "the key")
    assert told["trace_id"] == str(run.run_id)
    run.on_llm_end(LLMResult([[]]))
    assert exporter.flush(10)
    assert exporter.counters.sent == exporter.counters.emitted == 2


def test_tokens_are_told_together_and_many_runs_at_once(receiver, exporter):
    runs = [model(exporter, f"{number}") for number in range(20)]
    for number in range(100):
        for run in runs:
            run.on_llm_new_token(f"{number} ")
    whole = "".join(f"{number} " for number in range(100))
    until(lambda: all(text_of(receiver, run) == whole for run in runs))
    assert sum("/live/progress" in each for each in receiver.state()["seen"]) < 200


def test_content_blocks_are_told_as_their_text(receiver, exporter):
    run = model(exporter)
    run.on_llm_new_token([{"type": "text", "text": "hel"}, {"type": "image"}])
    run.on_llm_new_token("lo")
    until(lambda: text_of(receiver, run) == "hello")


def test_a_server_that_is_not_callboard_is_told_nothing(receiver, exporter):
    receiver.tell(info={**CALLBOARD, "callboard": None})
    run = model(exporter)
    assert exporter.flush(10)
    until(lambda: not exporter.live.wanted)
    run.on_llm_new_token("hello")
    run.on_llm_end(LLMResult([[]]))
    assert exporter.flush(10)
    assert set(receiver.state()["seen"]) == {"/runs/multipart accept"}
    assert exporter.live.counters == LiveCounters()


def test_a_sink_that_takes_none_is_told_nothing():
    exporter = Exporter(MemorySink(), pace=QUICK)
    assert not exporter.live.wanted
    run = model(exporter)
    run.on_llm_new_token("hello")
    assert not exporter.live.waits
    exporter.shutdown(10)


@pytest.mark.parametrize(
    "variable", ["LANGSMITH_HIDE_OUTPUTS=true", "LANGSMITH_TRACING_SAMPLING_RATE=0"]
)
def test_what_is_not_to_leave_the_process_is_not_told(receiver, exporter, monkeypatch, variable):
    monkeypatch.setenv(*variable.split("="))
    reload_environment()
    run = model(exporter)
    for _ in range(10):
        run.on_llm_new_token("secret")
    shown = Exporter(HttpSink(receiver.url), pace=QUICK)
    run.on_llm_end(LLMResult([[]]))
    assert exporter.flush(10)
    monkeypatch.undo()
    reload_environment()
    other = model(shown)
    other.on_llm_new_token("hello")
    until(lambda: text_of(receiver, other) == "hello")
    assert "secret" not in str(receiver.state()["told"])
    shown.shutdown(10)


@pytest.mark.parametrize("step", [{"do": 500}, {"do": 429}, {"do": 413}, {"do": "hang"}])
def test_what_the_server_does_not_take_is_dropped_and_operations_go_on(receiver, exporter, step):
    receiver.tell(progress=step)
    run = model(exporter)
    run.on_llm_new_token("lost ")
    until(lambda: exporter.live.counters.dropped)
    receiver.tell(progress=None)

    def is_told():
        run.on_llm_new_token("x")
        return receiver.state()["told"]

    until(is_told)
    first = receiver.state()["told"][0]
    assert first["sequence"] >= 1  # The gap shows.
    assert first["offset"] >= len("lost ")
    assert "lost" not in str(receiver.state()["told"])
    run.on_llm_end(LLMResult([[]]))
    assert exporter.flush(10)
    assert exporter.counters.dropped == 0
    assert receiver.arrivals().total() == 2


def test_a_server_that_takes_it_no_more_is_not_told_again(receiver, exporter):
    receiver.tell(progress={"do": 404})
    run = model(exporter)
    run.on_llm_new_token("a")
    until(lambda: not exporter.live.wanted)
    for _ in range(100):
        run.on_llm_new_token("b")
    run.on_llm_end(LLMResult([[]]))
    assert exporter.flush(10)
    assert sum("/live/progress" in each for each in receiver.state()["seen"]) == 1


def test_in_an_outage_it_is_dropped_and_not_spooled(receiver, tmp_path):
    exporter = Exporter(HttpSink(receiver.url), spool=Spool(tmp_path), pace=QUICK)
    run = model(exporter)
    run.on_llm_new_token("first")
    until(lambda: text_of(receiver, run) == "first")
    receiver.tell(always={"do": 503})
    other = model(exporter, "another")
    until(lambda: exporter.counters.spooled)
    for _ in range(5):
        run.on_llm_new_token(" between")
        other.on_llm_new_token(" between")
    until(lambda: exporter.live.counters.dropped)
    assert b"between" not in b"".join(each.read_bytes() for each in tmp_path.rglob("*.part"))
    receiver.tell(always=None)
    run.on_llm_end(LLMResult([[]]))
    other.on_llm_end(LLMResult([[]]))
    until(lambda: exporter.counters.sent == 4)
    assert "between" not in str(receiver.state()["told"])
    exporter.shutdown(10)


def test_after_its_end_nothing_is_told_of_a_run(receiver, exporter):
    run = model(exporter)
    run.on_llm_new_token("a")
    until(lambda: text_of(receiver, run) == "a")
    run.on_llm_end(LLMResult([[]]))
    exporter.live.add(run.run_id, "late")
    other = model(exporter)
    other.on_llm_new_token("b")
    until(lambda: text_of(receiver, other) == "b")
    assert text_of(receiver, run) == "a"


@pytest.mark.skipif(not hasattr(os, "fork"), reason="forks")
def test_a_child_tells_of_its_own_runs_only(receiver, exporter):
    run = model(exporter)
    run.on_llm_new_token("parent")
    until(lambda: text_of(receiver, run) == "parent")
    child = os.fork()
    if child == 0:
        run.on_llm_new_token("child")
        own = model(exporter, "own")
        own.on_llm_new_token("own")
        until(lambda: exporter.live.counters.sent)
        os._exit(0)
    assert os.waitpid(child, 0)[1] == 0
    assert {each["text"] for each in receiver.state()["told"]} == {"parent", "own"}
