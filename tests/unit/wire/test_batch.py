"""The JSON forms: what they take, and what a bad run costs."""

import json
from uuid import UUID

import pytest

from callboard.errors import BadBodyError
from callboard.wire import batch
from callboard.wire.operations import Attachment, Operation

RUN, OTHER = UUID(int=1), UUID(int=2)


def test_the_form_to_the_letter():
    sent = batch.encode(
        [
            Operation("update", RUN, {"name": None}, {"outputs": b'{"a": 1}'}),
            Operation("create", RUN, {}, {"error": "b"}, {"file": Attachment("c", b"d")}),
        ]
    )
    assert json.loads(sent) == {
        "post": [{"id": str(RUN), "error": "b"}],
        "patch": [{"id": str(RUN), "name": None, "outputs": {"a": 1}}],
    }


@pytest.mark.parametrize("body", [b"{}", b'{"post": null}', b'{"patch": [], "other": 1}'])
def test_either_list_may_be_missing(body):
    assert batch.decode(body).operations == []


def test_a_bad_run_among_good_ones_is_refused_alone():
    runs = [{"id": str(RUN), "inputs": {"a": 1}}, {"id": str(OTHER), "run_type": "x"}, 5, {}]
    told = batch.decode(json.dumps({"post": runs, "patch": [{"id": "x"}]}).encode())
    assert told.operations == [Operation("create", RUN, {"id": str(RUN)}, {"inputs": b'{"a":1}'})]
    assert [refusal.part for refusal in told.refusals] == [
        "post[1]",
        "post[2]",
        "post[3]",
        "patch[0]",
    ]
    assert told.refusals[1].reason == "The part post[2] is refused: it is no object."


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"", "The body is refused: it is no JSON"),
        (b"[]", "The body is refused: it is JSON, but no object."),
        (b'{"post": {}}', "The body's post is no list of runs."),
    ],
)
def test_what_is_no_batch(body, reason):
    with pytest.raises(BadBodyError) as refused:
        batch.decode(body)
    assert str(refused.value).startswith(reason)


def test_a_single_run_is_named_in_its_body_or_outside_of_it():
    body = json.dumps({"id": str(RUN), "name": "a", "hide_inputs": True}).encode()
    told = Operation("create", RUN, {"id": str(RUN), "name": "a"})
    assert batch.decode_run(body, "create") == batch.decode_run(body, "create", RUN) == told
    with pytest.raises(BadBodyError, match="The run is refused: id is"):
        batch.decode_run(body, "update", OTHER)
    with pytest.raises(BadBodyError, match="The run is refused: None is no UUID"):
        batch.decode_run(b"{}", "create")
