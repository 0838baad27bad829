"""What the place where a manager is configured adds to it, when somebody describes that place."""

from contextvars import ContextVar
from uuid import UUID

import pytest

from callboard.callbacks import (
    BaseCallbackHandler,
    CallbackManager,
    StdOutCallbackHandler,
    trace_as_chain_group,
)
from callboard.callbacks.hooks import Hook
from callboard.callbacks.surroundings import Surroundings, surround_with, surroundings
from callboard.callbacks.trace import Trace

OUTER, AROUND, ELSEWHERE = UUID(int=1), UUID(int=2), UUID(int=3)


class Traced(Surroundings):
    """Surroundings with a trace, in which the run AROUND is inside the run OUTER."""

    def __init__(self, run_id=AROUND, tags=(), metadata=None):
        self.found = Trace(run_id, f"{OUTER}.{AROUND}", list(tags), metadata or {}, source=None)
        self.told = []

    def trace(self):
        return self.found

    def equip(self, manager, trace):
        self.told.append(("equip", list(manager.handlers), trace))

    def label(self, manager, trace, tags, metadata):
        self.told.append(("label", list(manager.handlers), trace, tags, metadata))


@pytest.fixture
def surround():
    """Put surroundings in force for the length of a test."""
    before = surroundings()
    yield surround_with
    surround_with(before)


def test_by_themselves_surroundings_add_nothing():
    assert type(surroundings()) is Surroundings
    manager = CallbackManager.configure()
    assert (manager.handlers, manager.parent_run_id, manager.tags) == ([], None, [])


def test_putting_others_in_force_returns_those_that_were(surround):
    before, new = surroundings(), Surroundings()
    assert surround(new) is before
    assert surroundings() is new


def test_a_run_that_surrounds_the_call_is_the_parent(surround):
    surround(Traced())
    assert CallbackManager.configure().parent_run_id == AROUND
    assert CallbackManager.configure([BaseCallbackHandler()]).parent_run_id == AROUND


@pytest.mark.parametrize(
    ("passed_on", "parent"),
    [(None, AROUND), (OUTER, AROUND), (AROUND, AROUND), (ELSEWHERE, ELSEWHERE)],
)
def test_of_the_surrounding_run_and_the_one_passed_on_the_nearer_is_the_parent(
    surround, passed_on, parent
):
    surround(Traced())
    given = CallbackManager([], None, passed_on)
    assert CallbackManager.configure(given).parent_run_id == parent


def test_a_trace_without_a_run_leaves_the_parent_alone(surround):
    surround(Traced(run_id=None))
    given = CallbackManager([], None, ELSEWHERE)
    assert CallbackManager.configure(given).parent_run_id == ELSEWHERE
    assert CallbackManager.configure().parent_run_id is None


def test_a_traces_tags_hold_for_the_call_and_what_runs_inside_it(surround):
    surround(Traced(tags=["traced"]))
    manager = CallbackManager.configure(local_tags=["a"])
    assert manager.tags == ["a", "traced"]
    assert manager.inheritable_tags == ["traced"]


def test_tracers_are_added_before_hooks_and_labelled_last(surround):
    handler, hooked = BaseCallbackHandler(), BaseCallbackHandler()
    variable = ContextVar("test_surroundings", default=hooked)

    class Hooking(Traced):
        def hooks(self):
            return [Hook(variable, True, None, None)]

    around = Hooking()
    surround(around)
    CallbackManager.configure(
        [handler],
        langsmith_inheritable_tags=["a"],
        langsmith_inheritable_metadata={"x": 1},
    )
    assert around.told == [
        ("equip", [handler], around.found),
        ("label", [handler, hooked], around.found, ["a"], {"x": 1}),
    ]


def test_where_everything_is_printed_anyway_verbose_adds_nothing(surround):
    class Debugging(Surroundings):
        def debugging(self):
            return True

    surround(Debugging())
    assert CallbackManager.configure(verbose=True).handlers == []
    surround(Surroundings())
    (printing,) = CallbackManager.configure(verbose=True).handlers
    assert isinstance(printing, StdOutCallbackHandler)


def test_a_groups_callbacks_are_theirs_to_choose(surround):
    handler, asked = BaseCallbackHandler(), []

    class Choosing(Surroundings):
        def group_callbacks(self, manager, **options):
            asked.append((manager, options))
            return [handler]

    surround(Choosing())
    with trace_as_chain_group(
        "group", project_name="project", address="address", example_id="example"
    ) as group:
        assert group.handlers == [handler]
    assert asked == [
        (None, {"project_name": "project", "address": "address", "example_id": "example"})
    ]
