"""Configuring a manager: callbacks, tags, metadata, verbose, in every combination."""

from itertools import product
from uuid import uuid4

import pytest

from callboard.callbacks import (
    AsyncCallbackManager,
    BaseCallbackHandler,
    CallbackManager,
    StdOutCallbackHandler,
)

both_kinds = pytest.mark.parametrize("kind", [CallbackManager, AsyncCallbackManager])


@pytest.fixture
def handlers():
    return [BaseCallbackHandler() for _ in range(4)]


@both_kinds
def test_without_anything_nobody_listens(kind):
    manager = kind.configure()
    assert type(manager) is kind
    assert (manager.handlers, manager.inheritable_handlers) == ([], [])
    assert (manager.tags, manager.inheritable_tags) == ([], [])
    assert (manager.metadata, manager.inheritable_metadata) == ({}, {})
    assert manager.parent_run_id is None


FORMS = ["none", "empty", "list", "tuple", "sync manager", "async manager"]


def callbacks_in(form, own, inherited, parent):
    """Put handlers into one of the forms that callbacks may have."""
    if form in ("none", "empty"):
        return None if form == "none" else []
    if form in ("list", "tuple"):
        return [own, inherited] if form == "list" else (own, inherited)
    kind = CallbackManager if form == "sync manager" else AsyncCallbackManager
    return kind(
        [own, inherited],
        [inherited],
        parent,
        tags=["own tag", "passed on"],
        inheritable_tags=["passed on"],
        metadata={"own": 1, "passed on": 2},
        inheritable_metadata={"passed on": 2},
    )


@both_kinds
@pytest.mark.parametrize(("inheritable", "local"), list(product(FORMS, FORMS)))
def test_inheritable_and_local_callbacks_in_every_form(kind, inheritable, local, handlers):
    parent = uuid4()
    inherits = callbacks_in(inheritable, *handlers[:2], parent)
    locals_ = callbacks_in(local, *handlers[2:], uuid4())
    manager = kind.configure(inherits, locals_)
    expected, passed_on = [], []
    if inheritable not in ("none", "empty"):
        expected = handlers[:2]
        passed_on = handlers[:2] if inheritable in ("list", "tuple") else handlers[1:2]
    if local not in ("none", "empty"):
        expected = expected + handlers[2:]
    assert manager.handlers == expected
    assert manager.inheritable_handlers == passed_on
    if "manager" in inheritable:
        assert manager.parent_run_id == parent
        assert manager.tags == ["own tag", "passed on"]
        assert manager.inheritable_tags == ["passed on"]
        assert manager.metadata == {"own": 1, "passed on": 2}
        assert manager.inheritable_metadata == {"passed on": 2}
    else:
        assert (manager.parent_run_id, manager.tags, manager.metadata) == (None, [], {})


@both_kinds
def test_a_handler_in_both_callbacks_hears_once(kind, handlers):
    manager = kind.configure(handlers[:2], [handlers[1], handlers[2]])
    assert manager.handlers == handlers[:3]
    assert manager.inheritable_handlers == handlers[:2]


@both_kinds
@pytest.mark.parametrize("form", ["list", "sync manager", "async manager"])
def test_what_was_given_is_left_as_it_was(kind, form, handlers):
    given = callbacks_in(form, *handlers[:2], None)
    before = list(given) if form == "list" else dict(vars(given.copy()))
    manager = kind.configure(
        given,
        [handlers[2]],
        verbose=True,
        inheritable_tags=["a"],
        inheritable_metadata={"x": 1},
    )
    manager.add_handler(handlers[3])
    manager.tags.append("b")
    manager.metadata["y"] = 2
    assert (given if form == "list" else vars(given)) == before


@both_kinds
@pytest.mark.parametrize(
    ("inheritable", "local"),
    list(product([None, [], ["a"], ["a", "b"]], [None, [], ["c"], ["a", "c"]])),
)
def test_tags_in_every_combination(kind, inheritable, local):
    manager = kind.configure(inheritable_tags=inheritable, local_tags=local)
    inherits, locals_ = inheritable or [], local or []
    assert manager.tags == [tag for tag in inherits if tag not in locals_] + locals_
    assert manager.inheritable_tags == inherits


@both_kinds
@pytest.mark.parametrize(
    ("inheritable", "local"), list(product([None, {}, {"a": 1}], [None, {}, {"b": 2}, {"a": 3}]))
)
def test_metadata_in_every_combination(kind, inheritable, local):
    manager = kind.configure(inheritable_metadata=inheritable, local_metadata=local)
    assert manager.metadata == {**(inheritable or {}), **(local or {})}
    assert manager.inheritable_metadata == (inheritable or {})


@both_kinds
def test_tags_and_metadata_join_those_that_a_manager_brings(kind):
    given = CallbackManager(
        [],
        tags=["own", "a"],
        inheritable_tags=["a"],
        metadata={"own": 1, "x": 1},
        inheritable_metadata={"x": 1},
    )
    manager = kind.configure(
        given,
        inheritable_tags=["b"],
        local_tags=["c"],
        inheritable_metadata={"x": 2},
        local_metadata={"z": 3},
    )
    assert manager.tags == ["own", "a", "b", "c"]
    assert manager.inheritable_tags == ["a", "b"]
    assert manager.metadata == {"own": 1, "x": 2, "z": 3}
    assert manager.inheritable_metadata == {"x": 2}


@both_kinds
def test_tags_and_metadata_for_tracers_are_for_tracers_alone(kind):
    manager = kind.configure(
        langsmith_inheritable_tags=["a"], langsmith_inheritable_metadata={"x": 1}
    )
    assert (manager.tags, manager.metadata) == ([], {})


@both_kinds
def test_verbose_prints_the_run_and_not_its_children(kind, handlers):
    manager = kind.configure(handlers[:1], verbose=True)
    assert manager.handlers[:1] == handlers[:1]
    (printing,) = manager.handlers[1:]
    assert type(printing) is StdOutCallbackHandler
    assert manager.inheritable_handlers == handlers[:1]


@both_kinds
def test_verbose_adds_no_second_handler_that_prints(kind):
    class Mine(StdOutCallbackHandler):
        pass

    mine = Mine()
    manager = kind.configure([mine], verbose=True)
    assert manager.handlers == [mine]


@both_kinds
def test_a_childs_manager_configured_again_keeps_its_parent(kind):
    run = CallbackManager([]).on_chain_start({}, {})
    assert kind.configure(run.get_child()).parent_run_id == run.run_id


@both_kinds
def test_a_subclass_configures_managers_of_its_own_kind(kind):
    mine = type("Mine", (kind,), {})
    assert type(mine.configure([BaseCallbackHandler()])) is mine


@both_kinds
def test_a_manager_of_langchains_own_may_be_given(kind):
    from langchain_core.callbacks import CallbackManager as Theirs

    handler = BaseCallbackHandler()
    given = Theirs([handler], tags=["a"], inheritable_tags=["a"])
    manager = kind.configure(given, given)
    assert type(manager) is kind
    assert (manager.handlers, manager.inheritable_handlers, manager.tags) == ([handler], [], ["a"])
