"""What users of callbacks and tracers complain of, each as a promise that it can't happen here.

The docstrings name the threads, as repository#number. Group A: callbacks and tracers; that of
what happens behind them is in `test_complaints_export.py`.
"""

import asyncio
import logging
import tracemalloc
import warnings
from concurrent.futures import ThreadPoolExecutor
from contextvars import Context, ContextVar

import pytest

from callboard.callbacks import (
    AsyncCallbackHandler,
    AsyncCallbackManager,
    BaseCallbackHandler,
    CallbackManager,
    atrace_as_chain_group,
    trace_as_chain_group,
)
from callboard.langsmith.tracer import LangChainTracer
from callboard.payloads import AIMessage, ChatGeneration, LLMResult
from callboard.testing import RecordingHandler
from callboard.tracers import Run
from callboard.tracing.recorder import Recorder
from tests.unit.langsmith.sending import Recording
from tests.unit.tracing.keeping import AsyncKeeping, Keeping, every_run, text

who = ContextVar("who", default="nobody")


class Unreadable:
    """Whatever is done with it fails."""

    def __getattribute__(self, name):
        raise AssertionError(f"{name} was looked at")


def test_what_nobody_hears_is_never_read_nor_serialised():
    """langchain#19756."""

    class HearsTools(BaseCallbackHandler):
        def on_tool_start(self, *args, **kwargs):
            raise AssertionError("no tool is called")

    for handlers in ([], [HearsTools()]):
        run = CallbackManager.configure(handlers).on_chain_start(Unreadable(), Unreadable())
        [model] = run.get_child().on_llm_start(Unreadable(), ["a prompt"])
        model.on_llm_new_token("a", chunk=Unreadable())
        model.on_llm_end(Unreadable())
        run.on_chain_end(Unreadable())


async def test_in_async_code_the_tracer_runs_in_the_callers_context_and_in_order():
    """langchain#23909, #26857, #26885, #26797; opik#8295."""
    seen = []

    class Looking(LangChainTracer):
        def _on_run_create(self, run):
            seen.append((run.name, who.get(), asyncio.current_task()))

    who.set("me")
    manager = AsyncCallbackManager.configure([Looking(destination=Recording())])
    for name in "abc":
        await manager.on_chain_start({}, {}, name=name)
    assert seen == [(name, "me", asyncio.current_task()) for name in "abc"]


async def test_what_an_async_inline_handler_sets_the_caller_sees_at_the_start_and_at_the_end():
    """langchain#31398. Ends are shielded all the same: see `tests/unit/test_cancellation.py`."""

    class Sets(AsyncCallbackHandler):
        run_inline = True

        async def on_chain_start(self, *args, **kwargs):
            who.set("set at the start")

    run = await AsyncCallbackManager.configure([Sets()]).on_chain_start({}, {})
    assert who.get() == "set at the start"
    await run.on_chain_end({})


def test_a_run_is_where_its_ids_say_whatever_the_context_says():
    """opentelemetry-python-genai#513, #677, #758; openllmetry#3526; openlit#861; langfuse#13590."""
    tracer = Keeping()
    outer = Context().run(CallbackManager.configure([tracer]).on_chain_start, {}, {}, name="outer")
    manager = Context().run(outer.get_child)
    inner = Context().run(manager.on_chain_start, {}, {}, name="inner")
    tool = Context().run(inner.get_child().on_tool_start, {}, "x", name="tool")
    # Each ends in another context than it began in, and not in order.
    Context().run(inner.on_chain_end, {})
    Context().run(tool.on_tool_end, 1)
    Context().run(outer.on_chain_end, {})
    [root] = tracer.traces
    assert [line.split()[0] for line in text(root).splitlines()] == [
        "chain:outer",
        "chain:inner",
        "tool:tool",
    ]


def test_children_in_a_pool_of_threads_are_no_traces_of_their_own():
    """langsmith-sdk#771, smolagents#1840, crewAI#4822, haystack#9717."""
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
    """langsmith-sdk#2431."""
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
    """langchain#39163, #39360; deepeval#3301."""
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
    """langchain#18254, Chainlit#1896, langfuse#1927, #3296, #5434."""
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


def test_a_tracer_that_joins_late_records_what_begins_then_and_says_once_what_it_missed(caplog):
    """langchain#18254, open_deep_research#60: "No indexed run ID", a hundred times over."""
    late = Keeping()
    [model] = CallbackManager.configure([Keeping()]).on_llm_start({}, ["hi"], name="model")
    outer = CallbackManager.configure([Keeping()]).on_chain_start({}, {}, name="outer")
    for run in (model, outer):
        run.handlers.append(late)
        run.inheritable_handlers.append(late)
    for _ in range(100):
        model.on_llm_new_token("a")
    model.on_llm_end(LLMResult([[]]))
    outer.get_child().on_tool_start({}, "", name="inner").on_tool_end(1)
    outer.on_chain_end({})
    assert [root.name for root in late.traces] == ["inner"]
    [record] = caplog.records
    assert "whose start it did not hear" in record.getMessage()
    assert record.exc_info is None


