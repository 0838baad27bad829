"""The bases of tracers, in both colours: what they record, and which hooks they call when."""

import asyncio
import threading
from types import SimpleNamespace
from uuid import UUID

import pytest

from callboard.callbacks import AsyncCallbackManager, CallbackManager
from callboard.errors import UnknownRunError
from callboard.payloads import AIMessage, ChatGeneration, Generation, HumanMessage, LLMResult
from callboard.testing import StepClock, clock_from
from callboard.tracers import AsyncBaseTracer, BaseTracer, Run
from callboard.tracing.base import HOOKS
from tests.unit.tracing.keeping import ANSWER, KINDS, AsyncKeeping, Keeping, every_run, text

ONE, TWO = UUID(int=1), UUID(int=2)

COLOURS = pytest.mark.parametrize("kind_of_tracer", [Keeping, AsyncKeeping])
FORMATS = pytest.mark.parametrize(
    "schema_format", ["original", "original+chat", "streaming_events"]
)
EVERY_KIND = pytest.mark.parametrize("start", KINDS)


async def tell(tracer, event, *args, **kwargs):
    """Tell a tracer of either colour of an event."""
    answer = getattr(tracer, event)(*args, **kwargs)
    return await answer if asyncio.iscoroutine(answer) else answer


@pytest.fixture(autouse=True)
def _steps():
    with clock_from(StepClock()):
        yield


@COLOURS
@EVERY_KIND
async def test_every_kind_of_run_is_recorded_from_start_to_end(kind_of_tracer, start):
    about, run_type, ends, result = KINDS[start]
    tracer = kind_of_tracer(_schema_format="original+chat")
    run = await tell(
        tracer,
        start,
        {"name": "worker", "kwargs": {}},
        about,
        run_id=ONE,
        tags=["t"],
        metadata={"m": 1},
        invocation_params={"stop": None},
    )
    assert isinstance(run, Run)
    assert (run.run_type, run.end_time, run.outputs) == (run_type, None, None)
    assert tracer.run_map == {str(ONE): run}
    assert await tell(tracer, f"{ends}_end", result, run_id=ONE) is run
    assert text(run) == f"{run_type}:{_name(start)} ended [start end]"
    assert (run.tags, run.metadata) == (["t"], {"m": 1})
    assert run.extra["invocation_params"] == {"stop": None}
    assert run.serialized["name"] == "worker"
    assert run.error is None
    assert run.outputs
    assert tracer.traces == [run]
    assert tracer.run_map == {}


def _name(start):
    # A retriever's name is what it was started with, or this.
    return "Retriever" if start == "on_retriever_start" else "worker"


@COLOURS
@EVERY_KIND
async def test_every_kind_of_run_is_recorded_when_it_fails(kind_of_tracer, start):
    about, run_type, ends, _ = KINDS[start]
    tracer = kind_of_tracer(_schema_format="original+chat")
    await tell(tracer, start, None, about, run_id=ONE, name="worker")
    run = await tell(tracer, f"{ends}_error", ValueError("no"), run_id=ONE)
    assert text(run) == f"{run_type}:worker failed [start error]"
    assert run.error.startswith("ValueError('no')")
    assert not run.outputs
    assert tracer.traces == [run]
    assert tracer.run_map == {}


@COLOURS
@EVERY_KIND
@pytest.mark.parametrize("ending", ["end", "error"])
async def test_hooks_of_a_run_are_called_from_its_start_to_its_end(kind_of_tracer, start, ending):
    about, _, ends, result = KINDS[start]
    tracer = kind_of_tracer(_schema_format="original+chat")
    await tell(tracer, start, None, about, run_id=ONE)
    assert tracer.called == ["_on_run_create", f"_{start}"]
    tracer.called.clear()
    await tell(
        tracer, f"{ends}_{ending}", ValueError() if ending == "error" else result, run_id=ONE
    )
    ordered = [f"_{ends}_{ending}", "_persist_run", "_on_run_update"]
    assert tracer.called == ordered


