"""The recorder: runs from events alone, and no more of them than it may hold."""

import logging
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from uuid import UUID

import pytest

from callboard.errors import BadOptionError, UnknownRunError
from callboard.testing import StepClock, clock_from
from callboard.tracing.dotted_order import ancestry
from callboard.tracing.kinds import CHAIN, CHAT_MODEL, LLM, RETRIEVER, TOOL
from callboard.tracing.recorder import Recorder

START = datetime(2025, 1, 1, tzinfo=UTC)
NOBODY = UUID(int=999)


class Time:
    """A clock that stands still until it is moved."""

    def __init__(self):
        self.now = START

    def __call__(self):
        return self.now


@pytest.fixture(autouse=True)
def time():
    with clock_from(time := Time()):
        yield time


def started(recorder, number, parent=None, given=None):
    run = recorder.start(
        CHAIN,
        None,
        {} if given is None else given,
        run_id=UUID(int=number),
        parent_run_id=None if parent is None else UUID(int=parent),
    )
    recorder.place(run)
    return run


def ended(recorder, number, parent=None):
    run = started(recorder, number, parent)
    recorder.end(run, {})
    recorder.forget(run)
    return run


def numbers(recorder):
    return [run.id.int for run in recorder.runs.values()]


def test_there_is_no_such_format():
    with pytest.raises(BadOptionError, match=r"'new'; accepted are original, original\+chat, str"):
        Recorder("new")


@pytest.mark.parametrize(
    ("kind", "given", "original", "streaming"),
    [
        (LLM, ["hi"], {"prompts": ["hi"]}, {"prompts": ["hi"]}),
        (CHAT_MODEL, [["hi"]], {"messages": [["hi"]]}, {"messages": [["hi"]]}),
        (CHAIN, {"a": 1}, {"a": 1}, {"input": {"a": 1}}),
        (CHAIN, "text", {"input": "text"}, {"input": "text"}),
        (CHAIN, [1], {"input": [1]}, {"input": [1]}),
        (CHAIN, None, {"input": None}, {"input": None}),
        (TOOL, "text", {"input": "text"}, {"input": "text"}),
        (RETRIEVER, "who", {"query": "who"}, {"query": "who"}),
    ],
)
def test_what_a_run_is_given_has_a_key_for_each_kind_and_format(kind, given, original, streaming):
    assert kind.inputs(given, "original") == kind.inputs(given, "original+chat") == original
    assert kind.inputs(given, "streaming_events") == streaming


@pytest.mark.parametrize(
    ("kind", "returned", "original", "streaming"),
    [
        (LLM, {"generations": []}, {"generations": []}, {"generations": []}),
        (CHAIN, {"a": 1}, {"a": 1}, {"output": {"a": 1}}),
        (CHAIN, "text", {"output": "text"}, {"output": "text"}),
        (TOOL, {"a": 1}, {"output": {"a": 1}}, {"output": {"a": 1}}),
        (RETRIEVER, ["d"], {"documents": ["d"]}, {"documents": ["d"]}),
    ],
)
def test_what_a_run_returns_has_a_key_for_each_kind_and_format(kind, returned, original, streaming):
    assert kind.outputs(returned, "original") == kind.outputs(returned, "original+chat") == original
    assert kind.outputs(returned, "streaming_events") == streaming


def test_a_run_without_a_parent_is_a_trace_of_its_own():
    run = started(Recorder(), 1)
    assert (run.trace_id, run.parent_run_id) == (run.id, None)
    assert run.dotted_order == f"20250101T000000000000Z{run.id}"


def test_a_run_is_in_the_trace_of_its_parent_and_sorts_after_it(time):
    recorder = Recorder()
    root = started(recorder, 9)
    time.now += timedelta(microseconds=1)
    child = started(recorder, 5, parent=9)
    inner = started(recorder, 7, parent=5)
    assert {child.trace_id, inner.trace_id} == {root.id}
    assert ancestry(inner.dotted_order) == [root.id, child.id, inner.id]
    assert root.dotted_order < child.dotted_order < inner.dotted_order
    assert child.dotted_order == f"{root.dotted_order}.20250101T000000000001Z{child.id}"
    assert (root.child_runs, child.child_runs) == ([child], [inner])


