"""Managers are configured, changed, copied and merged as in langchain-core, but for its faults.

Both libraries' managers are put through the same operations. Where Callboard differs on purpose,
the difference is a class in `DIFFERENCES`: it lets langchain-core's manager do its work, and
puts right what it should not have done. Each has an example that shows that it is still needed.
"""

from contextvars import ContextVar
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from langchain_core.runnables.config import _merge_metadata_dicts
from langchain_core.tracers.context import register_configure_hook as register_theirs

from callboard.callbacks import register_configure_hook as register_ours
from tests.properties.cases import described
from tests.properties.handler_sets import OURS, THEIRS, Library, Log, Spec, built

HANDLERS = [
    Spec(0),
    Spec(1, base="async"),
    Spec(2, inline=True),
    Spec(3, base="duck", hears=frozenset({"on_text"})),
]
STDOUT = len(HANDLERS)
"""The number of a handler that prints, of the library's own."""


# --- What Callboard does otherwise ------------------------------------------------------------


def _in_order(items: list[Any], order: list[Any]) -> list[Any]:
    return sorted(items, key=lambda item: order.index(item) if item in order else len(order))


def _versions(metadata: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in metadata.items() if key == "lc_versions"}


class TagsAddedForTheManagerAloneStayInheritable:
    """`add_tags` with inherit=False removes no inheritable tag."""

    def add_tags(self, tags, inherit=True):
        kept = list(self.inheritable_tags)
        super().add_tags(tags, inherit)
        if not inherit:
            self.inheritable_tags = kept

    def example(manager):  # noqa: N805 - of the manager under test, of either library
        manager.add_tags(["a"])
        manager.add_tags(["a"], inherit=False)
        return manager


class InheritableTagsAreKeptOnce:
    """A tag that is inheritable, but not the manager's own, is not added a second time."""

    def add_tags(self, tags, inherit=True):
        super().add_tags(tags, inherit)
        last_first = dict.fromkeys(reversed(self.inheritable_tags))
        self.inheritable_tags = list(reversed(last_first))

    def example(manager):  # noqa: N805
        manager.inheritable_tags = ["a"]
        manager.add_tags(["a"])
        return manager


class MergingKeepsTheOrder:
    """Merged handlers and tags come in order: the first manager's, then the second's."""

    def merge(self, other):
        merged = super().merge(other)
        for name in ("handlers", "inheritable_handlers", "tags", "inheritable_tags"):
            order = getattr(self, name) + getattr(other, name)
            setattr(merged, name, _in_order(getattr(merged, name), order))
        return merged

    def example(manager):  # noqa: N805
        other = manager.copy()
        manager.tags, other.tags = list("abcdefgh"), list("ijklmnop")
        return manager.merge(other)


class MergingAddsVersionsUp:
    """The versions that packages note in their metadata add up when merged, as when added."""

    def merge(self, other):
        merged = super().merge(other)
        for name in ("metadata", "inheritable_metadata"):
            told = (_versions(getattr(self, name)), _versions(getattr(other, name)))
            setattr(merged, name, getattr(merged, name) | _merge_metadata_dicts(*told))
        return merged

    def example(manager):  # noqa: N805
        other = manager.copy()
        manager.metadata = {"lc_versions": {"a": "1"}}
        other.metadata = {"lc_versions": {"b": "2"}}
        return manager.merge(other)


DIFFERENCES = [
    TagsAddedForTheManagerAloneStayInheritable,
    InheritableTagsAreKeptOnce,
    MergingKeepsTheOrder,
    MergingAddsVersionsUp,
]


class MergedHandlersKeepTheirKind:
    """Merging with a group's manager makes none of its own handlers inheritable, or the reverse."""

    def merge(self, other):
        merged = super().merge(other)
        for name in ("handlers", "inheritable_handlers"):
            kept = getattr(self, name) + getattr(other, name)
            setattr(merged, name, [each for each in getattr(merged, name) if each in kept])
        return merged

    def example(manager):  # noqa: N805
        other = manager.copy()
        library = OURS if isinstance(manager, OURS.manager.CallbackManager) else THEIRS
        other.add_handler(_handler(library, 0), inherit=False)
        return manager.merge(other)


class MergedMetadataStaysInheritable:
    """Merging with a group's manager keeps the inheritable metadata of both."""

    def merge(self, other):
        merged = super().merge(other)
        merged.inheritable_metadata = {**self.inheritable_metadata, **other.inheritable_metadata}
        return merged

    def example(manager):  # noqa: N805
        other = manager.copy()
        other.add_metadata({"a": 1})
        return manager.merge(other)


class CopiesOfAGroupShareItsEnd:
    """A group that is ended through a copy of its manager, or a merged one, has ended."""

    def copy(self):
        made = super().copy()
        made.ended = self.ended
        return made

    def merge(self, other):
        merged = super().merge(other)
        merged.ended = self.ended
        return merged

    def example(manager):  # noqa: N805
        manager.ended = True
        return manager.copy()