@COLOURS
async def test_a_child_is_told_of_but_only_its_root_is_persisted(kind_of_tracer):
    tracer = kind_of_tracer()
    root = await tell(tracer, "on_chain_start", None, {}, run_id=ONE, name="outer")
    await tell(tracer, "on_tool_start", None, "", run_id=TWO, parent_run_id=ONE, name="inner")
    tracer.called.clear()
    await tell(tracer, "on_tool_end", 1, run_id=TWO)
    assert tracer.called == ["_on_tool_end", "_on_run_update"]
    await tell(tracer, "on_chain_end", {}, run_id=ONE)
    assert tracer.traces == [root]
    assert text(root) == "chain:outer ended [start end]\n  tool:inner ended [start end]"


@COLOURS
async def test_a_late_child_is_in_the_trace_but_in_no_tree_and_is_not_persisted(kind_of_tracer):
    tracer = kind_of_tracer()
    root = await tell(tracer, "on_chain_start", None, {}, run_id=ONE)
    await tell(tracer, "on_chain_end", {}, run_id=ONE)
    late = await tell(tracer, "on_tool_start", None, "", run_id=TWO, parent_run_id=ONE)
    await tell(tracer, "on_tool_end", 1, run_id=TWO)
    assert late.trace_id == root.id
    assert late.dotted_order.startswith(f"{root.dotted_order}.")
    assert tracer.traces == [root]
    assert root.child_runs == []


@COLOURS
async def test_a_run_whose_parent_is_unknown_is_a_trace_of_its_own(kind_of_tracer):
    tracer = kind_of_tracer()
    run = await tell(tracer, "on_chain_start", None, {}, run_id=ONE, parent_run_id=TWO)
    await tell(tracer, "on_chain_end", {}, run_id=ONE)
    assert run.parent_run_id is None
    assert tracer.traces == [run]


@COLOURS
@pytest.mark.parametrize(
    ("event", "about"),
    [
        ("on_llm_new_token", "t"),
        ("on_retry", SimpleNamespace(idle_for=0, attempt_number=1, outcome=None)),
        *(
            (f"{ends}_{how}", ValueError("no") if how == "error" else result)
            for _, _, ends, result in KINDS.values()
            for how in ("end", "error")
        ),
    ],
)
async def test_what_happens_to_an_unknown_run_is_refused(kind_of_tracer, event, about):
    tracer = kind_of_tracer()
    with pytest.raises(UnknownRunError, match=f"{ONE} is running: its start was not heard"):
        await tell(tracer, event, about, run_id=ONE)
    assert tracer.called == []


@COLOURS
@pytest.mark.parametrize(
    ("event", "about"),
    [
        ("on_llm_end", ANSWER),
        ("on_tool_end", 1),
        ("on_retriever_end", []),
        ("on_tool_error", OSError()),
    ],
)
async def test_an_end_that_is_another_kinds_leaves_a_run_alone(kind_of_tracer, event, about):
    tracer = kind_of_tracer()
    run = await tell(tracer, "on_chain_start", None, {}, run_id=ONE)
    with pytest.raises(UnknownRunError, match="is a chain run, not"):
        await tell(tracer, event, about, run_id=ONE)
    assert run.end_time is None


@COLOURS
async def test_a_second_end_is_refused(kind_of_tracer):
    tracer = kind_of_tracer()
    await tell(tracer, "on_chain_start", None, {}, run_id=ONE)
    await tell(tracer, "on_chain_end", {}, run_id=ONE)
    with pytest.raises(UnknownRunError):
        await tell(tracer, "on_chain_end", {}, run_id=ONE)
    assert len(tracer.traces) == 1


@pytest.mark.parametrize(
    ("started", "name"),
    [
        ({"serialized": {"name": "own", "id": ["a", "b"]}, "name": "given"}, "given"),
        ({"serialized": {"name": "own", "id": ["a", "b"]}}, "own"),
        ({"serialized": {"id": ["a", "b"]}}, "b"),
        ({"serialized": {"id": ["a", "b"], "name": ""}}, "b"),
        ({"serialized": {"id": []}}, "Unnamed"),
        ({"serialized": {}}, "Unnamed"),
        ({"serialized": None}, "Unnamed"),
        ({"serialized": None, "name": "given"}, "given"),
    ],
)
def test_a_runs_name_is_the_one_given_or_what_runs_is_called(started, name):
    run = Keeping().on_chain_start(started.pop("serialized"), {}, run_id=ONE, **started)
    assert run.name == name


