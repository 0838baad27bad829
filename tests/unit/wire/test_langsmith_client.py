"""What the real langsmith client sends is what we read, and what we write is what it writes."""

import datetime as dt
import json
import re
import uuid

import langsmith
import pytest
from langsmith._internal import _operations as theirs
from langsmith.run_trees import RunTree

from callboard.wire import batch, compression, multipart
from callboard.wire.operations import Attachment, Operation, merge
from tests.unit.wire.langsmith_server import client_of, decoded, receiving

pytestmark = [
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
    pytest.mark.filterwarnings("ignore::langsmith.utils.LangSmithMissingAPIKeyWarning"),
]

COMPRESSED = pytest.mark.parametrize("zstd", [False, True], ids=["plain", "zstd"])
TEXT = 'Grüße, "quoted" \\ back\u0000slash\r\n--boundary \U0001f600 \u2028'


def times(second):
    return dt.datetime(2026, 11, 21, 18, 44, second, 493081, tzinfo=dt.UTC)


def placed(run_id, second=30):
    return f"{times(second):%Y%m%dT%H%M%S%f}Z{run_id}"


def as_structure(operation):
    """An operation with its parts decoded."""
    parts = {name: json.loads(part) for name, part in operation.parts.items()}
    return Operation(operation.kind, operation.run_id, operation.head, parts, operation.attachments)


def runs_of(requests):
    """The runs that requests tell of, by id, and nothing that is refused."""
    batch = decoded(requests)
    assert batch.refusals == []
    runs = {}
    for operation in batch.operations:
        known = runs.get(operation.run_id)
        runs[operation.run_id] = operation if known is None else merge(known, operation)
    return {run_id: as_structure(run) for run_id, run in runs.items()}


@COMPRESSED
def test_what_create_run_and_update_run_send(zstd):
    run_id = uuid.uuid4()
    inputs = {"question": TEXT, "nested": [{"a": [1, 2.5, None, True]}]}
    outputs = {"answer": TEXT * 3}
    with receiving(zstd=zstd) as (url, requests), client_of(url) as client:
        client.create_run(
            "greet",
            inputs,
            "llm",
            id=run_id,
            trace_id=run_id,
            dotted_order=placed(run_id),
            start_time=times(30),
            project_name="greetings",
            tags=["one", "zwei"],
            extra={"metadata": {"version": 3}},
            serialized={"id": ["greet"], "graph": "left out"},
        )
        client.update_run(
            run_id,
            trace_id=run_id,
            dotted_order=placed(run_id),
            end_time=times(31),
            outputs=outputs,
            error="Trouble\n\tat all",
            events=[{"name": "new_token", "time": times(31)}],
        )
    (run,) = runs_of(requests).values()
    assert any(request.is_compressed for request in requests) == zstd
    assert run.kind == "create"
    assert run.head == {
        "id": str(run_id),
        "trace_id": str(run_id),
        "dotted_order": placed(run_id),
        "name": "greet",
        "run_type": "llm",
        "session_name": "greetings",
        "start_time": times(30).isoformat(),
        "end_time": times(31).isoformat(),
        "tags": ["one", "zwei"],
    }
    assert run.parts["inputs"] == inputs
    assert run.parts["outputs"] == outputs
    assert run.parts["error"] == "Trouble\n\tat all"
    assert run.parts["extra"]["metadata"]["version"] == 3
    assert run.parts["serialized"] == {"id": ["greet"]}
    assert run.parts["events"] == [{"name": "new_token", "time": times(31).isoformat()}]


@COMPRESSED
def test_what_run_trees_send(zstd):
    with receiving(zstd=zstd) as (url, requests), client_of(url) as client:
        root = RunTree(
            name="root", inputs={"a": 1}, project_name="trees", client=client, start_time=times(30)
        )
        root.post()
        child = root.create_child("child", "tool", inputs={"b": TEXT}, start_time=times(31))
        child.post()
        child.end(outputs={"c": 2})
        child.patch()
        root.end(error="it broke")
        root.patch()
    runs = runs_of(requests)
    assert runs.keys() == {root.id, child.id}
    assert runs[root.id].head["dotted_order"] == root.dotted_order
    assert runs[root.id].parts["error"] == "it broke"
    assert runs[root.id].parts["inputs"] == {"a": 1}
    told = runs[child.id]
    assert told.head["parent_run_id"] == told.head["trace_id"] == str(root.id)
    assert told.head["run_type"] == "tool"
    assert told.head["end_time"] == child.end_time.isoformat()
    assert told.parts["inputs"] == {"b": TEXT}
    assert told.parts["outputs"] == {"c": 2}


@COMPRESSED
def test_attachments_from_memory_and_from_a_file(zstd, tmp_path):
    run_id = uuid.uuid4()
    held = bytes(range(256)) * 40 + b"\r\n--" + b"\r\n\r\n"
    file = tmp_path / "sound.wav"
    file.write_bytes(held[::-1])
    with receiving(zstd=zstd) as (url, requests), client_of(url) as client:
        client.create_run(
            "look",
            {},
            "chain",
            id=run_id,
            trace_id=run_id,
            dotted_order=placed(run_id),
            attachments={
                "picture": ("image/png", held),
                "sound": ("audio/wav", file),
                "größe": ("text/plain; charset=utf-8", b""),
            },
            dangerously_allow_filesystem=True,
        )
    (run,) = runs_of(requests).values()
    assert run.attachments == {
        "picture": Attachment("image/png", held),
        "sound": Attachment("audio/wav", held[::-1]),
        "größe": Attachment("text/plain; charset=utf-8", b""),
    }


