"""Callback managers: who listens, under which tags and metadata; copies and merges."""

from collections import ChainMap
from uuid import uuid4

import pytest

from callboard.callbacks import (
    AsyncCallbackManager,
    AsyncCallbackManagerForChainGroup,
    BaseCallbackHandler,
    BaseCallbackManager,
    CallbackManager,
    CallbackManagerForChainGroup,
    trace_as_chain_group,
)
from callboard.testing import RecordingHandler

every_kind = pytest.mark.parametrize(
    "kind", [BaseCallbackManager, CallbackManager, AsyncCallbackManager]
)
FIELDS = (
    "handlers",
    "inheritable_handlers",
    "parent_run_id",
    "tags",
    "inheritable_tags",
    "metadata",
    "inheritable_metadata",
)


def state(manager):
    return {name: getattr(manager, name) for name in FIELDS}


@pytest.fixture
def handlers():
    return [BaseCallbackHandler() for _ in range(4)]


@every_kind
def test_a_manager_keeps_what_it_is_given(kind, handlers):
    parent = uuid4()
    manager = kind(
        handlers[:2],
        handlers[:1],
        parent,
        tags=["a", "b"],
        inheritable_tags=["b"],
        metadata={"x": 1, "y": 2},
        inheritable_metadata={"y": 2},
    )
    assert state(manager) == {
        "handlers": handlers[:2],
        "inheritable_handlers": handlers[:1],
        "parent_run_id": parent,
        "tags": ["a", "b"],
        "inheritable_tags": ["b"],
        "metadata": {"x": 1, "y": 2},
        "inheritable_metadata": {"y": 2},
    }


@every_kind
def test_a_manager_given_nothing_but_handlers_has_no_tags_metadata_or_parent(kind):
    assert state(kind([])) == {
        "handlers": [],
        "inheritable_handlers": [],
        "parent_run_id": None,
        "tags": [],
        "inheritable_tags": [],
        "metadata": {},
        "inheritable_metadata": {},
    }


def test_a_list_of_handlers_stays_its_owners():
    handlers = []
    manager = CallbackManager(handlers)
    recorder = RecordingHandler()
    handlers.append(recorder)
    manager.on_chain_start({}, {})
    assert recorder.events == ["on_chain_start"]


def test_tuples_do_as_well_as_lists(handlers):
    manager = CallbackManager(
        tuple(handlers[:1]), tuple(handlers[:1]), tags=("a",), inheritable_tags=("b",)
    )
    manager.add_handler(handlers[1])
    assert manager.handlers == handlers[:2]
    assert manager.inheritable_handlers == handlers[:2]
    run = manager.on_chain_start({}, {})
    assert run.tags == ["a"]
    assert run.get_child().tags == ["b"]


@pytest.mark.parametrize(
    ("kind", "is_async"), [(CallbackManager, False), (AsyncCallbackManager, True)]
)
def test_a_manager_says_whether_it_is_async(kind, is_async):
    assert kind([]).is_async is is_async


# --- Handlers ---------------------------------------------------------------------------------


@every_kind
def test_an_added_handler_is_inherited_unless_told_otherwise(kind, handlers):
    manager = kind([])
    manager.add_handler(handlers[0])
    manager.add_handler(handlers[1], False)
    assert manager.handlers == handlers[:2]
    assert manager.inheritable_handlers == handlers[:1]


@every_kind
def test_a_handler_that_is_there_is_not_added_again(kind, handlers):
    manager = kind([])
    manager.add_handler(handlers[0], inherit=False)
    manager.add_handler(handlers[0], inherit=True)
    manager.add_handler(handlers[0])
    assert manager.handlers == handlers[:1]
    assert manager.inheritable_handlers == handlers[:1]


@every_kind
def test_a_removed_handler_is_neither_told_nor_inherited(kind, handlers):
    manager = kind(handlers[:2], handlers[:1])
    for handler in handlers[:3]:
        manager.remove_handler(handler)
    assert (manager.handlers, manager.inheritable_handlers) == ([], [])


@every_kind
def test_set_handlers_replaces_all_and_leaves_the_list_given_alone(kind, handlers):
    manager = kind(handlers[:2], handlers[:2])
    given = handlers[2:]
    manager.set_handlers(given)
    assert (manager.handlers, manager.inheritable_handlers) == (given, given)
    manager.set_handlers(given, inherit=False)
    assert (manager.handlers, manager.inheritable_handlers) == (given, [])
    manager.add_handler(handlers[0])
    assert len(given) == 2


@every_kind
def test_set_handler_replaces_all_with_one(kind, handlers):
    manager = kind(handlers[:2], handlers[:2])
    manager.set_handler(handlers[3])
    assert (manager.handlers, manager.inheritable_handlers) == ([handlers[3]], [handlers[3]])
    manager.set_handler(handlers[2], inherit=False)
    assert (manager.handlers, manager.inheritable_handlers) == ([handlers[2]], [])