def test_a_run_whose_parent_was_never_heard_of_is_a_root():
    run = started(Recorder(), 2, parent=1)
    assert (run.trace_id, run.parent_run_id) == (run.id, None)


def test_a_child_that_comes_after_its_parents_end_is_in_its_trace():
    recorder = Recorder()
    root = started(recorder, 1)
    parent = ended(recorder, 2, parent=1)
    late = started(recorder, 3, parent=2)
    assert late.parent_run_id == parent.id
    assert late.trace_id == root.id
    assert ancestry(late.dotted_order) == [root.id, parent.id, late.id]
    assert numbers(recorder) == [1, 3]


def test_an_order_that_names_no_runs_is_refused():
    with pytest.raises(ValueError, match="badly formed"):
        ancestry("20250101T000000000000Znobody")


def test_a_run_that_is_not_running_is_unknown():
    recorder = Recorder()
    with pytest.raises(UnknownRunError, match=f"No run with id {NOBODY} is running"):
        recorder.running(NOBODY)
    run = ended(recorder, 1)
    with pytest.raises(LookupError):
        recorder.running(run.id)


def test_a_run_of_another_type_is_not_the_one_that_is_meant():
    recorder = Recorder()
    run = started(recorder, 1)
    assert recorder.running(run.id, ("chain", "tool")) is run
    with pytest.raises(UnknownRunError, match="is a chain run, not llm or chat_model"):
        recorder.running(run.id, ("llm", "chat_model"))


def test_what_happens_is_in_order_and_has_its_time():
    with clock_from(StepClock(START)):
        recorder = Recorder()
        run = started(recorder, 1)
        recorder.happened(run, "thought", {"of": "it"})
        recorder.happened(run, "nothing")
        recorder.end(run, {})
    assert run.events == [
        {"name": "start", "time": START},
        {"name": "thought", "time": START + timedelta(seconds=1), "kwargs": {"of": "it"}},
        {"name": "nothing", "time": START + timedelta(seconds=2)},
        {"name": "end", "time": START + timedelta(seconds=3)},
    ]
    assert (run.start_time, run.end_time) == (START, START + timedelta(seconds=3))
    assert run.latency == 3.0


class Outcome:
    def __init__(self, value):
        self.value = value
        self.failed = isinstance(value, Exception)

    def exception(self):
        return self.value

    def result(self):
        return self.value


@pytest.mark.parametrize(
    ("outcome", "told"),
    [
        (None, {"outcome": "N/A"}),
        (
            Outcome(ValueError("no")),
            {"outcome": "failed", "exception": "no", "exception_type": "ValueError"},
        ),
        (Outcome(7), {"outcome": "success", "result": "7"}),
    ],
)
def test_a_retry_tells_which_it_is_and_what_came_of_the_last(outcome, told):
    recorder = Recorder()
    run = started(recorder, 1)
    recorder.retried(run, SimpleNamespace(idle_for=0.5, attempt_number=2, outcome=outcome))
    assert run.events[-1]["name"] == "retry"
    assert run.events[-1]["kwargs"] == {"slept": 0.5, "attempt": 2, **told}


def test_a_failure_is_kept_as_text_with_its_stack_trace():
    recorder = Recorder()
    run = started(recorder, 1)
    try:
        raise ValueError("no")
    except ValueError as error:
        recorder.fail(run, error)
    assert run.error.startswith("ValueError('no')")
    assert "Traceback (most recent call last)" in run.error
    assert __file__ in run.error
    assert run.events[-1]["name"] == "error"
    assert run.outputs is None


def test_a_failure_that_cannot_be_printed_is_kept_by_its_type():
    class UnprintableError(Exception):
        def __repr__(self):
            raise RuntimeError

        __str__ = __repr__

    recorder = Recorder()
    run = started(recorder, 1)
    recorder.fail(run, UnprintableError())
    assert "UnprintableError: unreadable>" in run.error


