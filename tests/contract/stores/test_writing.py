"""What is told of a run, in whatever order it comes, is what is read of it."""

from uuid import UUID

import pytest

from callboard.store.records import ProjectQuery, RunQuery
from callboard.testing import StepClock, clock_from
from tests.contract.stores.made import (
    START_US,
    at,
    created,
    ended,
    listed,
    numbers,
    place,
    run,
    told,
    whole,
)


def test_a_run_reads_as_it_was_told(store):
    store.write(
        [
            created(
                1,
                inputs={"question": "How high is it?"},
                outputs={},
                events=[],
                extra={"metadata": {"user": "ada", "conversation_id": "c-9"}},
                serialized={"lc": 1},
                tags=["prod"],
                reference_example_id=run(77),
                files={"photo": ("image/png", b"\x89PNG")},
            ),
            ended(
                1,
                2.5,
                outputs={"answer": "Quite."},
                events=[{"name": "start"}, {"name": "new_token", "time": at(1.5)}],
            ),
        ]
    )
    found = whole(store, 1)
    assert (found.name, found.run_type, found.status) == ("run 1", "chain", "success")
    assert (found.start_us, found.latency) == (START_US + 1_000_000, 2.5)
    assert found.first_token_us == START_US + 1_500_000
    assert (found.tags, found.metadata["user"], found.thread_id) == (["prod"], "ada", "c-9")
    assert (found.inputs_preview, found.outputs_preview) == ("How high is it?", "Quite.")
    assert found.reference_example_id == run(77)
    assert found.payloads["inputs"] == b'{"question":"How high is it?"}'
    assert found.payloads["serialized"] == b'{"lc":1}'
    assert "error" not in found.payloads
    assert found.attachments == {"photo": "image/png"}
    assert store.read_attachment(run(1), "photo").data == b"\x89PNG"
    assert store.read_attachment(run(1), "other") is None


def test_an_update_counts_more_than_the_create_that_comes_after_it(store):
    store.write([ended(1, outputs={"a": 1}, name="new name")])
    store.write([created(1, name="old name", outputs={}, inputs={"q": 1})])
    found = whole(store, 1)
    assert (found.name, found.status) == ("new name", "success")
    assert found.payloads == {"inputs": b'{"q":1}', "outputs": b'{"a":1}'}


def test_a_create_that_tells_of_the_end_counts_more_than_one_that_does_not(store):
    store.write([created(1, name="whole", end_time=at(3), outputs={"a": 1})])
    store.write([created(1, name="start", outputs={"a": 0})])
    assert whole(store, 1).name == "whole"
    assert whole(store, 1).payloads["outputs"] == b'{"a":1}'


def test_of_two_updates_the_later_counts_and_of_two_creates_the_first(store):
    store.write([created(1, name="first"), created(1, name="second")])
    store.write([created(1, name="third")])
    assert whole(store, 1).name == "first"
    store.write([ended(1, outputs={"n": 1})])
    store.write([ended(1, outputs={"n": 2}), ended(1, outputs={"n": 3})])
    assert whole(store, 1).payloads["outputs"] == b'{"n":3}'


def test_attachments_are_united(store):
    store.write([created(1, files={"a": ("text/plain", b"1"), "b": ("text/plain", b"2")})])
    store.write([ended(1, files={"b": ("text/html", b"3")})])
    store.write([created(1, files={"b": ("text/plain", b"4")})])
    assert whole(store, 1).attachments == {"a": "text/plain", "b": "text/html"}
    assert store.read_attachment(run(1), "b").data == b"3"


def test_a_run_that_only_an_end_was_told_of_is_read_but_not_listed(store):
    store.write([ended(1, outputs={"a": 1})])
    found = whole(store, 1)
    assert (found.project_id, found.start_us, found.status) == (None, None, "success")
    assert listed(store) == []
    assert listed(store, ids=[run(1)]) == [1]


def test_an_error_fails_a_run_once_it_has_ended(store):
    store.write([created(1), told("update", 1, error="ValueError: no")])
    assert (whole(store, 1).status, whole(store, 1).error_preview) == ("pending", "ValueError: no")
    store.write([ended(1)])
    assert whole(store, 1).status == "error"


