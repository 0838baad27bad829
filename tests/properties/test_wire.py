"""Whatever is encoded is decoded again; and nothing that comes is more than refused."""

import json as standard
from contextlib import suppress
from datetime import UTC, datetime
from unittest.mock import patch

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from callboard.errors import BadBodyError
from callboard.wire import batch, compression, json, multipart
from callboard.wire.intake import Limits
from callboard.wire.operations import PARTS, RUN_TYPES, Attachment, Feedback, Operation, merge

# Characters in pairs that make one are joined on the way: that is tested apart.
TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=30)
VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**64 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | TEXT,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXT, inner, max_size=4),
    max_leaves=12,
)
MOMENTS = st.datetimes(timezones=st.just(UTC)).map(datetime.isoformat)
MIME_TYPES = st.sampled_from(["image/png", "text/plain; charset=utf-8", "application/json"])
FILE_NAMES = st.text(
    st.characters(exclude_categories=["Cs", "Cc"], exclude_characters='."\\'), min_size=1
)
BOUNDARY = "0123456789abcdef0123456789abcdef"
CONTENT_TYPE = multipart.content_type(BOUNDARY)


@st.composite
def heads(draw, run_id):
    trace_id = draw(st.just(run_id) | st.uuids())
    places = [trace_id] if trace_id == run_id else [trace_id, run_id]
    fields = {
        "trace_id": str(trace_id),
        "dotted_order": ".".join(f"20261121T184430493081Z{place}" for place in places),
        "parent_run_id": str(draw(st.uuids())),
        "name": draw(TEXT),
        "run_type": draw(st.sampled_from(sorted(RUN_TYPES))),
        "start_time": draw(MOMENTS),
        "end_time": draw(MOMENTS),
        "tags": draw(st.lists(TEXT, max_size=3)),
        "session_name": draw(TEXT),
        "reference_example_id": str(draw(st.uuids())),
    }
    kept = draw(st.sets(st.sampled_from(sorted(fields))))
    return {"id": str(run_id)} | {name: fields[name] for name in fields if name in kept}


@st.composite
def operations(draw, ids=None):
    run_id = draw(st.uuids() if ids is None else ids)
    parts = draw(st.dictionaries(st.sampled_from(PARTS), VALUES.filter(lambda it: it is not None)))
    files = st.dictionaries(FILE_NAMES, st.builds(Attachment, MIME_TYPES, st.binary()), max_size=2)
    return Operation(
        draw(st.sampled_from(["create", "update"])), run_id, draw(heads(run_id)), parts, draw(files)
    )


BATCHES = st.lists(operations(), max_size=4)


def as_json(operation):
    """The operation with its parts as they are decoded: as JSON."""
    parts = {
        name: part if type(part) is bytes else json.encode(part)
        for name, part in operation.parts.items()
    }
    return Operation(operation.kind, operation.run_id, operation.head, parts, operation.attachments)


def without_files(operation):
    return Operation(operation.kind, operation.run_id, operation.head, operation.parts)


@given(BATCHES, st.lists(st.uuids(), max_size=2))
def test_multipart_there_and_back(told, feedback_ids):
    feedback = [Feedback(each, {"id": str(each), "key": "helpful"}) for each in feedback_ids]
    body = multipart.encode_body([*told, *feedback], BOUNDARY)
    batch = multipart.decode(body, CONTENT_TYPE)
    assert batch.refusals == []
    assert batch.operations == [as_json(each) for each in told]
    assert batch.feedback == feedback


