"""Traced blocks, and the run that they and traced functions give."""

import asyncio
from uuid import UUID

import pytest

from callboard.callbacks import AsyncCallbackHandler
from callboard.errors import BadOptionError, RunFailedError
from callboard.export import Exporter, MemorySink
from callboard.instrument import get_current_run_tree, trace, traceable
from callboard.langsmith.tracer import LangChainTracer
from callboard.testing import CountingIds, RecordingHandler, StepClock, clock_from, ids_from
from tests.unit.langsmith.sending import Recording


def only(kept):
    (run,) = kept.traces
    return run


def test_a_block_is_a_run_that_ends_with_what_it_is_told(kept):
    with trace("search", "tool", inputs={"q": 1}, tags=["t"], callbacks=[kept]) as run:
        assert get_current_run_tree() is run
        run.metadata["key"] = "value"
        run.end(outputs={"found": 2}, metadata={"more": 1})
    recorded = only(kept)
    assert (recorded.id, recorded.name, recorded.run_type) == (run.id, "search", "tool")
    assert (recorded.inputs, recorded.outputs, recorded.error) == ({"q": 1}, {"found": 2}, None)
    assert (recorded.tags, recorded.metadata) == (["t"], {"key": "value", "more": 1})
    assert get_current_run_tree() is None


def test_a_block_that_is_told_nothing_ends_with_nothing(kept):
    with trace("block", callbacks=[kept]):
        pass
    assert (only(kept).outputs, only(kept).error) == ({}, None)


@pytest.mark.parametrize(
    "error", [ValueError("no"), asyncio.CancelledError(), KeyboardInterrupt(), GeneratorExit()]
)
@pytest.mark.parametrize("run_type", ["chain", "llm", "tool", "retriever"])
async def test_whatever_leaves_a_block_is_recorded_with_its_stack(kept, error, run_type):
    def fail(run):
        run.add_outputs({"so": "far"})
        raise error

    async def afail():
        async with trace("block", run_type, callbacks=[kept]) as run:
            fail(run)

    with pytest.raises(type(error)), trace("block", run_type, callbacks=[kept]) as run:
        fail(run)
    with pytest.raises(type(error)):
        await afail()
    for recorded in kept.traces:
        assert type(error).__name__ in recorded.error
        assert "raise error" in recorded.error
        assert recorded.outputs == {"so": "far"}


async def test_a_block_in_async_code_awaits_its_handlers():
    heard = []

    class Listener(AsyncCallbackHandler):
        async def on_chain_start(self, *args, **kwargs):
            await asyncio.sleep(0)
            heard.append("start")

        async def on_chain_end(self, *args, **kwargs):
            await asyncio.sleep(0)
            heard.append("end")

    async with trace("block", callbacks=[Listener()]):
        assert heard == ["start"]
    assert heard == ["start", "end"]


def test_an_error_may_be_told_instead_of_raised(kept):
    listener = RecordingHandler()
    with trace("block", callbacks=[kept, listener]) as run:
        run.end(error="it did not work", outputs={"x": 1})
    assert "it did not work" in only(kept).error
    assert only(kept).outputs == {"x": 1}
    assert isinstance(listener.heard[-1].args[0], RunFailedError)
    with trace("block", callbacks=[kept]) as run:
        run.end(error=OSError("disk"))
    assert "OSError('disk')" in kept.traces[1].error


def test_exceptions_to_handle_are_raised_and_recorded_as_an_end(kept):
    with pytest.raises(KeyError), trace("b", callbacks=[kept], exceptions_to_handle=(KeyError,)):
        raise KeyError("k")
    assert only(kept).error is None


def test_a_block_that_nobody_hears_gives_a_run_all_the_same(kept):
    for enabled in (None, False):
        with trace("block", inputs={"a": 1}, enabled=enabled) as run:
            run.add_metadata({"a": 1})
            run.add_event("something")
            run.end(outputs={"b": 1})
            assert get_current_run_tree() is None
        assert (run.name, run.inputs, run.outputs) == ("block", {"a": 1}, {"b": 1})
        assert run.to_headers() == {}
        with trace("inside", parent=run, callbacks=[kept]) as inner:
            assert inner.parent_run_id is None
    with pytest.raises(BadOptionError):
        trace("block", "no such type")


def test_a_block_can_be_given_its_id_and_its_parent(kept):
    with trace("outer", callbacks=[kept], run_id=str(UUID(int=9))) as outer:
        pass
    with trace("inner", parent=outer) as inner:
        assert inner.parent_run_id == outer.id == UUID(int=9)
    apart = trace("apart", parent="ignore", callbacks=[kept])
    with trace("around", callbacks=[kept]), apart as run:
        assert run.parent_run_id is None
    assert [run.name for run in kept.traces] == ["outer", "apart", "around"]