def test_a_run_whose_outputs_are_its_own_affair_keeps_them():
    recorder = Recorder()
    run = started(recorder, 1)
    run.extra["__omit_auto_outputs"] = True
    run.outputs = {"mine": 1}
    recorder.end(run, {"theirs": 2})
    assert run.outputs == {"mine": 1}


def test_what_is_recorded_is_out_of_reach_by_default():
    inputs, extra, tags, metadata = {"a": [1]}, {"b": [1]}, ["t"], {"m": [1]}
    run = Recorder().start(
        CHAIN, {"k": [1]}, inputs, run_id=UUID(int=1), extra=extra, tags=tags, metadata=metadata
    )
    for mine in (inputs["a"], extra["b"], tags, metadata["m"]):
        mine.append("later")
    assert (run.inputs, run.tags) == ({"a": [1]}, ["t"])
    assert run.extra == {"b": [1], "metadata": {"m": [1]}}


def test_what_runs_is_recorded_as_it_was_too():
    serialized = {"kwargs": {"stop": ["."]}}
    run = Recorder().start(CHAIN, serialized, {}, run_id=UUID(int=1))
    serialized["kwargs"]["stop"].append("!")
    assert run.serialized == {"kwargs": {"stop": ["."]}}


def test_ended_runs_leave_no_more_than_their_newest_places():
    recorder = Recorder(max_runs=100)
    for number in range(1000):
        ended(recorder, number)
    assert recorder.runs == {}
    assert len(recorder.places) <= 100
    assert UUID(int=999) in recorder.places
    assert UUID(int=0) not in recorder.places


def test_of_runs_that_never_end_the_oldest_are_let_go_and_that_is_said_once(caplog):
    recorder = Recorder(max_runs=10)
    for number in range(100):
        started(recorder, number)
        assert len(recorder.runs) <= 10
    assert 99 in numbers(recorder)
    assert 0 not in numbers(recorder)
    (warning,) = caplog.records
    assert warning.levelno == logging.WARNING
    assert "Runs that never ended are let go, as there are more than 10" in warning.message


def test_a_run_under_way_is_kept_however_many_have_ended_inside_it(caplog):
    recorder = Recorder(max_runs=10)
    root = started(recorder, 0)
    for number in range(1, 100):
        child = ended(recorder, number, parent=0)
        assert child.trace_id == root.id
    assert recorder.running(root.id) is root
    assert len(recorder.places) <= 10
    assert caplog.records == []


def test_a_run_that_has_not_ended_after_a_long_time_is_let_go(time, caplog):
    recorder = Recorder(max_age=timedelta(hours=1))
    started(recorder, 1)
    time.now += timedelta(minutes=59)
    started(recorder, 2)
    assert numbers(recorder) == [1, 2]
    time.now += timedelta(minutes=10)
    started(recorder, 3)
    assert numbers(recorder) == [2, 3]
    time.now += timedelta(hours=5)
    started(recorder, 4)
    assert numbers(recorder) == [4]
    assert ["1:00:00" in record.message for record in caplog.records] == [True]


def test_children_of_a_run_that_was_let_go_are_still_in_its_trace(time):
    recorder = Recorder(max_age=timedelta(hours=1))
    root = started(recorder, 1)
    time.now += timedelta(hours=2)
    started(recorder, 2)
    assert started(recorder, 3, parent=1).trace_id == root.id


def test_recorders_that_share_their_maps_build_one_tree():
    one = Recorder()
    other = Recorder(runs=one.runs, places=one.places)
    root = started(one, 1)
    child = started(other, 2, parent=1)
    assert root.child_runs == [child]
    assert child.trace_id == root.id


def test_of_ended_runs_fewer_places_are_kept_than_there_may_be_runs(monkeypatch):
    monkeypatch.setattr("callboard.tracing.recorder.MAX_PLACES", 20)
    recorder = Recorder(max_runs=1000)
    under_way = [started(recorder, number) for number in range(50)]
    for number in range(50, 500):
        ended(recorder, number)
        assert len(recorder.places) <= 50 + 21
    assert numbers(recorder) == list(range(50))
    assert all(run.id in recorder.places for run in under_way)
    assert UUID(int=499) in recorder.places
    assert UUID(int=50) not in recorder.places
