"""What is inside what: by the place of the call, and by what is passed on."""

import asyncio
import contextvars
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from callboard.callbacks import (
    AsyncCallbackManager,
    CallbackManager,
    adispatch_custom_event,
    atrace_as_chain_group,
    dispatch_custom_event,
    get_usage_metadata_callback,
    trace_as_chain_group,
)
from callboard.instrument import (
    ContextThreadPoolExecutor,
    get_current_run_tree,
    trace,
    traceable,
)
from callboard.testing import RecordingHandler
from callboard.tracers.context import collect_runs


@traceable
def leaf(x=None):
    return x


@traceable
async def aleaf(x=None):
    return x


@pytest.fixture
def heard():
    return RecordingHandler()


def test_a_traced_function_inside_another_is_its_child(heard):
    @traceable(callbacks=[heard])
    def outer():
        leaf()

    outer()
    assert heard.tree() == "chain outer (ok)\n  chain leaf (ok)"


def test_a_manager_that_is_configured_inside_is_a_child_with_all_that_is_inherited(heard):
    other = RecordingHandler()

    @traceable(callbacks=[heard], tags=["own"], metadata={"m": 1})
    def outer():
        CallbackManager.configure([other]).on_tool_start({"name": "tool"}, "x").on_tool_end(1)

    outer(langsmith_extra={"tags": ["inherited"]})
    assert heard.tree() == "chain outer (ok)\n  tool tool (ok)"
    assert other.tree() == "tool tool (ok)"
    start = heard.heard[1]
    assert (start.kwargs["tags"], start.kwargs["metadata"]) == (["own", "inherited"], {"m": 1})
    assert (
        start.kwargs["parent_run_id"]
        == heard.heard[0].run_id
        == other.heard[0].kwargs["parent_run_id"]
    )


async def test_an_async_manager_that_is_configured_inside_is_a_child_too(heard):
    @traceable(callbacks=[heard])
    async def outer():
        run = await AsyncCallbackManager.configure().on_chain_start({"name": "chain"}, {})
        await aleaf(config={"callbacks": run.get_child()})
        await run.on_chain_end({})

    await outer()
    assert heard.tree() == "chain outer (ok)\n  chain chain (ok)\n    chain aleaf (ok)"


def test_a_handler_that_is_passed_again_hears_each_run_once(heard):
    @traceable(callbacks=[heard])
    def inner():
        CallbackManager.configure([heard]).on_chain_start({"name": "c"}, {}).on_chain_end({})

    traceable(callbacks=[heard], name="outer")(inner)(langsmith_extra={"callbacks": [heard]})
    assert heard.tree() == "chain outer (ok)\n  chain inner (ok)\n    chain c (ok)"
    assert len(heard.heard) == 6


def test_groups_and_traced_functions_nest_either_way(heard):
    @traceable(callbacks=[heard])
    def outer():
        with trace_as_chain_group("group"):
            leaf()
        leaf()

    with trace_as_chain_group("around", CallbackManager.configure([heard])):
        outer()
    assert heard.tree() == (
        "chain around (ok)\n"
        "  chain outer (ok)\n"
        "    chain group (ok)\n"
        "      chain leaf (ok)\n"
        "    chain leaf (ok)"
    )


async def test_async_groups_and_traced_functions_nest_either_way(heard):
    @traceable(callbacks=[heard])
    async def outer():
        async with atrace_as_chain_group("group"):
            await aleaf()

    await outer()
    assert heard.tree() == "chain outer (ok)\n  chain group (ok)\n    chain aleaf (ok)"


def test_a_custom_event_belongs_to_the_traced_function_around_it(heard):
    @traceable(callbacks=[heard])
    def outer():
        dispatch_custom_event("found", 1)

    @traceable(callbacks=[heard])
    async def aouter():
        await adispatch_custom_event("found", 2)

    outer()
    asyncio.run(aouter())
    starts = [each.run_id for each in heard.heard if each.event == "on_chain_start"]
    customs = [each.run_id for each in heard.heard if each.event == "on_custom_event"]
    assert customs == starts


def test_a_manager_of_langchains_own_is_a_parent_too(heard):
    from langchain_core.callbacks import CallbackManager as TheirManager

    run = TheirManager.configure([heard]).on_chain_start({"name": "theirs"}, {})
    leaf(langsmith_extra={"parent": run})
    leaf(config={"callbacks": run.get_child()})
    run.on_chain_end({})
    assert heard.tree() == "chain theirs (ok)\n  chain leaf (ok)\n  chain leaf (ok)"


@pytest.mark.parametrize("how", ["parent", "child as parent", "callbacks", "config"])
def test_a_traced_function_is_part_of_the_run_that_it_is_given(heard, how):
    run = CallbackManager.configure([heard]).on_chain_start({"name": "chain"}, {})
    given = {
        "parent": {"parent": run},
        "child as parent": {"parent": run.get_child()},
        "callbacks": {"callbacks": run.get_child()},
    }
    if how == "config":
        leaf(config={"callbacks": run.get_child()})
    else:
        leaf(langsmith_extra=given[how])
    run.on_chain_end({})
    assert heard.tree() == "chain chain (ok)\n  chain leaf (ok)"


