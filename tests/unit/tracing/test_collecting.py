"""Collecting traces: by a handler, and for the length of a block."""

import asyncio
from contextvars import copy_context
from uuid import UUID

import pytest

from callboard.callbacks import AsyncCallbackManager, CallbackManager
from callboard.tracers import RunCollectorCallbackHandler
from callboard.tracers.context import collect_runs, run_collector_var
from tests.unit.tracing.keeping import text

EXAMPLE = UUID(int=7)


def call(name="call", manager=None):
    run = (manager or CallbackManager.configure()).on_chain_start({}, {}, name=name)
    run.get_child().on_tool_start({}, "", name="inner").on_tool_end(1)
    run.on_chain_end({})


@pytest.mark.parametrize("example_id", [EXAMPLE, str(EXAMPLE)])
def test_a_collector_keeps_the_roots_of_traces_with_their_example(example_id):
    collector = RunCollectorCallbackHandler(example_id)
    call(manager=CallbackManager.configure([collector]))
    (root,) = collector.traced_runs
    assert text(root) == "chain:call ended [start end]\n  tool:inner ended [start end]"
    assert root.reference_example_id == EXAMPLE
    assert root.child_runs[0].reference_example_id is None


def test_without_an_example_there_is_none():
    collector = RunCollectorCallbackHandler()
    call(manager=CallbackManager.configure([collector]))
    assert collector.traced_runs[0].reference_example_id is None


def test_what_is_called_in_a_block_is_collected():
    with collect_runs() as collected:
        call("first")
        call("second")
    call("after")
    assert [run.name for run in collected.traced_runs] == ["first", "second"]
    assert run_collector_var.get() is None


def test_a_block_inside_another_collects_its_own():
    with collect_runs() as outer:
        call("before")
        with collect_runs() as inner:
            call("inside")
        call("after")
    assert [run.name for run in outer.traced_runs] == ["before", "after"]
    assert [run.name for run in inner.traced_runs] == ["inside"]


def test_a_block_that_raises_collects_no_more():
    with pytest.raises(ValueError, match="no"), collect_runs() as collected:
        raise ValueError("no")
    call()
    assert collected.traced_runs == []


def test_children_are_part_of_their_trace_once():
    with collect_runs() as collected:
        run = CallbackManager.configure().on_chain_start({}, {}, name="outer")
        call("inner", CallbackManager.configure(run.get_child()))
        run.on_chain_end({})
    (root,) = collected.traced_runs
    assert text(root) == "chain:outer ended [start end]\n  chain:inner ended [start end]"


async def test_tasks_of_a_block_are_collected_by_it_and_others_are_not():
    async def acall(name):
        run = await AsyncCallbackManager.configure().on_chain_start({}, {}, name=name)
        await asyncio.sleep(0)
        await run.on_chain_end({})

    async def block(name):
        with collect_runs() as collected:
            await asyncio.gather(acall(f"{name} 1"), asyncio.create_task(acall(f"{name} 2")))
        return sorted(run.name for run in collected.traced_runs)

    assert await asyncio.gather(block("a"), block("b")) == [["a 1", "a 2"], ["b 1", "b 2"]]


def test_a_block_that_ends_in_another_context_breaks_nothing():
    def generate():
        with collect_runs() as collected:
            yield collected

    blocks = generate()
    copy_context().run(next, blocks)
    blocks.close()
    assert run_collector_var.get() is None


@pytest.mark.parametrize("told", ["at the start", "at the end"])
def test_what_is_added_to_inputs_later_is_not_recorded(told):
    """As a runnable with fallbacks does, which adds the exception to what it was given."""
    given, collector = {"x": 1}, RunCollectorCallbackHandler()
    at_the_end = {"inputs": given} if told == "at the end" else {}
    manager = CallbackManager.configure([collector])
    run = manager.on_chain_start({}, {"input": ""} if at_the_end else given, name="failing")
    run.on_chain_error(ValueError(), **at_the_end)
    given["error"] = "no"
    assert collector.traced_runs[0].inputs == {"x": 1}
