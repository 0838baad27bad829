"""What users of other tracing libraries complain of, and what does not happen here.

The numbers are those of the issues that tell of it.
"""

import asyncio
import gc
import logging
import threading
from concurrent.futures import ThreadPoolExecutor
from contextvars import ContextVar, copy_context

from callboard.callbacks import CallbackManager
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
    return get_current_run_tree()


def test_children_in_a_thread_pool_are_not_orphans_langsmith_sdk_771(kept):
    @traceable(callbacks=[kept])
    def outer():
        with ContextThreadPoolExecutor() as ours, ThreadPoolExecutor() as any_other:
            list(ours.map(leaf, range(3)))
            any_other.submit(copy_context().run, leaf).result()

    outer()
    assert kept.texts() == ["chain outer ended" + "\n  chain leaf ended" * 4]


async def test_a_generator_consumed_by_tasks_keeps_its_parent_langsmith_sdk_2431(kept):
    @traceable(callbacks=[kept])
    async def generator():
        for _ in range(3):
            leaf()
            await asyncio.sleep(0)
            yield get_current_run_tree().name

    @traceable(callbacks=[kept])
    async def outer():
        steps = generator()
        return [await asyncio.create_task(anext(steps)) for _ in range(3)], await anext(
            steps, "end"
        )

    assert await outer() == (["generator"] * 3, "end")
    assert kept.texts() == [
        "chain outer ended\n  chain generator ended" + "\n    chain leaf ended" * 3
    ]


def test_a_generator_consumed_by_threads_keeps_its_parent(kept):
    @traceable(callbacks=[kept])
    def generator():
        while True:
            leaf()
            yield

    steps = generator()
    for _ in range(3):
        thread = threading.Thread(target=next, args=[steps])
        thread.start()
        thread.join()
    steps.close()
    assert kept.texts() == ["chain generator ended" + "\n  chain leaf ended" * 3]


def test_a_stream_that_is_abandoned_ends_and_logs_nothing_langchain_18254(kept, caplog):
    @traceable(callbacks=[kept], run_type="llm")
    def tokens(prompt):
        for token in "abc":
            leaf()
            yield token

    with caplog.at_level(logging.DEBUG):
        for _ in range(5):
            next(tokens("Hi"))
        gc.collect()
    assert [run.outputs for run in kept.traces] == [{"output": ["a"]}] * 5
    assert [run.error for run in kept.traces] == [None] * 5
    assert kept.run_map == {}
    assert caplog.text == ""


async def test_a_disconnected_client_leaves_no_run_pending_langchain_39163(kept):
    @traceable(callbacks=[kept])
    async def tokens():
        async with trace("model"):
            while True:
                yield "a"
                await asyncio.sleep(0.001)

    @traceable(callbacks=[kept])
    async def respond():
        async for _ in tokens():
            pass

    task = asyncio.create_task(respond())
    await asyncio.sleep(0.02)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    gc.collect()
    await asyncio.sleep(0.01)
    assert kept.run_map == {}
    assert kept.texts() == ["chain respond failed\n  chain tokens failed\n    chain model failed"]


def test_a_sync_call_in_an_async_app_is_part_of_its_trace_chainlit_1896(kept):
    @traceable(callbacks=[kept])
    async def app():
        leaf()
        run = CallbackManager.configure().on_chain_start({"name": "chain"}, {})
        leaf(config={"callbacks": run.get_child()})
        run.on_chain_end({})
        await asyncio.to_thread(leaf)

    asyncio.run(app())
    assert kept.texts() == [
        (
            "chain app ended\n"
            "  chain leaf ended\n"
            "  chain chain ended\n"
            "    chain leaf ended\n"
            "  chain leaf ended"
        )
    ]


def test_context_is_never_detached_where_it_was_not_attached_openllmetry_3526(caplog):
    variable = ContextVar("variable", default="unset")
    heard = RecordingHandler()

    @traceable(callbacks=[heard])
    async def generator():
        with trace("block"):
            while True:
                yield variable.get()

    async def program():
        steps = generator()
        variable.set("outer")
        first = await asyncio.create_task(anext(steps))
        second = await copy_context().run(asyncio.create_task, anext(steps))
        await asyncio.create_task(steps.aclose())
        return first, second

    assert asyncio.run(program()) == ("outer", "outer")
    assert caplog.text == ""
    assert heard.tree() == "chain generator (ok)\n  chain block (error: GeneratorExit())"


def test_runs_are_let_go_of_when_they_have_ended_langsmith_sdk_2097(kept):
    import weakref

    class Big:
        pass

    big = Big()
    seen = weakref.ref(big)
    with collect_runs() as collected:
        traceable(lambda x: None)(big)
    collected.traced_runs.clear()
    del big
    gc.collect()
    assert seen() is None
    assert get_current_run_tree() is None


def test_an_abandoned_stream_leaves_nothing_for_the_collector(kept):
    import weakref

    class Big:
        pass

    @traceable(run_type="llm", callbacks=[kept])
    def tokens(big):
        yield "a"
        yield "b"

    big = Big()
    seen = weakref.ref(big)
    gc.collect()
    gc.disable()
    try:
        stream = tokens(big)
        next(stream)
        del stream, big
        kept.traces.clear()
        kept.runs.clear()
        assert seen() is None
    finally:
        gc.enable()


def test_what_a_captured_context_holds_is_not_what_its_runs_were_given_langsmith_sdk_2097(kept):
    import weakref

    class Big:
        pass

    big = Big()
    seen = weakref.ref(big)
    contexts = []

    heard = RecordingHandler()
    with trace("outer", inputs={"big": big}, callbacks=[heard]) as outer:
        outer_id = outer.id
        contexts.append(copy_context())  # As a timer or a pool of connections does.
        leaf()
    heard.heard.clear()
    del big, outer
    gc.collect()
    assert seen() is None
    assert contexts[0].run(get_current_run_tree).id == outer_id
    tree = contexts[0].run(leaf, langsmith_extra={"callbacks": [kept]})
    assert tree.parent_run_id == outer_id


def test_a_job_that_starts_itself_again_does_not_hold_all_that_came_before(kept):
    import weakref

    from callboard.callbacks.trace import trace_var

    context, places = copy_context(), []

    def job():
        with trace("job", callbacks=[kept]):
            places.append(weakref.ref(trace_var.get()))
            return copy_context()

    for _ in range(5):
        context = context.run(job)
    gc.collect()
    assert [place() is None for place in places] == [True] * 4 + [False]
