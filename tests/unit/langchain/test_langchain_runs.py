"""A run of ours may stand wherever the SDK's run tree is expected."""

import copy
import gc
import pickle
import weakref
from datetime import UTC, datetime
from unittest.mock import create_autospec
from uuid import UUID, uuid4

import langsmith
import pytest
from langsmith import run_trees
from langsmith.evaluation import EvaluationResult, run_evaluator
from langsmith.run_trees import RunTree
from langsmith.schemas import RunBase

from callboard.langchain.runs import LangChainRun
from callboard.tracing.run import Run

AT = datetime(2026, 11, 21, 18, 44, 30, 493081, tzinfo=UTC)
GIVEN = {
    "id": UUID(int=1),
    "name": "desk",
    "run_type": "tool",
    "start_time": AT,
    "inputs": {"a": 1},
    "outputs": {"b": 2},
    "extra": {"metadata": {"user": "u"}},
    "tags": ["t"],
    "events": [{"name": "start"}],
    "session_name": "mine",
}


def run(**more):
    return LangChainRun(**{**copy.deepcopy(GIVEN), **more})


def run_tree(**more):
    return RunTree(**copy.deepcopy(GIVEN), **more)


@pytest.fixture
def client():
    return create_autospec(langsmith.Client, instance=True)


def test_it_is_taken_for_a_run_tree_and_for_ours():
    for kind in (RunTree, RunBase, LangChainRun, Run):
        assert isinstance(run(), kind)
    assert not isinstance(Run(id=uuid4()), RunTree)


@pytest.mark.parametrize("options", [{}, {"exclude": {"inputs"}}, {"exclude_none": True}])
def test_it_is_dumped_as_a_run_tree_is(options):
    assert run().model_dump(**options) == run_tree().model_dump(**options)
    assert run().dict(**options) == run_tree().model_dump(**options)


def test_it_is_dumped_as_json():
    assert run().model_dump_json() == run().json() == run_tree().model_dump_json()


@pytest.mark.parametrize(
    "name",
    [
        name
        for name in dir(RunTree)
        if not name.startswith(("_", "model_")) and name in vars(RunTree) | vars(RunBase)
    ],
)
def test_it_has_every_public_method_of_a_run_tree(name):
    assert name in ("infer_defaults", "ensure_dotted_order") or hasattr(LangChainRun, name)


def test_it_looks_like_one():
    assert repr(run()) == repr(run_tree())


def test_it_takes_what_a_run_tree_takes():
    parent = run()
    made = LangChainRun(
        name="x", parent_run=parent, project_name="p", client="c", unknown=1, serialized={"id": "q"}
    )
    assert (made.session_name, made.ls_client, made.parent_run_id) == ("p", "c", parent.id)
    assert made.trace_id == parent.trace_id
    assert made.dotted_order.startswith(parent.dotted_order + ".")
    assert isinstance(made.id, UUID)
    assert not hasattr(made, "unknown")


def test_a_child_is_made_under_it():
    parent = run()
    child = parent.create_child("inner", inputs={"q": 1})
    assert parent.child_runs == [child]
    assert (child.parent_run_id, child.trace_id) == (parent.id, parent.trace_id)
    assert child.dotted_order.startswith(parent.dotted_order + ".")
    assert child.metadata == {"user": "u"}


def test_it_is_changed_by_the_sdks_methods():
    changed = run(outputs=None)
    changed.add_tags("more")
    changed.add_metadata({"k": 1})
    changed.add_inputs({"late": 1})
    changed.add_outputs({"o": 1})
    changed.add_event("half way")
    changed.end(outputs={"p": 2}, error="no")
    assert changed.tags == ["t", "more"]
    assert changed.metadata == {"user": "u", "k": 1}
    assert changed.inputs == {"a": 1, "late": 1}
    assert changed.outputs == {"o": 1, "p": 2}
    assert changed.events[-1]["message"] == "half way"
    assert changed.error == "no"
    assert changed.end_time is not None
    assert changed.trace_start_time == AT


def test_it_is_sent_by_a_client_as_a_run_tree_is(client):
    for each in (run(ls_client=client), run_tree(ls_client=client)):
        each.end(end_time=AT)
        each.post()
        each.patch()
    assert client.create_run.call_args_list[0] == client.create_run.call_args_list[1]
    assert client.update_run.call_args_list[0] == client.update_run.call_args_list[1]


def test_its_headers_lead_to_it():
    parent = run()
    found = RunTree.from_headers(parent.to_headers())
    assert (found.id, found.session_name, found.tags) == (parent.id, "mine", ["t"])


def test_it_is_the_parent_in_a_tracing_context(client):
    parent = run(ls_client=client)
    with langsmith.tracing_context(parent=parent, enabled="local", client=client):
        assert langsmith.get_current_run_tree() is parent
        inner = langsmith.traceable(langsmith.get_current_run_tree)()
    assert (inner.parent_run_id, inner.trace_id) == (parent.id, parent.trace_id)


def test_evaluators_take_it(client, monkeypatch):
    monkeypatch.setattr(run_trees, "_CLIENT", client)

    @run_evaluator
    def right(run, example):
        return EvaluationResult(key="right", score=run.outputs["b"] == 2)

    assert right.evaluate_run(run()).score is True


@pytest.mark.parametrize("deep", [False, True])
def test_a_copy_has_everything_but_what_is_changed(deep):
    original = run(address={"id": "x"}, replicas=[])
    twin = original.model_copy(update={"name": "other"}, deep=deep)
    assert (twin.name, twin.inputs, twin.address) == ("other", {"a": 1}, {"id": "x"})
    assert (twin.inputs is original.inputs) is not deep
    assert type(twin) is LangChainRun
    assert original.name == "desk"


def test_it_is_made_of_its_own_fields_again():
    assert LangChainRun.model_construct(**run().model_dump()) == run()


def test_it_can_be_copied_and_pickled():
    assert copy.deepcopy(run()) == copy.copy(run()) == run()
    assert pickle.loads(pickle.dumps(run())) == run()


def test_a_copy_of_all_it_holds_has_no_client():
    """A client has threads and connections, which can't be copied."""
    held = run(ls_client=object())
    assert copy.deepcopy(held).ls_client is None
    assert copy.copy(held).ls_client is held.ls_client


def test_it_can_be_held_weakly():
    held = run()
    reference = weakref.ref(held)
    assert reference() is held
    del held
    gc.collect()
    assert reference() is None
