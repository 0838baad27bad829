"""The doors of tracers: langchain_core's dotted names resolve, and cost nothing until then."""

import subprocess
import sys
from importlib import import_module
from uuid import UUID

import pytest
from langchain_core.documents import Document

import callboard.tracers
from callboard.callbacks import BaseCallbackHandler
from callboard.tracers.event_stream import EventStream

# What only documents an alias has another name there; and streams for those without LangChain.
OURS_ALONE = {"Event", "EventStream", "TracerCore", "as_sse", "stream_events"}


@pytest.mark.parametrize("name", callboard.tracers.__all__)
def test_each_name_resolves_and_lives_in_the_room_that_made_it(name):
    sends = name in ("EvaluatorCallbackHandler", "LangChainTracer")
    room = "callboard.langsmith." if sends else "callboard.tracing."
    assert getattr(callboard.tracers, name).__module__.startswith(room)


@pytest.mark.parametrize(
    "door",
    [
        "_compat",
        "_streaming",
        "base",
        "context",
        "core",
        "evaluation",
        "event_stream",
        "langchain",
        "log_stream",
        "memory_stream",
        "root_listeners",
        "run_collector",
        "schemas",
        "stdout",
    ],
)
def test_each_door_has_what_it_names_and_what_langchain_has_there(door):
    ours = import_module(f"callboard.tracers.{door}")
    theirs = import_module(f"langchain_core.tracers.{door}")
    for name in ours.__all__:
        assert hasattr(ours, name)
        assert hasattr(theirs, name) or name in OURS_ALONE


@pytest.mark.parametrize(
    ("door", "name"),
    [
        ("event_stream", "_AstreamEventsCallbackHandler"),
        ("event_stream", "_astream_events_implementation_v1"),
        ("event_stream", "_astream_events_implementation_v2"),
        ("log_stream", "_astream_log_implementation"),
    ],
)
def test_what_knows_runnables_is_loaded_when_it_is_asked_for(door, name):
    ours = import_module(f"callboard.tracers.{door}")
    assert getattr(ours, name).__module__ == f"callboard.langchain.{door}"
    assert hasattr(import_module(f"langchain_core.tracers.{door}"), name)
    with pytest.raises(AttributeError, match=f"'callboard.tracers.{door}' has no attribute '_x'"):
        _ = ours._x


def test_streaming_handlers_are_known_by_their_bases_and_by_their_shape():
    ours = import_module("callboard.tracers._streaming")
    theirs = import_module("langchain_core.tracers._streaming")
    for handler in (callboard.tracers.LogStreamCallbackHandler(), EventStream()):
        # LangGraph looks at the bases; LangChain's own class goes by shape.
        assert ours._StreamingCallbackHandler in type(handler).__mro__
        assert isinstance(handler, theirs._StreamingCallbackHandler)
        assert not isinstance(handler, ours._V2StreamingCallbackHandler)


def test_conversions_take_our_runs_and_pydantic_objects():
    compat = import_module("callboard.tracers._compat")
    run = compat.run_construct(id=UUID(int=1), name="a", unknown="left out")
    for value in (run, Document(page_content="text")):
        changed = {"id": UUID(int=2) if value is run else "2"}
        assert compat.pydantic_copy(value, update=changed).id == changed["id"]
        assert "id" not in compat.pydantic_to_dict(value, exclude={"id"})


def test_every_tracer_is_a_handler():
    for name in ("BaseTracer", "AsyncBaseTracer", "ConsoleCallbackHandler"):
        assert issubclass(getattr(callboard.tracers, name), BaseCallbackHandler)


def test_an_unknown_name_is_refused():
    with pytest.raises(AttributeError, match=r"'callboard\.tracers' has no attribute 'Tracer'"):
        _ = callboard.tracers.Tracer


def test_names_are_listed_before_they_are_loaded():
    assert {*callboard.tracers.__all__} <= {*dir(callboard.tracers)}


def test_opening_the_door_loads_no_tracer_and_a_tracer_loads_no_network():
    program = """
import sys
import callboard.tracers
assert "callboard.tracing" not in sys.modules
callboard.tracers.BaseTracer
heavy = {"callboard.export", "callboard.langsmith", "urllib3", "orjson", "pydantic", "http.client"}
assert not heavy & {*sys.modules}, heavy & {*sys.modules}
"""
    subprocess.run([sys.executable, "-c", program], check=True, timeout=50)