def test_the_parent_that_is_given_counts_more_than_the_one_around(heard):
    run = CallbackManager.configure([heard]).on_chain_start({"name": "chain"}, {})

    @traceable
    def inside():
        leaf(langsmith_extra={"parent": run})
        leaf(langsmith_extra={"callbacks": run.get_child()})  # As LangChain's code passes it on.

    inside(langsmith_extra={"parent": run})
    run.on_chain_end({})
    assert heard.tree() == (
        "chain chain (ok)\n  chain inside (ok)\n    chain leaf (ok)\n  chain leaf (ok)"
    )


def test_a_manager_that_is_passed_on_also_has_what_is_inherited_here(heard):
    inner = RecordingHandler()
    run = CallbackManager.configure([heard]).on_chain_start({"name": "chain"}, {})

    @traceable(callbacks=[inner], metadata={"m": 1})
    def inside(passed_on):
        CallbackManager.configure(passed_on).on_tool_start({"name": "t"}, "x").on_tool_end(1)

    inside(run.get_child("tag"), config={"callbacks": run.get_child(), "tags": ["inherited"]})
    assert inner.tree() == "chain inside (ok)\n  tool t (ok)"
    start = inner.heard[1]
    assert start.kwargs["metadata"] == {"m": 1}
    assert start.kwargs["tags"] == ["inherited", "tag"]


def test_a_run_tree_is_a_parent_wherever_it_is_passed(heard):
    @traceable(callbacks=[heard])
    def outer():
        tree = get_current_run_tree()
        thread = threading.Thread(target=leaf, kwargs={"langsmith_extra": {"parent": tree}})
        thread.start()
        thread.join()

    outer()
    assert heard.tree() == "chain outer (ok)\n  chain leaf (ok)"


def test_a_handler_that_is_not_inherited_does_not_hear_what_is_inside():
    with collect_runs() as collected, trace("outer"):
        leaf()
    (outer,) = collected.traced_runs
    assert [run.name for run in outer.child_runs] == ["leaf"]


def test_usage_is_counted_in_traced_models():
    answer = {"text": "x", "usage_metadata": {"input_tokens": 2}}
    with get_usage_metadata_callback() as usage:
        traceable("llm")(lambda prompt: answer)("Hi")
    assert usage.usage_metadata == {"unknown": {"input_tokens": 2}}


def test_jobs_of_the_context_pool_are_part_of_the_run_that_gives_them(heard):
    @traceable(callbacks=[heard])
    def outer():
        with ContextThreadPoolExecutor(2) as pool:
            assert pool.submit(leaf, x=1).result() == 1
            assert list(pool.map(leaf, [2, 3])) == [2, 3]

    outer()
    assert heard.tree() == "chain outer (ok)" + "\n  chain leaf (ok)" * 3


def test_jobs_of_another_pool_are_with_a_copy_of_the_context(heard):
    @traceable(callbacks=[heard])
    def outer():
        with ThreadPoolExecutor() as pool:
            pool.submit(contextvars.copy_context().run, leaf).result()

    outer()
    assert heard.tree() == "chain outer (ok)\n  chain leaf (ok)"


async def test_tasks_and_threads_of_asyncio_are_part_of_the_run_that_starts_them(heard):
    @traceable(callbacks=[heard])
    async def outer():
        await asyncio.gather(aleaf(), aleaf())
        await asyncio.create_task(aleaf())
        await asyncio.to_thread(leaf)
        async with asyncio.TaskGroup() as group:
            group.create_task(aleaf())

    await outer()
    assert heard.tree().splitlines()[1:] == [
        *(["  chain aleaf (ok)"] * 3),
        "  chain leaf (ok)",
        "  chain aleaf (ok)",
    ]


async def test_a_task_that_outlives_its_parent_keeps_it(heard):
    tasks = []

    async def later():
        await asyncio.sleep(0.01)
        await aleaf()

    @traceable(callbacks=[heard])
    async def outer():
        tasks.append(asyncio.create_task(later()))

    await outer()
    await tasks[0]
    assert heard.tree() == "chain outer (ok)\n  chain aleaf (ok)"


def test_a_block_of_an_abandoned_generator_does_not_hold_its_context(heard):
    def abandoned():
        with trace("block", callbacks=[heard]):
            yield

    generator = abandoned()
    next(generator)
    contextvars.Context().run(generator.close)  # In another context, as a collector may.
    leaf(langsmith_extra={"callbacks": [heard]})
    assert heard.tree() == "chain block (error: GeneratorExit())\nchain leaf (ok)"
    assert get_current_run_tree() is None


def test_a_blocks_tags_are_those_of_the_runs_inside_too_as_the_sdk_has_it(heard):
    with trace("request", tags=["outer"], callbacks=[heard]) as outer:
        with trace("inner", tags=["more"]):
            pass
        headers = outer.to_headers()
    assert [each.kwargs["tags"] for each in heard.heard[:2]] == [["outer"], ["outer", "more"]]
    assert "outer" in headers["baggage"]
