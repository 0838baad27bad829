"""The headers that carry a trace to another process, with the real LangSmith SDK at either end."""

import asyncio
import logging
from uuid import UUID

import pytest
from langsmith.run_trees import RunTree as SdkRunTree

from callboard.export import Exporter, MemorySink
from callboard.instrument import (
    TracingMiddleware,
    get_current_run_tree,
    trace,
    traceable,
    tracing_context,
)
from callboard.instrument.headers import MAX_BAGGAGE, MAX_DOTTED_ORDER, read_headers
from callboard.langsmith.tracer import LangChainTracer
from callboard.redaction import Redaction
from callboard.testing import RecordingHandler
from callboard.tracers.context import tracing_v2_enabled

METADATA = {"user": "Ada, née Byron", "n": 1, "nested": {"a=b": "c;d"}}
TAGS = ["prod", "über"]
SEGMENT = "20261121T184430493081Z01a1ff6c-0000-7000-8000-000000000001"


@traceable
def leaf():
    return get_current_run_tree()


def sdk_run(**options):
    return SdkRunTree(
        name="theirs", project_name="their project", extra={"metadata": METADATA}, tags=TAGS,
        **options,
    )  # fmt: skip


def test_the_sdk_reads_our_headers(sent):
    project = tracing_v2_enabled("my project, ünïcode")
    with project, trace("outer"), trace("ours", metadata=METADATA) as ours:
        headers = ours.to_headers()
        with tracing_context(tags=TAGS), trace("tagged") as inner:
            tags = inner.to_headers()
    parent = SdkRunTree.from_headers(headers)
    assert (parent.id, parent.trace_id, parent.parent_run_id) == (
        ours.id,
        ours.trace_id,
        ours.parent_run_id,
    )
    assert parent.dotted_order == ours.dotted_order == sent.of("ours").head["dotted_order"]
    assert parent.session_name == "my project, ünïcode"
    assert parent.metadata == METADATA
    assert set(SdkRunTree.from_headers(tags).tags) == set(TAGS)
    child = parent.create_child("child")
    assert child.dotted_order.startswith(ours.dotted_order)


def test_we_read_the_headers_of_the_sdk(sent):
    theirs = sdk_run()
    child = theirs.create_child("their child", tags=TAGS)
    headers = child.to_headers()
    with tracing_context(parent=headers, enabled=True):
        tree = leaf()
        assert get_current_run_tree().to_headers()["langsmith-trace"] == child.dotted_order
    head = sent.of("leaf").head
    assert (head["parent_run_id"], head["trace_id"]) == (child.id, theirs.id)
    assert head["dotted_order"].startswith(child.dotted_order + ".")
    assert head["dotted_order"] == tree.dotted_order
    assert head["session_name"] == "their project"
    assert set(head["tags"]) == set(TAGS)
    assert sent.of("leaf").parts["extra"]["metadata"] == METADATA


def test_the_project_that_is_carried_is_the_one_that_the_run_is_sent_to(sent):
    outer = trace("outer", project_name="real", enabled=True)
    with outer, trace("inner", project_name="only for roots") as inner:
        baggage = inner.to_headers()["baggage"]
    assert baggage == "langsmith-project=real"


def test_a_trace_may_go_through_both_and_come_back(sent):
    with tracing_v2_enabled("there and back"), trace("ours") as ours:
        headers = ours.to_headers()
    theirs = SdkRunTree.from_headers(headers).create_child("theirs")
    with tracing_v2_enabled("there and back"):
        back = leaf(langsmith_extra={"parent": theirs.to_headers()})
    assert back.dotted_order.startswith(theirs.dotted_order + ".")
    assert (back.trace_id, back.parent_run_id) == (ours.id, theirs.id)


@pytest.mark.parametrize("shape", ["run tree", "dotted order", "bytes", "capitals"])
def test_a_parent_from_elsewhere_has_many_shapes(shape):
    heard = RecordingHandler()
    theirs = sdk_run()
    parent = {
        "run tree": theirs,
        "dotted order": theirs.dotted_order,
        "bytes": {key.encode(): value.encode() for key, value in theirs.to_headers().items()},
        "capitals": {key.title(): value for key, value in theirs.to_headers().items()},
    }[shape]
    tree = leaf(langsmith_extra={"parent": parent, "callbacks": [heard]})
    assert tree.parent_run_id == theirs.id == heard.heard[0].kwargs["parent_run_id"]
    assert tree.dotted_order.startswith(theirs.dotted_order + ".")


def test_a_parent_from_elsewhere_is_a_root_to_tracers_that_do_not_send(kept):
    leaf(langsmith_extra={"parent": sdk_run(), "callbacks": [kept]})
    assert kept.texts() == ["chain leaf ended"]


def test_a_tracer_that_is_passed_knows_the_parent_from_elsewhere(sent):
    tracer = LangChainTracer(project_name="mine")
    theirs = sdk_run()
    with tracing_v2_enabled():
        leaf(langsmith_extra={"parent": theirs, "callbacks": [tracer]})
    head = sent.of("leaf").head
    assert (head["parent_run_id"], head["session_name"]) == (theirs.id, "mine")