def test_a_long_error_is_read_whole_and_shown_short(store):
    store.write([created(1), ended(1, error="x" * 5000)])
    assert len(whole(store, 1).error_preview) == 500
    assert len(whole(store, 1).payloads["error"]) == 5002


def test_projects_are_made_as_they_are_named(store):
    known = UUID(int=99)
    store.write(
        [
            created(5, session_name="by name"),
            created(2, session_name="by name"),
            created(3, session_name=None),
            created(4, session_name=None, session_id=known),
            created(6, session_name=None, address="lrn:agents/a/environments/prod"),
        ]
    )
    found = {each.name: each for each in store.find_projects(ProjectQuery())}
    assert set(found) == {"by name", "default", str(known), "lrn:agents/a/environments/prod"}
    assert found["by name"].start_us == START_US + 2_000_000
    assert found[str(known)].id == known
    assert found["lrn:agents/a/environments/prod"].address == "lrn:agents/a/environments/prod"
    assert whole(store, 3).project_id == found["default"].id


def test_an_update_may_move_a_run_to_another_project(store):
    store.write([created(1, session_name="one", tags=["t"])])
    store.write([told("update", 1, session_name="other")])
    one, other = (store.find_projects(ProjectQuery(name=name))[0].id for name in ("one", "other"))
    assert listed(store, project_ids=[one]) == []
    assert listed(store, project_ids=[other], is_root=True) == [1]


def test_a_run_without_a_place_gets_its_own(store):
    store.write([created(1, dotted_order=None)])
    found = whole(store, 1)
    assert (found.trace_id, found.dotted_order, found.is_root) == (run(1), place(1), True)


@pytest.mark.parametrize("order", [(1, 2, 3), (3, 2, 1), (2, 3, 1)])
def test_children_get_their_place_when_their_parents_are_known(store, order):
    runs = {
        1: created(1, dotted_order=None),
        2: created(2, dotted_order=None, parent_run_id=run(1)),
        3: created(3, dotted_order=None, parent_run_id=run(2)),
    }
    for number in order:
        store.write([runs[number]])
    assert numbers(store.read_outline(run(1))) == [1, 2, 3]
    assert whole(store, 3).dotted_order == place(1, 2, 3)
    assert [whole(store, number).is_root for number in (1, 2, 3)] == [True, False, False]
    assert whole(store, 3).parent_run_id == run(2)


def test_a_loop_of_parents_is_read_as_told(store):
    store.write(
        [
            created(1, dotted_order=None, parent_run_id=run(2)),
            created(2, dotted_order=None, parent_run_id=run(1)),
            created(3, dotted_order=None, parent_run_id=run(3)),
        ]
    )
    assert [whole(store, number).parent_run_id for number in (1, 2)] == [run(2), run(1)]
    assert sorted(listed(store)) == [1, 2, 3]


def test_runs_are_received_by_the_clock_even_if_it_goes_back(store):
    with clock_from(StepClock()):
        store.write([created(1)])
    store.write([created(2)])
    with clock_from(StepClock()):
        store.write([created(3)])
    assert whole(store, 3).received_us < whole(store, 2).received_us
    assert listed(store) == [3, 2, 1]


def test_text_of_any_character_comes_back(store):
    name = "a\0b \U0001f600 'x' --"
    store.write([created(1, name=name, tags=[name], extra={"metadata": {name: name}})])
    found = whole(store, 1)
    assert (found.name, found.tags, found.metadata) == (name, [name], {name: name})


def test_what_is_deleted_may_be_told_again_as_new(store):
    store.write([created(1, name="old"), created(2, 1), created(3)])
    store.write([ended(2, outputs={"a": 1})])
    assert store.delete_traces([run(1), run(50)]) == 2
    assert whole(store, 1) is None
    assert listed(store) == [3]
    store.write([created(1, name="new")])
    assert (whole(store, 1).name, whole(store, 2)) == ("new", None)
    assert store.find_runs(RunQuery(trace_id=run(1))).items[0].name == "new"


def test_nothing_is_written_of_nothing(store):
    assert store.write([]) == []
    assert store.delete_traces([]) == 0


def test_a_big_trace_is_deleted_whole(store):
    store.write([created(1), *(created(n, 1, tags=[f"t{n}"]) for n in range(2, 30))])
    store.write([created(40)])
    assert store.delete_traces([run(1), run(40)]) == 30
    assert listed(store, limit=100) == []