@settings(max_examples=20)
@given(st.lists(operations(), max_size=2))
def test_it_does_not_matter_how_a_body_is_cut(told):
    body = multipart.encode_body(told, BOUNDARY)
    expected = multipart.decode(body, CONTENT_TYPE)
    one_by_one = [body[at : at + 1] for at in range(len(body))]
    assert multipart.decode(one_by_one, CONTENT_TYPE) == expected
    for at in range(0, len(body), max(1, len(body) // 200)):
        assert multipart.decode([body[:at], body[at:]], CONTENT_TYPE) == expected


@given(BATCHES, st.integers(1, 5000))
def test_compressed_there_and_back(told, size):
    pytest.importorskip("zstandard")
    body = multipart.encode_body(told, BOUNDARY)
    squeezed = b"".join(compression.compress(multipart.encode(told, BOUNDARY)))
    chunks = [squeezed[at : at + size] for at in range(0, len(squeezed), size)]
    assert compression.decompress(chunks, len(body)) == body


@given(BATCHES)
def test_json_batches_there_and_back(told):
    creates = [without_files(as_json(each)) for each in told if each.kind == "create"]
    updates = [without_files(as_json(each)) for each in told if each.kind == "update"]
    decoded = batch.decode(batch.encode(told))
    assert decoded.refusals == []
    assert decoded.operations == creates + updates


@given(operations())
def test_single_runs_there_and_back(told):
    body = batch.encode_run(told)
    assert batch.decode_run(body, told.kind, told.run_id) == without_files(as_json(told))


@st.composite
def shuffled_parts(draw):
    """An operation, and its parts in any order."""
    told = draw(operations())
    pieces = list(multipart.encode([told], BOUNDARY))
    parts = [b"".join(pieces[at : at + 3]) for at in range(0, len(pieces) - 1, 3)]
    return told, b"".join([*draw(st.permutations(parts)), pieces[-1]])


@given(shuffled_parts())
def test_parts_may_come_in_any_order(case):
    told, body = case
    decoded = multipart.decode(body, CONTENT_TYPE)
    assert decoded.refusals == []
    assert decoded.operations == [as_json(told)]


@st.composite
def deliveries(draw):
    """A create and an update of a run; and both in some order, some of them repeatedly."""
    run_id = draw(st.uuids())
    create = draw(operations(st.just(run_id)))
    update = draw(operations(st.just(run_id)))
    create.kind, update.kind = "create", "update"
    # One that empties a field and does not end the run is taken to know nothing of the field.
    if "end_time" not in update.head:
        update.parts = {name: part for name, part in update.parts.items() if part not in ({}, [])}
    repeated = draw(st.lists(st.sampled_from([create, update])))
    return create, update, draw(st.permutations([create, update, *repeated]))


@given(deliveries())
def test_any_order_of_the_same_operations_tells_of_the_same_run(case):
    create, update, delivered = case
    run, *rest = delivered
    for operation in rest:
        run = merge(run, operation)
    assert run == merge(create, update)
    assert run.kind == "create"
    assert run.head == create.head | update.head
    assert run.parts == create.parts | update.parts
    assert run.attachments == create.attachments | update.attachments


ANYTHING = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.integers(2**63, 2**90)
    | st.floats()
    | st.text(st.characters())
    | st.binary()
    | st.uuids()
    | st.datetimes(timezones=st.none() | st.timezones())
    | st.dates()
    | st.times()
    | st.timedeltas()
    | st.decimals()
    | st.fractions()
    | st.complex_numbers()
    | st.builds(object),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.tuples(inner, inner)
        | st.dictionaries(st.text() | st.integers() | st.booleans() | st.none(), inner, max_size=4)
    ),
    max_leaves=10,
)


@given(ANYTHING)
def test_anything_becomes_json_with_and_without_orjson(value):
    strict = json.encode(value)
    with patch.object(json, "_orjson", None):
        slow = json.encode(value)
        told = json.decode(slow)
    assert json.decode(strict) == told
    assert standard.loads(slow, parse_constant=pytest.fail) == standard.loads(strict)


@given(VALUES)
def test_json_there_and_back(value):
    assert json.decode(json.encode(value)) == value
    with patch.object(json, "_orjson", None):
        assert json.decode(json.encode(value)) == value


def deepest(value):
    if isinstance(value, dict):
        value = list(value.values())
    return 1 + max(map(deepest, value), default=0) if isinstance(value, list) else 0


@given(VALUES)
def test_depth_is_how_deep_it_is(value):
    assert json.depth(json.encode(value)) == deepest(value)


SMALL = Limits(body_bytes=2000, part_bytes=300, parts=10, header_bytes=200, json_depth=5)


def survives(read, *arguments):
    with suppress(BadBodyError):
        read(*arguments)


@given(st.binary(max_size=200), st.sampled_from([Limits(), SMALL]))
def test_random_bytes_are_refused(noise, limits):
    survives(multipart.decode, noise, CONTENT_TYPE, limits)
    survives(multipart.decode, b"--%s\r\n%s" % (BOUNDARY.encode(), noise), CONTENT_TYPE, limits)
    survives(batch.decode, noise, limits)
    survives(batch.decode_run, noise, "create", None, limits)
    if compression.available():
        survives(compression.decompress, noise, 1000)
        survives(compression.decompress, b"\x28\xb5\x2f\xfd" + noise, 1000)


@given(VALUES, st.sampled_from(["create", "update"]))
def test_random_json_is_refused(value, kind):
    survives(batch.decode_run, json.encode(value), kind)
    survives(batch.decode, json.encode({"post": value, "patch": [value]}))
    survives(batch.decode_run, json.encode({"id": str(value), "tags": value}), kind)


@st.composite
def mutated(draw):
    """A body with something wrong with it."""
    body = bytearray(multipart.encode_body(draw(BATCHES), BOUNDARY))
    for _ in range(draw(st.integers(1, 4))):
        at = draw(st.integers(0, len(body)))
        length = draw(st.integers(0, 20))
        body[at : at + length] = draw(st.binary(max_size=20) | st.just(bytes(body[:at])[-40:]))
    return bytes(body)


@given(mutated(), st.sampled_from([Limits(), SMALL]))
def test_mutated_bodies_are_refused(body, limits):
    survives(multipart.decode, body, CONTENT_TYPE, limits)
    if compression.available():
        squeezed = bytearray(b"".join(compression.compress([body])))
        squeezed[len(squeezed) // 2] ^= 0x55
        survives(compression.decompress, bytes(squeezed), 10_000)


@given(st.text(max_size=100))
def test_any_content_type_is_refused(value):
    survives(multipart.decode, b"", value)
    survives(multipart.decode, b"", f"multipart/form-data; boundary={value}")