@COLOURS
async def test_a_tool_and_a_retriever_keep_their_names(kind_of_tracer):
    tracer = kind_of_tracer()
    tool = await tell(tracer, "on_tool_start", None, "", run_id=ONE, name="search")
    retriever = await tell(tracer, "on_retriever_start", None, "", run_id=TWO, name="index")
    assert (tool.name, retriever.name) == ("search", "index")


def test_a_chains_type_may_be_told():
    run = Keeping().on_chain_start(None, {}, run_id=ONE, run_type="parser")
    assert run.run_type == "parser"
    assert Keeping().on_chain_start(None, {}, run_id=ONE, run_type=None).run_type == "chain"


@pytest.mark.parametrize(
    ("schema_format", "told", "inputs"),
    [
        ("original", {"inputs": {"a": 1}}, {"a": 1}),
        ("original+chat", {"inputs": {"a": 1}}, {"a": 1}),
        ("streaming_events", {"inputs": {"a": 1}}, {"input": {"a": 1}}),
        ("original", {}, {"input": "text"}),
        ("original+chat", {"inputs": None}, {"input": "text"}),
        ("streaming_events", {}, {"input": "text"}),
        ("original", {"inputs": {}}, {}),
    ],
)
def test_a_tools_arguments_count_more_than_their_text(schema_format, told, inputs):
    tracer = Keeping(_schema_format=schema_format)
    run = tracer.on_tool_start(None, "text", run_id=ONE, **told)
    assert (run.inputs, run.run_type) == (inputs, "tool")


def test_in_the_original_format_chat_models_are_text_models():
    tracer = Keeping()
    with pytest.raises(NotImplementedError):
        tracer.on_chat_model_start({}, [[]], run_id=ONE)
    (model,) = CallbackManager([tracer]).on_chat_model_start({}, [[HumanMessage("hi")]])
    model.on_llm_end(ANSWER)
    (run,) = tracer.traces
    assert (run.run_type, run.inputs) == ("llm", {"prompts": ["Human: hi"]})


async def test_in_the_original_format_chat_models_are_text_models_for_async_tracers_too():
    tracer = AsyncKeeping()
    manager = AsyncCallbackManager([tracer])
    (model,) = await manager.on_chat_model_start({}, [[HumanMessage("hi")]])
    await model.on_llm_end(ANSWER)
    assert tracer.traces[0].inputs == {"prompts": ["Human: hi"]}


@COLOURS
@FORMATS
async def test_a_models_answer_is_its_outputs(kind_of_tracer, schema_format):
    tracer = kind_of_tracer(_schema_format=schema_format)
    await tell(tracer, "on_llm_start", None, ["hi"], run_id=ONE)
    run = await tell(tracer, "on_llm_end", ANSWER, run_id=ONE)
    assert run.outputs["llm_output"] == {"model": "m"}
    ((generation,),) = run.outputs["generations"]
    assert generation["text"] == "hello"


async def test_a_chat_models_answer_has_its_text_and_its_tool_calls_counted():
    calls = [{"name": "search", "args": {}, "id": "1"}, {"name": "read", "args": {}, "id": "2"}]
    answer = LLMResult([[ChatGeneration(AIMessage("hello", tool_calls=calls))]])
    tracer = Keeping(_schema_format="original+chat")
    tracer.on_chat_model_start(None, [[]], run_id=ONE)
    run = tracer.on_llm_end(answer, run_id=ONE)
    ((generation,),) = run.outputs["generations"]
    assert generation["text"] == "hello"
    assert generation["message"]["kwargs"]["tool_calls"] == calls
    assert run.extra["tool_call_count"] == 2


@COLOURS
async def test_a_model_that_fails_keeps_its_error_and_what_it_had_answered(kind_of_tracer):
    tracer = kind_of_tracer()
    await tell(tracer, "on_llm_start", None, ["hi"], run_id=ONE)
    partial = LLMResult([[Generation("hel")]])
    run = await tell(tracer, "on_llm_error", ValueError("cut"), run_id=ONE, response=partial)
    assert run.error.startswith("ValueError('cut')")
    assert run.outputs["generations"][0][0]["text"] == "hel"
    assert tracer.called[-3:] == ["_on_llm_error", "_persist_run", "_on_run_update"]


