"""What is told of a run that has ended before its start was sent."""

import os
from uuid import uuid4

import pytest

from callboard.callbacks import CallbackManager
from callboard.export import Exporter, MemorySink
from callboard.langsmith.operations import create, retold
from callboard.langsmith.tracer import LangChainTracer
from callboard.redaction import Redaction
from callboard.tracing.run import Run


@pytest.fixture
def sink():
    return MemorySink()


@pytest.fixture
def exporter(sink):
    return Exporter(sink, linger=60)


@pytest.fixture
def tracer(exporter):
    return LangChainTracer(destination=exporter)


def sent(exporter, sink):
    assert exporter.shutdown(10)
    return [(each.kind, each.parts) for each in sink.operations]


def test_runs_inside_each_other_are_each_sent_once(exporter, sink, tracer):
    outer = CallbackManager([tracer], [tracer]).on_chain_start({}, {"q": 1}, name="outer")
    outer.get_child().on_tool_start({}, "in", name="inner").on_tool_end("out")
    outer.on_chain_end({"a": 2})
    told = [(kind, parts["inputs"], parts["outputs"]) for kind, parts in sent(exporter, sink)]
    assert told == [
        ("create", {"q": 1}, {"a": 2}),
        ("create", {"input": "in"}, {"output": "out"}),
    ]


def test_inputs_that_are_known_late_are_those_that_are_told(exporter, sink, tracer):
    run = CallbackManager([tracer]).on_chain_start({}, {"input": ""})
    run.on_chain_end({"a": 2}, inputs={"q": 1})
    [(kind, parts)] = sent(exporter, sink)
    assert (kind, parts["inputs"], parts["outputs"]) == ("create", {"q": 1}, {"a": 2})


def test_what_becomes_of_a_run_after_its_end_is_not_told(exporter, sink, tracer):
    manager = CallbackManager([tracer])
    started = manager.on_chain_start({}, {"q": 1})
    run = tracer.run_map[str(started.run_id)]
    started.on_chain_end({"a": 2})
    run.outputs, run.error = {"a": 3}, "changed"
    run.metadata["late"] = True
    run.tags.append("late")
    [(_, parts)] = sent(exporter, sink)
    assert parts["outputs"] == {"a": 2}
    assert "error" not in parts
    assert sink.operations[0].head["tags"] == []


def test_a_run_that_is_given_what_another_returned_has_a_copy(exporter, sink, tracer):
    manager = CallbackManager([tracer])
    manager.on_chain_start({}, {}).on_chain_end({"a": 1})
    given = tracer.latest_run.outputs
    manager.on_chain_start({}, given)
    given["a"] = 2
    [_, (_, parts)] = sent(exporter, sink)
    assert parts["inputs"] == {"a": 1}


def test_files_are_sent_when_they_are_there_and_not_again(exporter, sink, tracer):
    run = CallbackManager([tracer]).on_chain_start({}, {}, attachments={"a": ("text/plain", b"1")})
    run.on_chain_end({}, attachments={"b": ("text/plain", b"2")})
    assert [kind for kind, _ in sent(exporter, sink)] == ["create", "update"]
    assert [sorted(each.attachments) for each in sink.operations] == [["a"], ["b"]]


def test_a_redaction_that_comes_between_holds_for_what_is_told_after_it(exporter, sink, tracer):
    run = CallbackManager([tracer]).on_chain_start({}, {"q": "open"})
    exporter.redaction = Redaction(hide_outputs=True)
    run.on_chain_end({"a": "secret"})
    told = sent(exporter, sink)
    assert [kind for kind, _ in told] == ["create", "update"]
    assert "secret" not in str(told)


def test_so_does_one_that_the_tracer_gets_between(exporter, sink, tracer):
    run = CallbackManager([tracer]).on_chain_start({}, {"q": "open"})
    tracer.redaction = Redaction(hide_outputs=True)
    run.on_chain_end({"a": "secret"})
    assert "secret" not in str(sent(exporter, sink))


@pytest.fixture(params=["exporter", "tracer"])
def redacts_from_now_on(request, exporter, tracer):
    def redact():
        redacting = exporter if request.param == "exporter" else tracer
        redacting.redaction = Redaction(hide_inputs=True, hide_metadata=True)

    return redact


