"""What always holds of ids, of merging, of adding usage up, and of writing messages as text."""

import threading
from typing import Any
from uuid import RFC_4122, UUID

from hypothesis import given
from hypothesis import strategies as st
from langchain_core.messages import get_buffer_string
from langchain_core.messages.ai import add_usage as add_their_usage
from langchain_core.runnables.config import _merge_metadata_dicts

from callboard.callbacks.scope import joined, merged_metadata
from callboard.ids import uuid7
from callboard.payloads import as_text, content_text
from callboard.usage import add_usage
from tests.properties.cases import messages

# --- Ids --------------------------------------------------------------------------------------


@given(st.integers(2, 500))
def test_ids_increase_and_are_of_version_7(count):
    ids = [uuid7() for _ in range(count)]
    assert ids == sorted(ids)
    assert len(set(ids)) == count
    assert {(each.version, each.variant) for each in ids} == {(7, RFC_4122)}


@given(st.integers(2, 6), st.integers(1, 200))
def test_ids_made_in_several_threads_are_unique_and_increase_in_each(threads, count):
    made: list[list[UUID]] = [[] for _ in range(threads)]
    start = threading.Barrier(threads)

    def make(into: list[UUID]) -> None:
        start.wait()
        into.extend(uuid7() for _ in range(count))

    workers = [threading.Thread(target=make, args=(into,)) for into in made]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert len({each for ids in made for each in ids}) == threads * count
    assert all(ids == sorted(ids) for ids in made)


def test_an_id_is_a_uuid_like_any_other():
    made = uuid7()
    assert UUID(str(made)) == made
    assert UUID(bytes=made.bytes) == made
    assert hash(UUID(int=made.int)) == hash(made)


# --- Merging ----------------------------------------------------------------------------------

versions = st.dictionaries(st.sampled_from("abc"), st.text(max_size=2), max_size=3)
metadata = st.dictionaries(
    st.sampled_from(["a", "b", "lc_versions"]), st.integers() | versions | st.none(), max_size=3
)


@given(metadata, metadata)
def test_metadata_merges_as_in_the_original(base, incoming):
    before = repr((base, incoming))
    assert merged_metadata(base, incoming) == _merge_metadata_dicts(base, incoming)
    assert repr((base, incoming)) == before


@given(metadata)
def test_no_metadata_changes_nothing(base):
    assert merged_metadata(base, {}) == merged_metadata({}, base) == base


@given(metadata, metadata)
def test_merged_metadata_shares_no_versions_with_what_it_was_made_of(base, incoming):
    merged = merged_metadata(base, incoming)
    if isinstance(merged.get("lc_versions"), dict):
        merged["lc_versions"]["mine"] = "1"
    for part in (base, incoming):
        held = part.get("lc_versions")
        assert not isinstance(held, dict) or "mine" not in held


@given(st.lists(st.integers()), st.lists(st.integers()))
def test_what_is_joined_keeps_its_order_and_each_item_once(first, second):
    assert joined(first, second) == list(dict.fromkeys([*first, *second]))


@given(st.lists(st.lists(st.integers(0, 3))), st.lists(st.lists(st.integers(0, 3))))
def test_what_is_joined_need_not_be_hashable(first, second):
    items = joined(first, second)
    assert all(items.count(item) == 1 for item in items)
    assert all(item in items for item in (*first, *second))


# --- Usage ------------------------------------------------------------------------------------

counts = st.integers(0, 10**6)
usages = st.fixed_dictionaries(
    {},
    optional={
        "input_tokens": counts,
        "output_tokens": counts,
        "total_tokens": counts,
        "input_token_details": st.dictionaries(
            st.sampled_from(["cache_read", "cache_creation", "audio"]), counts
        ),
        "output_token_details": st.dictionaries(st.sampled_from(["reasoning", "audio"]), counts),
    },
)


@given(usages, usages)
def test_adding_usage_is_commutative(one, other):
    assert add_usage(one, other) == add_usage(other, one)


@given(usages, usages, usages)
def test_adding_usage_is_associative(one, other, third):
    assert add_usage(add_usage(one, other), third) == add_usage(one, add_usage(other, third))


@given(usages)
def test_adding_nothing_changes_nothing(usage):
    assert add_usage(usage, {}) == add_usage({}, usage) == usage


@given(usages, usages)
def test_adding_usage_leaves_its_parts_alone(one, other):
    before = repr((one, other))
    total = add_usage(one, other)
    for details in total.values():
        if isinstance(details, dict):
            details["mine"] = 1
    assert repr((one, other)) == before


@given(usages, usages)
def test_usage_adds_up_as_in_the_original(one, other):
    """Where all is told that langchain-core requires; it also notes details that nobody told."""
    nothing = {"input_tokens": 0, "output_tokens": 0, "total_tokens": 0}
    theirs = add_their_usage(nothing | one, nothing | other)
    ours = add_usage(nothing | one, nothing | other)
    assert _told(ours) == _told(theirs)


def _told(usage: Any) -> dict[str, Any]:
    """Return what is more than nothing."""
    told = {key: _told(each) if isinstance(each, dict) else each for key, each in usage.items()}
    return {key: each for key, each in told.items() if each}


# --- Text -------------------------------------------------------------------------------------


@given(st.lists(messages, max_size=4))
def test_messages_are_written_as_in_the_original(conversation):
    assert as_text(conversation) == get_buffer_string(conversation)


atoms = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5) | st.binary()


class Hostile:
    """Can be neither read nor printed."""

    def __getattr__(self, name: str) -> Any:
        raise RuntimeError(name)

    def __str__(self) -> str:
        raise RuntimeError("str")

    __repr__ = __str__


def _nested(atoms: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.recursive(
        atoms,
        lambda inner: st.one_of(
            st.lists(inner, max_size=3),
            st.tuples(inner, inner),
            st.dictionaries(
                st.sampled_from(
                    ["role", "type", "content", "text", "tool_calls", "additional_kwargs", "kwargs"]
                )
                | st.text(max_size=2),
                inner,
                max_size=4,
            ),
        ),
        max_leaves=8,
    )


@given(st.lists(_nested(atoms | st.builds(Hostile)), max_size=3))
def test_anything_can_be_written_as_text(conversation):
    assert isinstance(as_text(conversation), str)


@given(_nested(atoms))
def test_any_content_has_a_text(content):
    assert isinstance(content_text(content), str)
