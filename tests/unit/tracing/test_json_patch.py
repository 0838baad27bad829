"""JSON Patch: each operation, what it refuses, and that no document is ever changed."""

import copy

import pytest

from callboard.errors import BadPatchError
from callboard.tracing.json_patch import Document, escaped, unescaped

DOCUMENT = {"a": {"b": [1, 2, 3]}, "c/d~e": "slashed", "t": True}


def patched(*operations, document=DOCUMENT):
    before = copy.deepcopy(document)
    made = Document(document)
    made.apply(operations)
    assert document == before
    return made.value


@pytest.mark.parametrize(
    ("operation", "made"),
    [
        ({"op": "add", "path": "/n", "value": 1}, {**DOCUMENT, "n": 1}),
        ({"op": "add", "path": "/a/b/-", "value": 4}, {**DOCUMENT, "a": {"b": [1, 2, 3, 4]}}),
        ({"op": "add", "path": "/a/b/0", "value": 0}, {**DOCUMENT, "a": {"b": [0, 1, 2, 3]}}),
        ({"op": "add", "path": "/a/b/3", "value": 4}, {**DOCUMENT, "a": {"b": [1, 2, 3, 4]}}),
        ({"op": "add", "path": "", "value": 5}, 5),
        ({"op": "replace", "path": "", "value": []}, []),
        ({"op": "replace", "path": "/a/b/1", "value": 9}, {**DOCUMENT, "a": {"b": [1, 9, 3]}}),
        ({"op": "replace", "path": "/c~1d~0e", "value": "x"}, {**DOCUMENT, "c/d~e": "x"}),
        ({"op": "remove", "path": "/a/b/0"}, {**DOCUMENT, "a": {"b": [2, 3]}}),
        ({"op": "remove", "path": ""}, None),
        ({"op": "move", "from": "/a/b", "path": "/n"}, {**DOCUMENT, "a": {}, "n": [1, 2, 3]}),
        ({"op": "move", "from": "/a", "path": "/a"}, DOCUMENT),
        ({"op": "copy", "from": "/a/b", "path": "/n"}, {**DOCUMENT, "n": [1, 2, 3]}),
        ({"op": "test", "path": "/a", "value": {"b": [1, 2, 3.0]}}, DOCUMENT),
    ],
)
def test_each_operation_does_as_the_standard_says(operation, made):
    assert patched(operation) == made


@pytest.mark.parametrize(
    ("operation", "why"),
    [
        ({"op": "merge", "path": "/a"}, "'op' must be one of add, remove"),
        ("add", "no operation of JSON Patch"),
        ({"op": "add", "path": "/a"}, "lacks 'value'"),
        ({"op": "move", "path": "/a"}, "lacks 'from'"),
        ({"op": "add", "path": "a", "value": 1}, "start with a slash"),
        ({"op": "add", "path": None, "value": 1}, "no pointer in 'path'"),
        ({"op": "replace", "path": "/n", "value": 1}, "there is no 'n'"),
        ({"op": "remove", "path": "/a/b/3"}, "has 3 items, and no 3"),
        ({"op": "add", "path": "/a/b/4", "value": 1}, "has 3 items, and no 4"),
        ({"op": "add", "path": "/a/b/01", "value": 1}, "'01' is no index"),
        ({"op": "remove", "path": "/a/b/-"}, "'-' is no index"),
        ({"op": "add", "path": "/a/b/-1", "value": 1}, "'-1' is no index"),
        ({"op": "add", "path": "/t/x", "value": 1}, "a bool on the way has nothing inside"),
        ({"op": "test", "path": "/t/x", "value": 1}, "a bool on the way has nothing inside"),
        ({"op": "test", "path": "/t", "value": 1}, "there is True"),
        ({"op": "move", "from": "/a", "path": "/a/b"}, "moved into itself"),
    ],
)
def test_what_does_not_fit_is_refused_with_the_reason(operation, why):
    with pytest.raises(BadPatchError, match=why):
        patched(operation)


def test_what_was_copied_is_changed_in_one_place():
    made = patched(
        {"op": "add", "path": "/a/b/-", "value": 4},  # Now its list is the document's own.
        {"op": "copy", "from": "/a/b", "path": "/n"},
        {"op": "add", "path": "/n/-", "value": 5},
        {"op": "add", "path": "/a/b/-", "value": 6},
    )
    assert (made["a"]["b"], made["n"]) == ([1, 2, 3, 4, 6], [1, 2, 3, 4, 5])


def test_values_of_operations_are_never_changed():
    value = {"list": []}
    patched(
        {"op": "add", "path": "/n", "value": value},
        {"op": "add", "path": "/n/list/-", "value": 1},
    )
    assert value == {"list": []}


def test_what_was_settled_stays_as_it_is():
    document = Document({"list": []})
    document.apply([{"op": "add", "path": "/list/-", "value": 1}])
    kept = document.settled()
    document.apply([{"op": "add", "path": "/list/-", "value": 2}])
    assert (kept, document.value) == ({"list": [1]}, {"list": [1, 2]})


def test_a_move_that_does_not_fit_leaves_the_document_as_it_was():
    for source in ("/a/b", "/a/b/1"):
        document = Document(DOCUMENT)
        with pytest.raises(BadPatchError, match="there is no 'n'"):
            document.apply([{"op": "move", "from": source, "path": "/n/n"}])
        assert document.value == DOCUMENT


def test_any_key_can_be_pointed_to():
    for key in ("a/b", "~1", "~0/~", ""):
        assert unescaped(escaped(key)) == key
        assert patched({"op": "add", "path": f"/{escaped(key)}", "value": 1}, document={}) == {
            key: 1
        }
