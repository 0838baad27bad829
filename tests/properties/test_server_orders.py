"""However the operations of traces are cut into requests, the same trees are read.

Traces are drawn, and told in operations: a create and an update for each run. Those are shuffled,
repeated, and sent in every form that requests have, from several threads at once.
"""

import json
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from urllib.request import Request, urlopen
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from callboard import ids
from callboard.server import start
from callboard.tracing.dotted_order import segment, under
from callboard.wire import batch, multipart
from callboard.wire.operations import Operation

START = datetime(2026, 5, 1, 12, tzinfo=UTC)


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    with start(database=tmp_path_factory.mktemp("orders") / "callboard.db") as running:
        yield running


@dataclass
class Node:
    """A run to be, and those inside it."""

    kind: str
    ends: str
    children: list["Node"] = field(default_factory=list)


_leaf = st.builds(
    Node,
    st.sampled_from(["chain", "tool", "llm"]),
    st.sampled_from(["success", "error", "pending"]),
)
nodes = st.recursive(
    _leaf,
    lambda inner: st.builds(
        Node, st.just("chain"), st.just("success"), st.lists(inner, max_size=3)
    ),
    max_leaves=6,
)


@dataclass
class Told:
    """A trace as operations, and what is to be read of each of its runs."""

    operations: list[Operation] = field(default_factory=list)
    expected: dict[UUID, dict[str, object]] = field(default_factory=dict)


def tell(node, told, above=(), project="orders"):
    """Add what is told of a run and of those inside it, and what is to be read."""
    run_id, number = ids.new_id(), len(told.expected)
    begun = START + timedelta(milliseconds=number)
    order = under(above[-1][1], begun, run_id) if above else segment(begun, run_id)
    trace_id = above[0][0] if above else run_id
    place = {"id": str(run_id), "trace_id": str(trace_id), "dotted_order": order}
    if above:
        place["parent_run_id"] = str(above[-1][0])
    head = {
        **place,
        "name": f"run {number}",
        "run_type": node.kind,
        "start_time": begun.isoformat(),
        "session_name": project,
        "tags": [f"tag {number}"],
    }
    inputs, extra = {"number": number}, {"metadata": {"number": number}}
    # As clients send it: with placeholders for what only its end will tell.
    parts = {"inputs": inputs, "extra": extra, "outputs": {}, "events": []}
    told.operations.append(Operation("create", run_id, head, parts))
    expected = {"status": node.ends, "inputs": inputs, "outputs": {}, "error": None, "end": None}
    if node.ends != "pending":
        end = begun + timedelta(seconds=1)
        closing = {"outputs": {"text": f"said {number}", "usage_metadata": usage(number)}}
        if node.ends == "error":
            closing = {"error": f"Trouble {number}"}
        expected |= {**closing, "end": end}
        told.operations.append(
            Operation("update", run_id, {**place, "end_time": end.isoformat()}, closing)
        )
    told.expected[run_id] = {**expected, "head": head, "metadata": extra["metadata"]}
    for child in node.children:
        tell(child, told, (*above, (run_id, order)), project)


def usage(number):
    return {"input_tokens": number, "output_tokens": 1, "total_tokens": number + 1}


@st.composite
def requests(draw, operations):
    """Operations in any order, some of them twice, cut into requests of any form."""
    repeated = draw(st.lists(st.sampled_from(operations), max_size=len(operations)))
    shuffled = draw(st.permutations([*operations, *repeated]))
    made = []
    while shuffled:
        count = draw(st.integers(1, len(shuffled)))
        made.append((draw(st.sampled_from(["multipart", "batch", "alone"])), shuffled[:count]))
        shuffled = shuffled[count:]
    return made


def send(url, form, operations):
    if form == "multipart":
        boundary = multipart.new_boundary()
        body = multipart.encode_body(operations, boundary)
        post(f"{url}/runs/multipart", body, multipart.content_type(boundary))
    elif form == "batch":
        post(f"{url}/runs/batch", batch.encode(operations))
    else:
        for each in operations:
            if each.kind == "create":
                post(f"{url}/runs", batch.encode_run(each))
            else:
                post(f"{url}/runs/{each.run_id}", batch.encode_run(each), method="PATCH")


def post(url, body, content_type="application/json", method="POST"):
    request = Request(url, data=body, headers={"Content-Type": content_type}, method=method)
    with urlopen(request, timeout=20) as answer:
        assert answer.status == 202


def read(url, run_id):
    with urlopen(f"{url}/runs/{run_id}", timeout=20) as answer:
        return json.loads(answer.read())


def check(run, expected):
    head = expected["head"]
    for name in ("id", "trace_id", "dotted_order", "name", "run_type", "tags"):
        assert run[name] == head[name]
    assert run["parent_run_id"] == head.get("parent_run_id")
    assert run["status"] == expected["status"]
    assert run["error"] == expected["error"]
    assert run["inputs"] == expected["inputs"]
    assert run["extra"]["metadata"] == expected["metadata"]
    assert (run["outputs"] or {}) == expected["outputs"]
    assert datetime.fromisoformat(run["start_time"]) == datetime.fromisoformat(head["start_time"])
    end = run["end_time"]
    assert (None if end is None else datetime.fromisoformat(end)) == expected["end"]


def tokens_of(told):
    """Return what each run and those inside it have used, by the run's id."""
    tokens = dict.fromkeys(told.expected, 0)
    for expected in told.expected.values():
        used = expected["outputs"].get("usage_metadata")
        if used is not None and expected["head"]["run_type"] == "llm":
            for part in expected["head"]["dotted_order"].split("."):
                tokens[UUID(part[-36:])] += used["total_tokens"]
    return tokens


@given(st.data())
@settings(max_examples=60)
def test_the_same_trees_are_read(server, data):
    told = Told()
    for node in data.draw(st.lists(nodes, min_size=1, max_size=3)):
        tell(node, told)
    sent = data.draw(requests(told.operations))
    with ThreadPoolExecutor(data.draw(st.sampled_from([1, 3]))) as pool:
        list(pool.map(lambda each: send(server.url, *each), sent))
    tokens = tokens_of(told)
    for run_id, expected in told.expected.items():
        run = read(server.url, run_id)
        check(run, expected)
        assert (run["total_tokens"] or 0) == tokens[run_id]