# The order, and the versions, are put right last: each calls those that follow it first.
GROUP_DIFFERENCES = [
    *DIFFERENCES,
    MergedHandlersKeepTheirKind,
    MergedMetadataStaysInheritable,
    CopiesOfAGroupShareItsEnd,
]


def _mended(name: str, differences: list[type], leaving_out: type | None = None) -> type:
    """Return langchain-core's manager with all faults mended, or all but one."""
    mends = (each for each in differences if each is not leaving_out)
    return type(name, (*mends, getattr(THEIRS.manager, name)), {})


# --- Building ---------------------------------------------------------------------------------


def _handler(library: Library, number: int) -> Any:
    """Return a handler of a library: always the same one for the same number."""
    made = _made.setdefault(library.package, {})
    if number not in made:
        made[number] = (
            library.manager.StdOutCallbackHandler()
            if number == STDOUT
            else built(HANDLERS[number], library, Log())
        )
    return made[number]


_made: dict[str, dict[int, Any]] = {}


def _handlers(library: Library, numbers: list[int]) -> list[Any]:
    return [_handler(library, number) for number in numbers]


def _manager(library: Library, kind: type, state: dict[str, Any]) -> Any:
    """Make a manager of a class, in a state that was drawn."""
    state = {
        key: value.copy() if isinstance(value, (list, dict)) else value
        for key, value in state.items()
    }
    for name in ("handlers", "inheritable_handlers"):
        state[name] = _handlers(library, state[name])
    if "ForChainGroup" in kind.__name__:
        run = getattr(library.manager, kind.__name__.replace("Group", "Run"))
        state["parent_run_manager"] = run(run_id=UUID(int=9), handlers=[], inheritable_handlers=[])
    return kind(**state)


numbers = st.lists(st.integers(0, STDOUT), max_size=4)
tags = st.lists(st.sampled_from("abcd"), max_size=3, unique=True)
metadata = st.dictionaries(
    st.sampled_from(["a", "b"]), st.integers(0, 2), max_size=2
) | st.fixed_dictionaries(
    {"lc_versions": st.dictionaries(st.sampled_from("xy"), st.sampled_from("12")) | st.just("?")}
)
states = st.fixed_dictionaries(
    {
        "handlers": numbers,
        "inheritable_handlers": numbers,
        "parent_run_id": st.none() | st.just(UUID(int=7)),
        "tags": tags,
        "inheritable_tags": tags,
        "metadata": metadata,
        "inheritable_metadata": metadata,
    }
)
unique_states = states.map(
    lambda state: {
        key: list(dict.fromkeys(value)) if "handlers" in key else value
        for key, value in state.items()
    }
)
"""For what is merged: langchain-core's sets keep each handler once anyway."""


# --- Operations -------------------------------------------------------------------------------

_inherits = st.booleans()
_keys = st.lists(st.sampled_from(["a", "b", "lc_versions"]), max_size=2)
operations = st.lists(
    st.one_of(
        st.tuples(st.just("add_tags"), tags, _inherits),
        st.tuples(st.just("remove_tags"), tags),
        st.tuples(st.just("add_metadata"), metadata, _inherits),
        st.tuples(st.just("remove_metadata"), _keys),
        st.tuples(st.just("add_handler"), st.integers(0, STDOUT), _inherits),
        st.tuples(st.just("remove_handler"), st.integers(0, STDOUT)),
        st.tuples(st.just("set_handlers"), numbers, _inherits),
        st.tuples(st.just("set_handler"), st.integers(0, STDOUT), _inherits),
        st.tuples(st.just("merge"), unique_states),
        st.tuples(st.just("copy")),
        st.tuples(st.just("end")),
    ),
    max_size=8,
)


def _operated(library: Library, manager: Any, operation: tuple[Any, ...]) -> Any:
    """Put a manager through an operation; return it, or what takes its place."""
    name, *given = operation
    if name == "merge":
        other = _manager(library, library.manager.CallbackManager, given[0])
        return manager.merge(other)
    if name == "copy":
        return manager.copy()
    if name == "end":
        if hasattr(manager, "parent_run_manager"):
            manager.ended = True
        return manager
    if name.endswith("handler"):
        given[0] = _handler(library, given[0])
    elif name == "set_handlers":
        given[0] = _handlers(library, given[0])
    getattr(manager, name)(*given)
    return manager


def _told(manager: Any) -> dict[str, Any]:
    """Describe a manager; of a group's, its end too, but not its run."""
    told = described(manager)
    told.pop("parent_run_manager", None)
    return told | {"is_async": manager.is_async, "ended": getattr(manager, "ended", None)}


@pytest.mark.parametrize("name", ["CallbackManager", "AsyncCallbackManager"])
@given(state=unique_states, todo=operations)
def test_managers_change_as_in_the_original(name, state, todo):
    _compare(name, DIFFERENCES, state, todo)