@COLOURS
async def test_a_token_is_an_event_and_its_hook_hears_the_chunk(kind_of_tracer):
    heard = []

    class Hears(kind_of_tracer):
        pass

    def hear(self, run, token, chunk):
        heard.append((run.id, token, chunk))
        return asyncio.sleep(0) if kind_of_tracer is AsyncKeeping else None

    Hears._on_llm_new_token = hear
    tracer = Hears()
    await tell(tracer, "on_llm_start", None, ["hi"], run_id=ONE)
    await tell(tracer, "on_llm_new_token", "a", run_id=ONE)
    run = await tell(tracer, "on_llm_new_token", "b", chunk="chunk", run_id=ONE)
    assert heard == [(ONE, "a", None), (ONE, "b", "chunk")]
    assert [event.get("kwargs") for event in run.events] == [
        None,
        {"token": "a"},
        {"token": "b", "chunk": "chunk"},
    ]


@COLOURS
async def test_a_retry_is_an_event_and_has_a_hook(kind_of_tracer):
    tracer = kind_of_tracer()
    await tell(tracer, "on_tool_start", None, "", run_id=ONE)
    state = SimpleNamespace(idle_for=0, attempt_number=1, outcome=None)
    run = await tell(tracer, "on_retry", state, run_id=ONE)
    assert [event["name"] for event in run.events] == ["start", "retry"]
    assert tracer.called[-1] == "_on_retry"


@COLOURS
@pytest.mark.parametrize("ending", ["on_chain_end", "on_chain_error"])
async def test_inputs_that_are_known_only_at_the_end_are_the_runs(kind_of_tracer, ending):
    tracer = kind_of_tracer()
    run = await tell(tracer, "on_chain_start", None, {"input": ""}, run_id=ONE)
    about = ValueError() if ending == "on_chain_error" else "out"
    await tell(tracer, ending, about, run_id=ONE, inputs={"whole": "input"})
    assert run.inputs == {"whole": "input"}


def test_listeners_are_given_the_real_thing_not_a_copy_of_it():
    given, returned = {"value": object()}, {"value": object()}
    tracer = Keeping()
    run = tracer.on_chain_start(None, given, run_id=ONE)
    tracer.on_chain_end(returned, run_id=ONE)
    assert run.inputs["value"] is given["value"]
    assert run.outputs["value"] is returned["value"]


def test_what_a_run_returns_is_not_the_callers_dictionary():
    returned = {"a": 1}
    tracer = Keeping()
    run = tracer.on_chain_start(None, {}, run_id=ONE)
    tracer.on_chain_end(returned, run_id=ONE)
    run.outputs["b"] = 2
    assert returned == {"a": 1}


@pytest.mark.parametrize("hook", ["_on_chain_end", "_persist_run"])
def test_a_hook_that_fails_at_the_end_leaves_no_run_behind(hook):
    class Failing(Keeping):
        pass

    def fail(self, run):
        raise ValueError(hook)

    setattr(Failing, hook, fail)
    tracer = Failing()
    tracer.on_chain_start(None, {}, run_id=ONE)
    with pytest.raises(ValueError, match=hook):
        tracer.on_chain_end({}, run_id=ONE)
    assert tracer.run_map == {}


@pytest.mark.parametrize("hook", ["_on_chain_end", "_persist_run"])
async def test_nor_does_an_async_one(hook):
    class Failing(AsyncKeeping):
        pass

    async def fail(self, run):
        raise ValueError(hook)

    setattr(Failing, hook, fail)
    tracer = Failing()
    await tracer.on_chain_start(None, {}, run_id=ONE)
    with pytest.raises(ValueError, match=hook):
        await tracer.on_chain_end({}, run_id=ONE)
    assert tracer.run_map == {}


@pytest.mark.parametrize("base", [BaseTracer, AsyncBaseTracer])
def test_a_tracer_must_say_what_to_do_with_traces(base):
    with pytest.raises(TypeError, match="_persist_run"):
        base()