# --- Tags -------------------------------------------------------------------------------------


@every_kind
def test_added_tags_are_inherited_unless_told_otherwise(kind):
    manager = kind([])
    manager.add_tags(["a"])
    manager.add_tags(["b"], False)
    assert manager.tags == ["a", "b"]
    assert manager.inheritable_tags == ["a"]


@every_kind
def test_tags_that_are_there_already_move_to_the_end_each_once(kind):
    manager = kind([], tags=["a", "b", "c"], inheritable_tags=["a", "b"])
    manager.add_tags(["a", "d", "d"])
    assert manager.tags == ["b", "c", "a", "d"]
    assert manager.inheritable_tags == ["b", "a", "d"]


@every_kind
def test_adding_tags_that_are_not_to_be_inherited_never_takes_an_inheritable_one_away(kind):
    manager = kind([], tags=["a", "b"], inheritable_tags=["a", "b"])
    manager.add_tags(["a", "c"], inherit=False)
    assert manager.tags == ["b", "a", "c"]
    assert manager.inheritable_tags == ["a", "b"]


@every_kind
def test_removed_tags_are_gone_for_children_too(kind):
    manager = kind([], tags=["a", "b"], inheritable_tags=["b", "c"])
    manager.remove_tags(["b", "not there"])
    assert (manager.tags, manager.inheritable_tags) == (["a"], ["c"])


@every_kind
def test_lists_of_tags_that_were_given_stay_as_they_are(kind):
    tags, more = ["a"], ["b"]
    manager = kind([], tags=tags, inheritable_tags=tags)
    manager.add_tags(more)
    manager.remove_tags(["a"])
    manager.add_tags(["c"])
    assert (tags, more) == (["a"], ["b"])


# --- Metadata ---------------------------------------------------------------------------------


@every_kind
def test_added_metadata_is_inherited_unless_told_otherwise(kind):
    manager = kind([])
    manager.add_metadata({"a": 1})
    manager.add_metadata({"b": 2}, False)
    assert manager.metadata == {"a": 1, "b": 2}
    assert manager.inheritable_metadata == {"a": 1}


@every_kind
def test_later_metadata_wins(kind):
    manager = kind([], metadata={"a": 1}, inheritable_metadata={"a": 1})
    manager.add_metadata({"a": 2})
    manager.add_metadata({"a": 3}, inherit=False)
    assert manager.metadata == {"a": 3}
    assert manager.inheritable_metadata == {"a": 2}


@every_kind
def test_removed_metadata_is_gone_for_children_too(kind):
    manager = kind([], metadata={"a": 1, "b": 2}, inheritable_metadata={"b": 2, "c": 3})
    manager.remove_metadata(["b", "not there"])
    assert (manager.metadata, manager.inheritable_metadata) == ({"a": 1}, {"c": 3})


@every_kind
def test_dictionaries_of_metadata_that_were_given_stay_as_they_are(kind):
    metadata, more = {"a": 1}, {"b": 2}
    manager = kind([], metadata=metadata, inheritable_metadata=metadata)
    manager.add_metadata(more)
    manager.remove_metadata(["a", "b"])
    assert (metadata, more) == ({"a": 1}, {"b": 2})


@every_kind
def test_metadata_may_be_a_mapping_of_another_kind(kind):
    manager = kind([], metadata=ChainMap({"a": 1}), inheritable_metadata=ChainMap({"a": 1}))
    manager.add_metadata(ChainMap({"b": 2}, {"b": 1, "c": 3}))
    assert manager.metadata == {"a": 1, "b": 2, "c": 3}
    assert manager.inheritable_metadata == {"a": 1, "b": 2, "c": 3}


def test_configure_takes_the_chained_metadata_of_langgraphs_configs():
    recorder = RecordingHandler()
    chained = ChainMap({}, {"thread_id": "7"})
    CallbackManager.configure([recorder], inheritable_metadata=chained).on_chain_start({}, {})
    assert recorder.heard[0].kwargs["metadata"] == {"thread_id": "7"}


def test_versions_of_the_packages_that_take_part_add_up():
    manager = CallbackManager([])
    manager.add_metadata({"lc_versions": {"one": "1.0"}, "a": 1})
    manager.add_metadata({"lc_versions": {"two": "2.0"}, "a": 2})
    assert manager.metadata == {"lc_versions": {"one": "1.0", "two": "2.0"}, "a": 2}


def test_versions_add_up_in_a_merge_too():
    one = CallbackManager([], metadata={"lc_versions": {"one": "1.0"}})
    two = CallbackManager([], metadata={"lc_versions": {"two": "2.0"}})
    assert one.merge(two).metadata == {"lc_versions": {"one": "1.0", "two": "2.0"}}
    assert one.metadata == {"lc_versions": {"one": "1.0"}}


