"""Operations: what merging and estimating keep to."""

from datetime import UTC, datetime
from uuid import UUID

import pytest

from callboard.wire import multipart
from callboard.wire.operations import (
    Attachment,
    LateOperation,
    Operation,
    measured,
    merge,
    size_estimate,
    size_of,
)

RUN = UUID(int=1)


def create(head=None, parts=None, attachments=None):
    return Operation("create", RUN, head or {}, parts or {}, attachments or {})


def update(head=None, parts=None, attachments=None):
    return Operation("update", RUN, head or {}, parts or {}, attachments or {})


@pytest.mark.parametrize("empty", [{}, [], b"{}", b"[]", None, b"null"])
@pytest.mark.parametrize("name", ["outputs", "events"])
def test_a_placeholder_of_a_create_never_replaces_what_an_update_said(name, empty):
    ended = update(parts={name: {"a": 1}})
    started = create(parts={name: empty})
    assert merge(ended, started).parts == {name: {"a": 1}}
    assert merge(started, ended).parts == {name: {"a": 1}}


def test_fields_are_replaced_whole_and_attachments_united():
    picture, sound = Attachment("image/png", b"p"), Attachment("audio/wav", b"s")
    started = create({"name": "a", "tags": ["x"]}, {"extra": {"a": 1}}, {"picture": picture})
    ended = update({"tags": ["y"]}, {"extra": {"b": 2}}, {"sound": sound})
    assert merge(started, ended) == create(
        {"name": "a", "tags": ["y"]}, {"extra": {"b": 2}}, {"picture": picture, "sound": sound}
    )


def test_null_says_nothing():
    started = create({"name": "a", "end_time": None}, {"inputs": {"a": 1}})
    ended = update({"name": None, "end_time": "now"}, {"inputs": None, "outputs": b"null"})
    assert merge(started, ended) == create({"name": "a", "end_time": "now"}, {"inputs": {"a": 1}})


def test_a_create_that_is_sent_again_brings_nothing_back():
    started = create({"name": "first"}, {"extra": {"a": 1}})
    ended = update({"name": "second"}, {"extra": {"b": 2}})
    assert merge(merge(started, ended), started) == merge(started, ended)


def test_a_create_that_tells_of_the_end_replaces_one_that_does_not():
    started = create({"tags": ["a"]}, {"outputs": {}, "extra": {"a": 1}})
    whole = create({"tags": ["b"], "end_time": "now"}, {"outputs": {"b": 2}, "extra": {"c": 3}})
    assert merge(started, whole) == merge(whole, started) == whole


def test_of_two_starts_the_one_that_knows_more_of_the_outputs_counts():
    nothing, something = create(parts={"outputs": {}}), create(parts={"outputs": {"a": 1}})
    assert merge(nothing, something) == merge(something, nothing) == something


def test_of_two_updates_the_later_counts_more():
    merged = merge(update({"name": "a", "end_time": 1}), update({"name": "b"}))
    assert merged == update({"name": "b", "end_time": 1})


def test_merging_changes_neither():
    started, ended = create({"name": "a"}, {"inputs": {}}), update({"name": "b"})
    merge(started, ended)
    assert started == create({"name": "a"}, {"inputs": {}})
    assert ended == update({"name": "b"})


def test_operations_of_two_runs_are_not_merged():
    with pytest.raises(ValueError, match="Only operations of one run"):
        merge(create(), Operation("update", UUID(int=2)))


def test_what_operations_look_like():
    assert repr(update(parts={"outputs": {}})) == f"<Operation update {RUN}: outputs>"
    assert repr(create()) == f"<Operation create {RUN}>"


def message(text):
    return {"lc": 1, "type": "constructor", "id": ["a", "b"], "kwargs": {"content": text}}


@pytest.mark.parametrize(
    "part",
    [
        {"question": "x" * 100_000},
        {"messages": [[message("x" * 2000) for _ in range(10)]]},
        {"messages": [[message("x" * 200) for _ in range(5000)]]},
        {"vector": [0.123456] * 100_000},
        {"times": [datetime(2026, 1, 1, tzinfo=UTC)] * 100, "id": UUID(int=1)},
        {str(number): {str(number): number} for number in range(10_000)},
        {1: "a", 2: "b", None: ("c", "d")},
        b"x" * 50_000,
        {"bytes": b"x" * 50_000},
        {"greeting": "Grüße, \u4e16\u754c " * 1000},
    ],
    ids=lambda part: repr(part)[:30] + str(len(repr(part))),
)
def test_an_estimate_is_of_the_size_that_is_sent(part):
    operation = create(
        {"id": RUN, "name": "x" * 20, "trace_id": RUN, "dotted_order": "x" * 60},
        {"inputs": part},
        {"file": Attachment("image/png", b"x" * 100)},
    )
    sent = len(multipart.encode_body([operation], multipart.new_boundary()))
    assert sent / 2 < size_estimate(operation) < sent * 3


def test_an_estimate_looks_at_a_few_thousand_values_only():
    rows = [["text"] * 10 for _ in range(100_000)]
    # What is beyond them: it would fail if it were looked at.
    rows[0] = None
    assert 5_000_000 < size_estimate(create(parts={"inputs": {"rows": rows}})) < 15_000_000


def test_what_knows_its_size_is_not_gone_through_again():
    part = measured({"text": "x" * 100}, 5000)
    assert part == {"text": "x" * 100}
    assert size_of(part) == 5000
    assert size_of({"deeper": [part]}) > 5000
    assert size_of(measured(["x"], 5000)) == 5000
    assert measured("x", 5000) == "x"


def test_a_late_operation_is_put_together_when_it_is_first_read():
    read = []

    def together(told):
        read.append(told)
        return {"id": RUN}, {"inputs": told}

    late = LateOperation("create", RUN, together, {"a": 1}, 700)
    late.attachments["file"] = Attachment("image/png", b"x" * 1000)
    assert (late.kind, late.run_id) == ("create", RUN)
    assert 1700 < size_estimate(late) < 2000
    assert not read
    assert late.head == {"id": RUN}
    assert late.parts == {"inputs": {"a": 1}}
    late.parts["outputs"] = {}
    assert list(late.parts) == ["inputs", "outputs"]
    assert read == [{"a": 1}]
    with pytest.raises(AttributeError, match="'heads'"):
        late.heads  # noqa: B018 - reading it is the test