HOSTILE = [
    {},
    {"langsmith-trace": ""},
    {"langsmith-trace": "x"},
    {"langsmith-trace": SEGMENT + "."},
    {"langsmith-trace": "../" + SEGMENT},
    {"langsmith-trace": SEGMENT + "\n" + SEGMENT},
    {"langsmith-trace": ".".join([SEGMENT] * 1000)},
    {"langsmith-trace": b"\xff\xfe"},
    {"langsmith-trace": 5},
    {5: SEGMENT, None: None},
    {"baggage": "langsmith-project=p"},
]


@pytest.mark.parametrize("headers", HOSTILE)
def test_headers_that_make_no_sense_are_no_parent(headers):
    heard = RecordingHandler()
    assert read_headers(headers) is None
    with trace("around", callbacks=[heard]):
        with tracing_context(parent=headers):
            leaf()
        leaf(langsmith_extra={"parent": headers})
    assert heard.tree() == "chain around (ok)" + "\n  chain leaf (ok)" * 2


@pytest.mark.parametrize(
    ("baggage", "metadata", "tags", "project"),
    [
        ("", {}, [], None),
        ("a=b;c, langsmith-project=p%20q;x=y ,d", {}, [], "p q"),
        ("langsmith-metadata=[1],langsmith-tags=a%2Cb", {}, ["a", "b"], None),
        ("langsmith-metadata=%7Bno,langsmith-project=p", {}, [], "p"),
        ("langsmith-metadata=" + "%5B" * 2500, {}, [], None),
        ("langsmith-tags=" + "a" * MAX_BAGGAGE, {}, [], None),
        ("langsmith-metadata=%7B%22a%22%3A1%7D,=,==,,", {"a": 1}, [], None),
        ("langsmith-project=%FF%00", {}, [], "\ufffd\x00"),
    ],
)
def test_of_baggage_what_makes_sense_is_read(baggage, metadata, tags, project):
    carried = read_headers({"langsmith-trace": SEGMENT, "baggage": baggage})
    assert (carried.metadata, carried.tags, carried.project_name) == (metadata, tags, project)
    assert carried.ancestry == [UUID(SEGMENT[-36:])]
    assert len(SEGMENT) * 100 < MAX_DOTTED_ORDER


def test_what_cannot_be_carried_is_left_out():
    big = {"text": "x" * MAX_BAGGAGE}
    with trace("big", callbacks=[RecordingHandler()], metadata=big, project_name="p") as run:
        headers = run.to_headers()
    assert headers["baggage"] == "langsmith-project=p"
    with trace("odd", callbacks=[RecordingHandler()], metadata={"o": object()}) as run:
        assert "langsmith-metadata=" in run.to_headers()["baggage"]


def request(app, headers, kind="http"):
    async def receive():
        return {}

    async def send(message): ...

    scope = {"type": kind, "headers": [(k.encode(), v.encode()) for k, v in headers.items()]}
    asyncio.run(app(scope, receive, send))


def test_requests_are_traced_under_the_run_that_their_headers_tell_of(caplog):
    heard = RecordingHandler()
    theirs = sdk_run()

    async def app(scope, receive, send):
        leaf(langsmith_extra={"callbacks": [heard]})

    with caplog.at_level(logging.WARNING):
        for kind in ("http", "websocket", "lifespan"):
            request(TracingMiddleware(app), theirs.to_headers(), kind)
        for headers in ({}, {"langsmith-trace": "no", "baggage": "langsmith-metadata=no"}):
            request(TracingMiddleware(app), headers)
    starts = [each for each in heard.heard if each.event == "on_chain_start"]
    parents = [start.kwargs["parent_run_id"] for start in starts]
    assert parents == [theirs.id, theirs.id, None, None, None]
    assert starts[0].kwargs["metadata"] == METADATA
    assert caplog.text == ""


def test_headers_may_be_of_any_class_that_has_items():
    class FlaskHeaders:
        def items(self):
            return iter([("Langsmith-Trace", SEGMENT), ("Baggage", "langsmith-tags=prod")])

    heard = RecordingHandler()
    with tracing_context(parent=FlaskHeaders()):
        leaf(langsmith_extra={"callbacks": [heard]})
    assert str(heard.heard[0].kwargs["parent_run_id"]) == SEGMENT[-36:]
    assert heard.heard[0].kwargs["tags"] == ["prod"]


def test_what_is_not_to_leave_the_process_is_not_in_headers():
    def headers(redaction, exporters=None):
        destination = Exporter(MemorySink(), redaction=exporters)
        tracer = LangChainTracer(destination=destination, redaction=redaction)
        metadata = {"mail": "ada@example.com", "n": 1}
        with trace("t", tags=["to"], metadata=metadata, callbacks=[tracer]) as run:
            read = read_headers(run.to_headers())
        destination.shutdown(5)
        return read.metadata

    assert headers(None) == {"mail": "ada@example.com", "n": 1}
    assert headers(Redaction("emails")) == {"mail": "<email>", "n": 1}
    assert headers(None, Redaction("emails")) == {"mail": "<email>", "n": 1}
    assert headers(Redaction(hide_metadata=True)) == {}
