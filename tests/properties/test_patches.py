"""Patches to any document do as another implementation of the standard does."""

import copy

import jsonpatch
import pytest
from hypothesis import given
from hypothesis import strategies as st

from callboard.errors import BadPatchError
from callboard.tracing.json_patch import Document
from callboard.tracing.run_log import RunLog, RunLogPatch

leaves = st.none() | st.integers(0, 3) | st.text("ab", max_size=2)
keys = st.sampled_from(["a", "b", "0", "a/b", "~", ""])
values = st.recursive(
    leaves, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(keys, inner, max_size=3)
)
pointers = st.lists(st.sampled_from(["a", "b", "0", "1", "-", "a~1b", "~0", ""]), max_size=3).map(
    lambda parts: "".join(f"/{part}" for part in parts)
)
operations = st.one_of(
    st.builds(
        lambda op, path, value: {"op": op, "path": path, "value": value},
        st.sampled_from(["add", "replace", "test"]),
        pointers,
        values,
    ),
    st.builds(lambda path: {"op": "remove", "path": path}, pointers.filter(bool)),
    st.builds(
        lambda op, path, source: {"op": op, "path": path, "from": source},
        st.sampled_from(["copy", "move"]),
        pointers.filter(bool),
        pointers.filter(bool),
    ),
)


@given(values, st.lists(operations, max_size=6))
def test_a_patch_does_as_elsewhere_or_is_refused_and_changes_nothing_given(document, patch):
    before = copy.deepcopy((document, patch))
    made = Document(document)
    applied = []
    for operation in patch:
        try:
            made.apply([operation])
        except BadPatchError:
            break
        applied.append(operation)
    assert (document, patch) == before
    assert made.value == jsonpatch.apply_patch(document, copy.deepcopy(applied))


@given(values, st.lists(operations, max_size=6))
def test_differences_found_elsewhere_are_applied_here(document, patch):
    try:
        other = jsonpatch.apply_patch(document, copy.deepcopy(patch))
    except (jsonpatch.JsonPatchException, jsonpatch.JsonPointerException, TypeError, KeyError):
        return
    made = Document(document)
    made.apply(jsonpatch.make_patch(document, other).patch)
    assert made.value == other


@given(values, st.lists(st.lists(operations, max_size=3), max_size=5), st.data())
def test_a_log_is_the_same_whenever_its_state_is_read(document, patches, data):
    eager = lazy = RunLog(state=None) + RunLogPatch({"op": "add", "path": "", "value": document})
    states = []
    for patch in patches:
        eager += RunLogPatch(*patch)
        lazy += RunLogPatch(*patch)
        try:
            states.append((eager.state, copy.deepcopy(eager.state)))
        except BadPatchError:
            with pytest.raises(BadPatchError):
                _ = lazy.state
            return
        if data.draw(st.booleans()):
            _ = lazy.state
    assert lazy.state == eager.state
    assert lazy.ops == eager.ops
    assert all(state == copied for state, copied in states)