@pytest.mark.parametrize(
    "name", ["CallbackManagerForChainGroup", "AsyncCallbackManagerForChainGroup"]
)
@given(state=unique_states, todo=operations)
def test_groups_managers_change_as_in_the_original(name, state, todo):
    _compare(name, GROUP_DIFFERENCES, state, todo)


def _compare(name, differences, state, todo):
    ours = _manager(OURS, getattr(OURS.manager, name), state)
    theirs = _manager(THEIRS, _mended(name, differences), state)
    for operation in todo:
        before = ours, _told(ours)
        ours, theirs = (
            _operated(OURS, ours, operation),
            _operated(THEIRS, theirs, operation),
        )
        assert _told(ours) == _told(theirs), operation
        if ours is not before[0]:
            assert _told(before[0]) == before[1], "what was copied or merged has changed"


@pytest.mark.parametrize("difference", GROUP_DIFFERENCES, ids=lambda each: each.__name__)
def test_every_difference_is_one_still(difference):
    of_groups = difference not in DIFFERENCES
    name = "CallbackManagerForChainGroup" if of_groups else "CallbackManager"
    differences = GROUP_DIFFERENCES if of_groups else DIFFERENCES
    nothing = {"handlers": [], "inheritable_handlers": []}
    ours, mended, unmended = (
        _told(difference.example(_manager(library, kind, nothing)))
        for library, kind in (
            (OURS, getattr(OURS.manager, name)),
            (THEIRS, _mended(name, differences)),
            (THEIRS, _mended(name, differences, leaving_out=difference)),
        )
    )
    assert ours == mended
    assert ours != unmended


# --- Children ---------------------------------------------------------------------------------


@pytest.mark.parametrize("colour", ["", "Async"])
@given(state=states, tag=st.none() | st.sampled_from(["step", "a"]))
def test_children_inherit_as_in_the_original(colour, state, tag):
    theirs, ours = (_child(library, colour, state, tag) for library in (THEIRS, OURS))
    if tag in state["inheritable_tags"]:  # TagsAddedForTheManagerAloneStayInheritable
        theirs["inheritable_tags"] = state["inheritable_tags"]
    assert ours == theirs


def _child(library, colour, state, tag):
    run = _manager(
        library,
        getattr(library.manager, f"{colour}CallbackManagerForChainRun"),
        state | {"run_id": UUID(int=8)},
    )
    return _told(run.get_child(tag))


# --- Configuring ------------------------------------------------------------------------------

_LONE: ContextVar[Any] = ContextVar("lone", default=None)
_OF_A_CLASS: dict[Library, ContextVar[Any]] = {
    library: ContextVar("of_a_class", default=None) for library in (THEIRS, OURS)
}
# For good, as hooks are: with nothing in their variables they add nothing.
for _library, _register in ((THEIRS, register_theirs), (OURS, register_ours)):
    _register(_LONE, inheritable=True)
    _register(
        _OF_A_CLASS[_library],
        inheritable=False,
        handle_class=_library.manager.StdOutCallbackHandler,
    )

callbacks = st.one_of(
    st.none(),
    numbers,
    st.tuples(st.sampled_from(["CallbackManager", "AsyncCallbackManager"]), states),
)


def _callbacks(library: Library, drawn: Any) -> Any:
    if isinstance(drawn, tuple):
        name, state = drawn
        return _manager(library, getattr(library.manager, name), state)
    return None if drawn is None else _handlers(library, drawn)


@pytest.mark.parametrize("name", ["CallbackManager", "AsyncCallbackManager"])
@given(
    given_to_all=callbacks,
    given_to_one=callbacks,
    options=st.fixed_dictionaries(
        {},
        optional={
            "verbose": st.booleans(),
            "inheritable_tags": st.none() | tags,
            "local_tags": st.none() | tags,
            "inheritable_metadata": st.none() | metadata,
            "local_metadata": st.none() | metadata,
            "langsmith_inheritable_metadata": metadata,
            "langsmith_inheritable_tags": tags,
        },
    ),
    lone=st.none() | st.integers(0, STDOUT),
    of_a_class=st.booleans(),
)
def test_managers_are_configured_as_in_the_original(
    name, given_to_all, given_to_one, options, lone, of_a_class
):
    told = []
    for library, kind in (
        (THEIRS, _mended(name, DIFFERENCES)),
        (OURS, getattr(OURS.manager, name)),
    ):
        inheritable, local = (_callbacks(library, each) for each in (given_to_all, given_to_one))
        before = [_told(each) for each in (inheritable, local) if hasattr(each, "tags")]
        tokens = (
            _LONE.set(None if lone is None else _handler(library, lone)),
            _OF_A_CLASS[library].set(_handler(library, STDOUT) if of_a_class else None),
        )
        try:
            told.append(_told(kind.configure(inheritable, local, **options)))
        finally:
            _LONE.reset(tokens[0])
            _OF_A_CLASS[library].reset(tokens[1])
        assert [_told(each) for each in (inheritable, local) if hasattr(each, "tags")] == before
    theirs, ours = told
    assert ours == theirs