def test_a_run_is_told_of_with_langsmiths_names(kept):
    with (
        ids_from(CountingIds()),
        clock_from(StepClock()),
        trace("outer", callbacks=[kept], metadata={"m": 1}, tags=["t"]) as outer,
        trace("inner", "tool", inputs={"a": 1}) as inner,
    ):
        assert (outer.id, outer.trace_id, outer.parent_run_id) == (UUID(int=1),) * 2 + (None,)
        assert (inner.id, inner.trace_id, inner.parent_run_id) == (
            UUID(int=2),
            UUID(int=1),
            UUID(int=1),
        )
        assert (outer.name, outer.run_type, inner.run_type) == ("outer", "chain", "tool")
        assert (outer.tags, outer.metadata, outer.extra) == (
            ["t"],
            {"m": 1},
            {"metadata": {"m": 1}},
        )
        assert inner.inputs == {"a": 1}
        assert inner.dotted_order.startswith(outer.dotted_order + ".")
        assert inner.dotted_order == kept.order_map[inner.id][1]
        assert "tool:inner 00000000-0000-0000-0000-000000000002" in repr(inner)


def test_without_tracers_a_run_knows_its_place_too():
    with trace("outer", callbacks=[RecordingHandler()]) as outer, trace("inner") as inner:
        assert inner.dotted_order.startswith(outer.dotted_order + ".")
        assert inner.trace_id == outer.id
        assert inner.is_within(outer.id)
        assert not outer.is_within(inner.id)


def test_what_is_added_while_a_run_goes_on_is_recorded(kept):
    recording = Recording()
    tracer = LangChainTracer(destination=recording)

    heard = RecordingHandler()

    @traceable(callbacks=[kept, tracer, heard], tags=["own"])
    def function(x):
        run = get_current_run_tree()
        run.add_tags("one")
        run.add_tags(["two", "own"])
        run.add_metadata({"a": 1})
        run.add_outputs({"added": 1})
        run.add_inputs({"y": 2})
        run.add_event("happened")
        run.add_event([{"name": "again", "n": 1}])
        return {"returned": 2}

    function(1)
    run = only(kept)
    assert (run.tags, run.metadata) == (["own", "one", "two"], {"a": 1})
    assert run.outputs == {"added": 1, "returned": 2}
    assert run.inputs == {"x": 1, "y": 2}
    assert [event["name"] for event in run.events] == ["start", "event", "again", "end"]
    update = recording.of("function", "update")
    assert update.parts["inputs"] == {"x": 1, "y": 2}
    assert update.parts["extra"]["metadata"] == {"a": 1}
    assert update.head["tags"] == ["own", "one", "two"]
    started = heard.heard[0].kwargs
    assert (started["tags"], started["metadata"]) == (["own"], {})


@pytest.mark.parametrize("run_type", ["chain", "llm", "tool", "retriever"])
def test_what_is_set_is_recorded_instead_of_what_the_function_has(kept, run_type):
    @traceable(run_type, callbacks=[kept])
    def function(secret):
        get_current_run_tree().set(inputs={"i": 1}, outputs={"o": 2}, tags=["t"], metadata={"m": 3})
        return secret

    assert function("secret") == "secret"
    run = only(kept)
    assert (run.inputs, run.outputs, run.tags, run.metadata) == (
        {"i": 1},
        {"o": 2},
        ["t"],
        {"m": 3},
    )


def test_metadata_is_inherited_from_when_it_is_added(kept):
    with trace("outer", callbacks=[kept]) as outer:
        with trace("before"):
            pass
        outer.metadata["a"] = 1
        with trace("after"):
            pass
    assert "a" not in kept.runs["before"].metadata
    assert kept.runs["after"].metadata == {"a": 1}


def test_what_is_added_to_a_run_leaves_the_tags_that_its_tracer_gives_it():
    sink = MemorySink()
    exporter = Exporter(sink)
    tracer = LangChainTracer(destination=exporter, tags=["nightly"])
    with trace("block", tags=["own"], callbacks=[tracer]) as run:
        assert exporter.flush(5)
        run.add_tags("late")
    assert exporter.shutdown(5)
    assert [operation.head["tags"] for operation in sink.operations] == [
        ["own", "nightly"],
        ["own", "late", "nightly"],
    ]