@pytest.mark.parametrize("base", [BaseTracer, AsyncBaseTracer])
async def test_hooks_that_are_not_overridden_do_nothing(base):
    if base is BaseTracer:

        class Plain(BaseTracer):
            def _persist_run(self, run):
                self.kept = run

    else:

        class Plain(AsyncBaseTracer):
            async def _persist_run(self, run):
                self.kept = run

    tracer = Plain()
    run = await tell(tracer, "on_llm_start", None, [""], run_id=ONE)
    await tell(tracer, "on_llm_new_token", "t", run_id=ONE)
    await tell(tracer, "on_llm_end", ANSWER, run_id=ONE)
    assert tracer.kept is run
    assert all(hasattr(tracer, hook) for hook in HOOKS)


async def test_async_hooks_stay_in_the_event_loops_thread():
    threads = []

    class Where(AsyncKeeping):
        async def _on_run_create(self, run):
            threads.append(threading.current_thread())

        _on_run_update = _persist_run = _on_chain_start = _on_chain_end = _on_run_create

    run = await AsyncCallbackManager([Where()]).on_chain_start({}, {})
    await run.on_chain_end({})
    assert threads == [threading.current_thread()] * 5


async def test_the_async_hooks_of_one_event_are_awaited_together():
    met = asyncio.Barrier(2)

    class Meets(AsyncKeeping):
        async def _on_run_create(self, run):
            await met.wait()

        _on_chain_start = _on_run_create

    await asyncio.wait_for(Meets().on_chain_start(None, {}, run_id=ONE), 10)
    assert not met.broken


async def test_a_run_whose_start_is_cancelled_has_failed_for_it_will_have_no_other_end():
    class Waits(AsyncKeeping):
        async def _on_chain_start(self, run):
            started.set()
            await asyncio.Event().wait()

    started, tracer = asyncio.Event(), Waits()
    task = asyncio.create_task(AsyncCallbackManager([tracer]).on_chain_start({}, {}))
    await started.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert tracer.run_map == {}
    assert tracer.traces[0].error.startswith("CancelledError()")
    assert tracer.called == ["_on_run_create", "_persist_run", "_on_run_update"]


def test_an_async_tracer_hears_sync_code_too():
    tracer = AsyncKeeping()
    run = CallbackManager.configure([tracer]).on_chain_start({}, {}, name="outer")
    run.get_child().on_tool_start({}, "", name="inner").on_tool_end(1)
    run.on_chain_end({})
    assert text(tracer.traces[0]) == "chain:outer ended [start end]\n  tool:inner ended [start end]"


def test_a_tracers_maps_can_be_shared_so_that_two_build_one_tree():
    one = Keeping()
    other = Keeping(run_map=one.run_map, order_map=one.order_map)
    root = one.on_chain_start(None, {}, run_id=ONE)
    other.on_tool_start(None, "", run_id=TWO, parent_run_id=ONE)
    other.on_tool_end(1, run_id=TWO)
    one.on_chain_end({}, run_id=ONE)
    assert [run.id for run in every_run(root)] == [ONE, TWO]
    assert (one.traces, other.traces) == ([root], [])


def test_another_systems_run_is_let_go_with_the_last_of_its_children():
    foreign = Run(id=ONE, name="foreign")
    tracer = Keeping(
        run_map={str(ONE): foreign},
        order_map={ONE: (ONE, foreign.dotted_order)},
        _external_run_ids={str(ONE): 0},
    )
    for number in (2, 3):
        tracer.on_tool_start(None, "", run_id=UUID(int=number), parent_run_id=ONE)
    tracer.on_tool_end(1, run_id=UUID(int=2))
    assert list(tracer.run_map) == [str(ONE), str(UUID(int=3))]
    tracer.on_tool_end(1, run_id=UUID(int=3))
    assert tracer.run_map == {}
    assert len(foreign.child_runs) == 2


def test_a_copy_of_a_tracer_is_the_tracer():
    from copy import copy, deepcopy

    tracer = Keeping()
    assert copy(tracer) is deepcopy(tracer) is tracer