def test_it_holds_for_what_a_run_is_given_after_it_too(exporter, sink, tracer, redacts_from_now_on):
    started = CallbackManager([tracer]).on_chain_start({}, {"q": ""})
    redacts_from_now_on()
    started.on_chain_end({}, inputs={"q": "secret"})
    assert "secret" not in str(sent(exporter, sink))


def test_it_holds_for_metadata_that_comes_after_it(exporter, sink, tracer, redacts_from_now_on):
    manager = CallbackManager([tracer], metadata={"known": "before"})
    started = manager.on_chain_start({}, {})
    redacts_from_now_on()
    tracer.run_map[str(started.run_id)].metadata["late"] = "secret"
    assert "secret" not in str(sent(exporter, sink))


def test_it_holds_for_what_was_being_submitted_when_it_came(exporter, sink, tracer):
    class Meanwhile(list):
        def __iter__(self):
            exporter.redaction = Redaction(hide_outputs=True)
            return super().__iter__()

    start = create(Run(id=uuid4()))
    exporter.submit(start, redactions=Meanwhile())
    assert not exporter.retell(start, *retold(Run(id=start.run_id)))


def test_the_same_redaction_again_changes_nothing(exporter, sink, tracer):
    exporter.redaction = redaction = Redaction(hide_outputs=True)
    run = CallbackManager([tracer]).on_chain_start({}, {})
    exporter.redaction = redaction
    run.on_chain_end({})
    assert [kind for kind, _ in sent(exporter, sink)] == ["create"]


def test_metadata_that_changes_after_a_run_s_end_is_not_told(exporter, sink, tracer):
    started = CallbackManager([tracer], metadata={"known": 1}).on_chain_start({}, {})
    run = tracer.run_map[str(started.run_id)]
    started.on_chain_end({})
    run.metadata["known"] = 2
    [(_, parts)] = sent(exporter, sink)
    assert parts["extra"]["metadata"]["known"] == 1


@pytest.mark.skipif(not hasattr(os, "fork"), reason="forks")
def test_a_run_that_ends_in_the_child_of_a_fork_is_told_of_there(exporter, sink, tracer):
    run = CallbackManager([tracer]).on_chain_start({}, {"q": 1})
    child = os.fork()
    if child == 0:
        run.on_chain_end({"a": 2})
        told = [(kind, parts["outputs"]) for kind, parts in sent(exporter, sink)]
        os._exit(0 if told == [("update", {"a": 2})] else 1)
    assert os.waitpid(child, 0)[1] == 0
    assert [kind for kind, _ in sent(exporter, sink)] == ["create"]


def test_what_is_hidden_from_the_start_is_hidden_in_what_is_sent_once(exporter, sink):
    tracer = LangChainTracer(destination=exporter, redaction=Redaction(hide_outputs=True))
    CallbackManager([tracer]).on_chain_start({}, {"q": "open"}).on_chain_end({"a": "secret"})
    [(kind, parts)] = sent(exporter, sink)
    assert (kind, parts["inputs"]) == ("create", {"q": "open"})
    assert "secret" not in str(parts)


def test_the_end_of_a_run_whose_start_was_refused_is_refused_too_and_counted(sink):
    exporter = Exporter(sink, linger=60, max_bytes=5_000)
    manager = CallbackManager([LangChainTracer(destination=exporter)])
    run = manager.on_chain_start({}, {"q": "x" * 10_000})
    run.on_chain_end({"a": "y" * 10_000})
    assert sent(exporter, sink) == []
    assert (exporter.counters.emitted, exporter.counters.dropped) == (2, 2)


def test_an_end_that_finds_no_room_leaves_its_start_and_is_counted(sink):
    exporter = Exporter(sink, linger=60, max_bytes=5_000)
    manager = CallbackManager([LangChainTracer(destination=exporter)])
    manager.on_chain_start({}, {"q": 1}).on_chain_end({"a": "y" * 10_000})
    [(kind, parts)] = sent(exporter, sink)
    assert (kind, parts["inputs"]) == ("create", {"q": 1})
    assert (exporter.counters.emitted, exporter.counters.dropped) == (2, 1)