@COMPRESSED
def test_feedback(zstd):
    run_id = uuid.uuid4()
    feedback_id = uuid.uuid4()
    with receiving(zstd=zstd) as (url, requests), client_of(url) as client:
        client.create_run(
            "rated", {}, "chain", id=run_id, trace_id=run_id, dotted_order=placed(run_id)
        )
        client.create_feedback(
            run_id,
            "helpful",
            score=0.5,
            comment=TEXT,
            trace_id=run_id,
            feedback_id=feedback_id,
            session_id=uuid.uuid4(),
        )
    batch = decoded([each for each in requests if each.path.endswith("multipart")])
    assert batch.refusals == []
    (told,) = batch.feedback
    assert told.id == feedback_id
    assert told.fields["run_id"] == str(run_id)
    assert told.fields["key"] == "helpful"
    assert told.fields["score"] == 0.5
    assert told.fields["comment"] == TEXT


def test_text_that_no_encoding_has():
    run_id = uuid.uuid4()
    with receiving(zstd=False) as (url, requests), client_of(url) as client:
        client.create_run(
            "half",
            {"half": "a\ud800b", "huge": 2**80, "none": float("nan")},
            "chain",
            id=run_id,
            trace_id=run_id,
            dotted_order=placed(run_id),
        )
    (run,) = runs_of(requests).values()
    assert run.parts["inputs"]["none"] is None
    assert run.parts["inputs"]["half"] in ("ab", "a\ufffdb")


def test_json_batches():
    run_id = uuid.uuid4()
    with receiving(zstd=False, use_multipart=False) as (url, requests), client_of(url) as client:
        client.create_run(
            "old",
            {"a": TEXT},
            "chain",
            id=run_id,
            trace_id=run_id,
            dotted_order=placed(run_id),
            start_time=times(30),
        )
        client.flush()
        client.update_run(
            run_id,
            trace_id=run_id,
            dotted_order=placed(run_id),
            outputs={"b": TEXT},
            end_time=times(31),
        )
    assert {request.path for request in requests} == {"/runs/batch"}
    (run,) = runs_of(requests).values()
    assert run.parts["inputs"] == {"a": TEXT}
    assert run.parts["outputs"] == {"b": TEXT}
    assert run.head["end_time"] == times(31).isoformat()


def test_single_runs():
    run_id = uuid.uuid4()
    with receiving(zstd=False) as (url, requests):
        client = langsmith.Client(api_url=url, api_key="any", auto_batch_tracing=False)
        client.create_run("lone", {"a": TEXT}, "chain", id=run_id, start_time=times(30))
        client.update_run(run_id, outputs={"b": 1}, end_time=times(31))
        client.close()
    posted, patched = requests
    assert (posted.method, posted.path) == ("POST", "/runs")
    assert (patched.method, patched.path) == ("PATCH", f"/runs/{run_id}")
    create = as_structure(batch.decode_run(posted.body, "create"))
    update = as_structure(batch.decode_run(patched.body, "update", run_id))
    assert create.head["name"] == "lone"
    assert create.parts["inputs"] == {"a": TEXT}
    assert update.head == {"id": str(run_id), "end_time": times(31).isoformat()}
    assert update.parts == {"outputs": {"b": 1}}


def their_body(operation, boundary):
    """The body of an operation, by the client's own code."""
    verb = {"create": "post", "update": "patch"}[operation.kind]
    head = {"id": operation.run_id, "trace_id": operation.run_id, **operation.head}
    attachments = {name: tuple(each) for name, each in operation.attachments.items()}
    serialized = theirs.serialize_run_dict(
        verb, head | operation.parts | {"attachments": attachments}
    )
    parts, _ = theirs.serialized_run_operation_to_multipart_parts_and_context(serialized)
    pieces = [
        headers + data + b"\r\n"
        for headers, data in theirs.encode_multipart_parts_and_context(parts, boundary)
    ]
    return b"".join(pieces) + f"--{boundary}--\r\n".encode()


def cut(body, boundary):
    """Parts as (header lines, content), JSON decoded."""
    parts = []
    for piece in body.split(f"--{boundary}".encode())[1:-1]:
        headers, _, content = piece.strip(b"\r\n").partition(b"\r\n\r\n")
        if b"application/json" in headers:
            content = json.loads(content)
            # Which depends on the encoding of the same JSON.
            headers = re.sub(rb"Length: \d+", b"Length: N", headers)
        parts.append((headers.split(b"\r\n"), content))
    return parts


@pytest.mark.parametrize("kind", ["create", "update"])
def test_what_we_write_is_what_the_client_writes(kind):
    run_id = uuid.uuid4()
    operation = Operation(
        kind,
        run_id,
        {
            "id": run_id,
            "trace_id": run_id,
            "dotted_order": placed(run_id),
            "name": "greet",
            "run_type": "chain",
            "start_time": times(30),
            "end_time": None,
            "tags": ["a"],
            "session_name": "default",
        },
        {
            "inputs": {"question": TEXT},
            "outputs": {"answer": [1, 2.5, None, {}]},
            "events": [{"name": "start", "time": times(30)}],
            "extra": {"metadata": {"id": run_id}},
            "error": TEXT,
            "serialized": {"lc": 1},
        },
        {"picture": Attachment("image/png", b"\x00\xff"), "größe": Attachment("text/plain", b"x")},
    )
    boundary = multipart.new_boundary()
    ours = multipart.encode_body([operation], boundary)
    assert cut(ours, boundary) == cut(their_body(operation, boundary), boundary)


def test_what_we_compress_is_what_the_client_would_read():
    zstandard = pytest.importorskip("zstandard")
    body = b"--b\r\n" * 100_000
    squeezed = b"".join(compression.compress([body[:10], body[10:]]))
    assert zstandard.ZstdDecompressor().decompressobj().decompress(squeezed) == body