def test_versions_that_are_no_mapping_are_metadata_like_any():
    manager = CallbackManager([])
    manager.add_metadata({"lc_versions": {"one": "1.0"}})
    manager.add_metadata({"lc_versions": "unknown"})
    assert manager.metadata == {"lc_versions": "unknown"}


# --- Copies and merges --------------------------------------------------------------------------


def full(kind, handlers, **more):
    return kind(
        list(handlers),
        handlers[:1],
        uuid4(),
        tags=["a"],
        inheritable_tags=["b"],
        metadata={"x": 1},
        inheritable_metadata={"y": 2},
        **more,
    )


@every_kind
def test_a_copy_has_the_same_and_changes_apart(kind, handlers):
    manager = full(kind, handlers[:2])
    before = state(manager)
    twin = manager.copy()
    assert type(twin) is kind
    assert state(twin) == before
    twin.add_handler(handlers[3])
    twin.add_tags(["c"])
    twin.add_metadata({"z": 3})
    for held in (twin.tags, twin.inheritable_tags):
        held.clear()
    for held in (twin.metadata, twin.inheritable_metadata):
        held.clear()
    assert state(manager) == before


@every_kind
def test_a_merge_has_what_both_have_in_order_each_once(kind, handlers):
    first, second, third, fourth = handlers
    one = kind(
        [first, second],
        [second],
        tags=["a", "b"],
        inheritable_tags=["b"],
        metadata={"x": 1, "both": 1},
        inheritable_metadata={"y": 1, "both": 1},
    )
    parent = uuid4()
    two = CallbackManager(
        [third, second, fourth],
        [fourth, second],
        parent,
        tags=["c", "b", "d"],
        inheritable_tags=["d", "b"],
        metadata={"both": 2},
        inheritable_metadata={"both": 2, "z": 2},
    )
    before = state(one), state(two)
    merged = one.merge(two)
    assert type(merged) is kind
    assert state(merged) == {
        "handlers": [first, second, third, fourth],
        "inheritable_handlers": [second, fourth],
        "parent_run_id": parent,
        "tags": ["a", "b", "c", "d"],
        "inheritable_tags": ["b", "d"],
        "metadata": {"x": 1, "both": 2},
        "inheritable_metadata": {"y": 1, "both": 2, "z": 2},
    }
    assert (state(one), state(two)) == before


def test_a_merge_keeps_its_own_parent():
    own, other = uuid4(), uuid4()
    merged = CallbackManager([], None, own).merge(CallbackManager([], None, other))
    assert merged.parent_run_id == own


def test_a_merge_changes_apart_from_both(handlers):
    one, two = full(CallbackManager, handlers[:2]), full(CallbackManager, handlers[2:])
    before = state(one.copy()), state(two.copy())
    merged = one.merge(two)
    merged.handlers.clear()
    merged.inheritable_handlers.clear()
    merged.tags.clear()
    merged.metadata.clear()
    assert (state(one), state(two)) == before


def test_handlers_that_cannot_be_hashed_can_be_merged():
    class Equal(BaseCallbackHandler):
        def __init__(self, name):
            self.name = name

        def __eq__(self, other):
            return self.name == other.name

        __hash__ = None

    one, two = Equal("same"), Equal("same")
    merged = CallbackManager([one]).merge(CallbackManager([two, Equal("other")]))
    assert [handler.name for handler in merged.handlers] == ["same", "other"]


def test_a_managers_class_is_kept_by_copies_and_merges_with_what_it_adds():
    class Mine(CallbackManager):
        def __init__(self, label):
            super().__init__([])
            self.label = label

    mine = Mine("label")
    assert (type(mine.copy()), mine.copy().label) == (Mine, "label")
    merged = mine.merge(CallbackManager([]))
    assert (type(merged), merged.label) == (Mine, "label")


def test_a_groups_manager_merged_is_still_the_groups():
    recorder = RecordingHandler()
    with trace_as_chain_group("group", CallbackManager([recorder])) as group:
        merged = group.merge(CallbackManager([BaseCallbackHandler()], tags=["a"]))
        assert isinstance(merged, CallbackManagerForChainGroup)
        assert merged.parent_run_manager is group.parent_run_manager
        assert merged.tags == ["a"]
        merged.on_chain_end({"output": 1})
    assert recorder.events == ["on_chain_start", "on_chain_end"]


def test_both_groups_managers_are_managers_of_their_colour():
    assert issubclass(CallbackManagerForChainGroup, CallbackManager)
    assert issubclass(AsyncCallbackManagerForChainGroup, AsyncCallbackManager)
