"""A run as data: its attributes, copies, and how it is written."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from callboard.testing import StepClock, clock_from
from callboard.tracers import Run
from callboard.tracing.dotted_order import segment
from callboard.tracing.run import FIELDS

ONE, TWO = UUID(int=1), UUID(int=2)
START = datetime(2025, 3, 4, 5, 6, 7, 89, tzinfo=UTC)


def test_ids_may_be_text():
    run = Run(
        id=str(ONE),
        parent_run_id=str(TWO),
        trace_id=str(TWO),
        session_id=str(TWO),
        reference_example_id=str(ONE),
    )
    assert (run.id, run.parent_run_id, run.trace_id) == (ONE, TWO, TWO)
    assert (run.session_id, run.reference_example_id) == (TWO, ONE)


def test_what_is_not_given_is_empty_and_not_shared():
    with clock_from(StepClock(START)):
        one, other = Run(id=ONE), Run(id=TWO)
    one.inputs["a"] = one.extra["a"] = one.attachments["a"] = 1
    one.tags.append("t")
    one.events.append({})
    one.child_runs.append(other)
    for name in ("inputs", "extra", "tags", "events", "child_runs", "attachments"):
        assert not getattr(other, name)
    assert (one.name, one.run_type, one.start_time, one.trace_id) == (
        "Unnamed",
        "chain",
        START,
        ONE,
    )
    assert (one.outputs, one.error, one.end_time, one.latency) == (None, None, None, None)


def test_an_order_has_the_start_to_the_microsecond_and_the_id():
    assert segment(START, ONE) == f"20250304T050607000089Z{ONE}"
    assert Run(id=ONE, start_time=START).dotted_order == segment(START, ONE)
    assert segment(START, ONE) == START.strftime("%Y%m%dT%H%M%S%fZ") + str(ONE)


def test_metadata_is_part_of_extra():
    run = Run(id=ONE)
    run.metadata["a"] = 1
    assert run.extra == {"metadata": {"a": 1}}


def test_a_run_as_a_dictionary_has_its_children_as_such_too():
    run = Run(id=ONE, child_runs=[Run(id=TWO, name="inner")], start_time=START)
    told = run.to_dict()
    assert set(told) == set(FIELDS)
    assert told["child_runs"][0]["name"] == "inner"
    shorter = run.to_dict(exclude={"inputs", "child_runs"})
    assert set(FIELDS) - set(shorter) == {"inputs", "child_runs"}
    assert "inputs" not in run.to_dict(exclude=["inputs"])["child_runs"][0]


def test_a_copy_differs_in_what_is_given():
    run = Run(id=ONE, name="one", inputs={"a": 1})
    twin = run.copy({"name": "other"})
    assert (twin.name, run.name) == ("other", "one")
    assert twin.inputs is run.inputs
    assert twin != run
    assert run.copy() == run
    assert run != "one"


def test_a_run_changes_and_so_is_no_key():
    with pytest.raises(TypeError, match="unhashable"):
        hash(Run(id=ONE))


@pytest.mark.parametrize(
    ("changes", "ending"),
    [
        ({}, "running"),
        ({"end_time": START}, "ended"),
        ({"end_time": START, "error": "no"}, "failed"),
    ],
)
def test_a_run_is_written_with_its_kind_name_and_ending(changes, ending):
    run = Run(id=ONE, name="agent").copy(changes)
    assert repr(run) == f"<Run chain:agent {ending} {ONE}>"


def test_latency_is_in_seconds():
    run = Run(id=ONE, start_time=START, end_time=START + timedelta(milliseconds=1500))
    assert run.latency == 1.5


def test_a_misspelt_attribute_is_refused():
    with pytest.raises(AttributeError):
        Run(id=ONE).output = {}