def test_an_async_handler_hears_everything_in_sync_code_and_no_coroutine_is_left():
    """langchain#1708, #9798, #7242, #10945; #30870, #35233."""
    heard = []

    class Hears(AsyncCallbackHandler):
        async def on_llm_start(self, serialized, prompts, **kwargs):
            heard.append(prompts)

        async def on_llm_new_token(self, token, **kwargs):
            heard.append(token)

        async def on_llm_end(self, response, **kwargs):
            heard.append("end")

    def call():
        manager = CallbackManager.configure([Hears()])
        [model] = manager.on_chat_model_start({}, [[("human", "hi")]])  # Falls back on text.
        model.on_llm_new_token("a")
        model.on_llm_end(LLMResult([[]]))

    async def call_in_a_loop():
        call()

    with warnings.catch_warnings():
        warnings.simplefilter("error")
        call()
        asyncio.run(call_in_a_loop())
    assert heard == [["Human: hi"], "a", "end"] * 2


def test_a_tracer_that_is_passed_twice_records_once():
    """langchain#24642, #7504, #9401, #9452."""
    tracer = Keeping()
    manager = CallbackManager.configure([tracer], [tracer])
    outer = manager.on_chain_start({}, {}, name="outer")
    inner = CallbackManager.configure(outer.get_child(), [tracer])
    inner.on_tool_start({}, "", name="inner").on_tool_end(1)
    outer.on_chain_end({})
    (root,) = tracer.traces
    assert [run.name for run in every_run(root)] == ["outer", "inner"]
    assert tracer.called.count("_on_run_create") == 2


@pytest.mark.parametrize("way", ["list", "manager", "child"])
def test_a_handler_hears_an_event_once_however_it_was_passed(way):
    """langchain#24642, #7504, #9401, #9452."""
    handler = RecordingHandler()
    manager = CallbackManager.configure(
        {
            "list": [handler],
            "manager": CallbackManager([handler]),
            "child": CallbackManager([], inheritable_handlers=[handler]),
        }[way],
        [handler],
    )
    run = manager.on_chain_start({}, {})
    inner = CallbackManager.configure(run.get_child(), [handler]).on_tool_start({}, "")
    inner.on_tool_end(1)
    run.on_chain_end({})
    assert handler.events == ["on_chain_start", "on_tool_start", "on_tool_end", "on_chain_end"]


def test_usage_is_right_when_the_answer_was_streamed():
    """langchain#16182, #30390, #30429, #35206; langgraph#3911; langchainjs#2024."""
    sent = Recording()
    manager = CallbackManager.configure([LangChainTracer(destination=sent)])
    (run,) = manager.on_chat_model_start({}, [[]], name="model")
    told = {"input_tokens": 3, "output_tokens": 2, "total_tokens": 5}
    for token, usage in (("a", None), ("b", None), ("", told)):
        run.on_llm_new_token(token, chunk=ChatGeneration(AIMessage(token, usage_metadata=usage)))
    run.on_llm_end(LLMResult([[ChatGeneration(AIMessage("ab", usage_metadata=told))]]))
    metadata = sent.of("model", "update").parts["extra"]["metadata"]
    assert metadata["usage_metadata"] == told


def test_the_usage_of_a_stream_that_broke_off_is_told():
    """langchain#30429, from the other end: what was used has its price, whatever came of it."""
    sent = Recording()
    manager = CallbackManager.configure([LangChainTracer(destination=sent)])
    (run,) = manager.on_chat_model_start({}, [[]], name="model")
    told = {"input_tokens": 3, "output_tokens": 1, "total_tokens": 4}
    run.on_llm_new_token("he", chunk=ChatGeneration(AIMessage("he", usage_metadata=told)))
    so_far = LLMResult([[ChatGeneration(AIMessage("he", usage_metadata=told))]])
    run.on_llm_error(ConnectionResetError("gone"), response=so_far)
    update = sent.of("model", "update")
    assert update.parts["error"].startswith("ConnectionResetError('gone')")
    assert update.parts["extra"]["metadata"]["usage_metadata"] == told
    assert update.parts["outputs"]["generations"][0][0]["message"]["kwargs"]["content"] == "he"


async def test_a_token_has_been_heard_by_all_when_telling_it_returns():
    """langchain#37878, #37873, #16909, #18269: whoever yields it after that is in order."""
    heard = []

    class Slow(AsyncCallbackHandler):
        async def on_llm_new_token(self, token, **kwargs):
            await asyncio.sleep(0)
            heard.append(token)

    class Plain(BaseCallbackHandler):
        def on_llm_new_token(self, token, **kwargs):
            heard.append(token)

    manager = AsyncCallbackManager.configure([Slow(), Plain()])
    [run] = await manager.on_llm_start({}, ["hi"])

    async def stream():
        for token in "abc":
            await run.on_llm_new_token(token)
            yield token

    so_far = []
    async for token in stream():
        so_far += [token, token]
        assert heard == so_far


def test_what_a_tracer_knows_of_is_runs_of_one_class_however_they_came():
    """langchain#22353."""
    tracer = Keeping()
    other = LangChainTracer(
        destination=Recording(), run_map=tracer.run_map, order_map=tracer.order_map
    )
    run = CallbackManager.configure([tracer]).on_chain_start({}, {})
    CallbackManager.configure([other]).on_tool_start({}, "")
    assert {type(each) for each in tracer.run_map.values()} == {Run}
    run.on_chain_end({})


def test_a_tracer_that_lives_for_long_does_not_grow():
    """langsmith-sdk#2097, #2515; langchain#9954; opik#7516; openllmetry#2790; maxim-py#142."""
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
    """langchain#23909: the same hop, seen from the other side."""
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
    """langchain#19756: of what is traced."""
    sent = Recording()
    prompt = "word " * 100_000
    CallbackManager.configure([LangChainTracer(destination=sent)]).on_llm_start({}, [prompt])
    assert sent.operations[0].parts["inputs"]["prompts"][0] is prompt
