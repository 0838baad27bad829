"""What people complain of in other tracers: a test for each, that it can't happen here."""

import asyncio
import logging
import tracemalloc
from concurrent.futures import ThreadPoolExecutor
from contextvars import ContextVar

import pytest

from callboard.callbacks import (
    AsyncCallbackHandler,
    AsyncCallbackManager,
    CallbackManager,
    atrace_as_chain_group,
    trace_as_chain_group,
)
from callboard.langsmith.tracer import LangChainTracer
from callboard.payloads import AIMessage, ChatGeneration, LLMResult
from callboard.tracers import Run
from callboard.tracing.recorder import Recorder
from tests.unit.langsmith.sending import Recording
from tests.unit.tracing.keeping import AsyncKeeping, Keeping, every_run, text

who = ContextVar("who", default="nobody")


async def test_in_async_code_the_tracer_runs_in_the_callers_context_and_in_order():
    seen = []

    class Looking(LangChainTracer):
        def _on_run_create(self, run):
            seen.append((run.name, who.get(), asyncio.current_task()))

    who.set("me")
    manager = AsyncCallbackManager.configure([Looking(destination=Recording())])
    for name in "abc":
        await manager.on_chain_start({}, {}, name=name)
    assert seen == [(name, "me", asyncio.current_task()) for name in "abc"]


def test_children_in_a_pool_of_threads_are_no_traces_of_their_own():
    tracer = Keeping()
    run = CallbackManager.configure([tracer]).on_chain_start({}, {}, name="outer")

    def work(number):
        run.get_child().on_tool_start({}, "", name="inner").on_tool_end(number)

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(work, range(20)))
    run.on_chain_end({})
    (root,) = tracer.traces
    assert len(root.child_runs) == 20
    assert {child.trace_id for child in root.child_runs} == {root.id}


async def test_an_async_generator_that_other_tasks_consume_keeps_its_parent():
    tracer = AsyncKeeping()

    async def stream(manager):
        for number in range(3):
            run = await manager.on_tool_start({}, "", name=f"step {number}")
            await run.on_tool_end(number)
            yield number

    outer = await AsyncCallbackManager.configure([tracer]).on_chain_start({}, {}, name="outer")
    steps = stream(outer.get_child())
    for number in range(3):
        assert await asyncio.create_task(anext(steps)) == number
    await steps.aclose()
    await outer.on_chain_end({})
    (root,) = tracer.traces
    assert [child.name for child in root.child_runs] == ["step 0", "step 1", "step 2"]


async def test_a_group_whose_client_went_away_is_not_pending_for_ever():
    sent = Recording()
    entered = asyncio.Event()

    async def serve():
        tracer = LangChainTracer(destination=sent)
        async with atrace_as_chain_group("group", AsyncCallbackManager.configure([tracer])):
            entered.set()
            await asyncio.Event().wait()

    task = asyncio.create_task(serve())
    await entered.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    update = sent.of("group", "update")
    assert update.parts["error"].startswith("CancelledError()")
    assert update.head["end_time"] is not None


def test_a_stream_that_is_abandoned_ends_its_runs_and_logs_nothing(caplog):
    caplog.set_level(logging.DEBUG)
    tracer = Keeping()

    def stream():
        with trace_as_chain_group("stream", CallbackManager.configure([tracer])) as group:
            for number in range(10):
                group.on_tool_start({}, "", name=f"step {number}").on_tool_end(number)
                yield number

    abandoned = stream()
    next(abandoned)
    abandoned.close()
    assert [text(root).splitlines()[0] for root in tracer.traces] == [
        "chain:stream failed [start error]"
    ]
    assert caplog.records == []


def test_a_tracer_that_is_passed_twice_records_once():
    tracer = Keeping()
    manager = CallbackManager.configure([tracer], [tracer])
    outer = manager.on_chain_start({}, {}, name="outer")
    inner = CallbackManager.configure(outer.get_child(), [tracer])
    inner.on_tool_start({}, "", name="inner").on_tool_end(1)
    outer.on_chain_end({})
    (root,) = tracer.traces
    assert [run.name for run in every_run(root)] == ["outer", "inner"]
    assert tracer.called.count("_on_run_create") == 2


def test_usage_is_right_when_the_answer_was_streamed():
    sent = Recording()
    manager = CallbackManager.configure([LangChainTracer(destination=sent)])
    (run,) = manager.on_chat_model_start({}, [[]], name="model")
    told = {"input_tokens": 3, "output_tokens": 2, "total_tokens": 5}
    for token, usage in (("a", None), ("b", None), ("", told)):
        run.on_llm_new_token(token, chunk=ChatGeneration(AIMessage(token, usage_metadata=usage)))
    run.on_llm_end(LLMResult([[ChatGeneration(AIMessage("ab", usage_metadata=told))]]))
    metadata = sent.of("model", "update").parts["extra"]["metadata"]
    assert metadata["usage_metadata"] == told


def test_what_a_tracer_knows_of_is_runs_of_one_class_however_they_came():
    tracer = Keeping()
    other = LangChainTracer(
        destination=Recording(), run_map=tracer.run_map, order_map=tracer.order_map
    )
    run = CallbackManager.configure([tracer]).on_chain_start({}, {})
    CallbackManager.configure([other]).on_tool_start({}, "")
    assert {type(each) for each in tracer.run_map.values()} == {Run}
    run.on_chain_end({})


def test_a_tracer_that_lives_for_long_does_not_grow():
    tracer = LangChainTracer(destination=_Nowhere())
    tracer._recorder = Recorder("original+chat", max_runs=100)
    manager = CallbackManager.configure([tracer])

    def serve(times):
        for _ in range(times):
            run = manager.on_chain_start({}, {"text": "x" * 1000})
            run.get_child().on_tool_start({}, "x" * 1000).on_tool_end("y" * 1000)
            run.on_chain_end({"text": "z" * 1000})
            manager.on_chain_start({}, {"never": "ended"})

    serve(200)
    tracemalloc.start()
    try:
        before = tracemalloc.get_traced_memory()[0]
        serve(600)
        grown = tracemalloc.get_traced_memory()[0] - before
    finally:
        tracemalloc.stop()
    assert len(tracer.run_map) <= 100
    # 600 traces of which one kept its inputs alone would be more.
    assert grown < 400_000


class _Nowhere:
    def submit(self, operation, *, urgent=False):
        pass


async def test_a_slow_async_handler_does_not_keep_the_tracer_from_sending():
    sent, begun, waiting = Recording(), asyncio.Event(), asyncio.Event()

    class Slow(AsyncCallbackHandler):
        async def on_chain_start(self, *args, **kwargs):
            begun.set()
            await waiting.wait()

    manager = AsyncCallbackManager.configure([Slow(), LangChainTracer(destination=sent)])
    task = asyncio.create_task(manager.on_chain_start({}, {}, name="run"))
    await begun.wait()
    assert sent.told() == ["create run"]
    waiting.set()
    await task


def test_a_prompt_is_not_copied_on_the_callers_thread():
    sent = Recording()
    prompt = "word " * 100_000
    CallbackManager.configure([LangChainTracer(destination=sent)]).on_llm_start({}, [prompt])
    assert sent.operations[0].parts["inputs"]["prompts"][0] is prompt
