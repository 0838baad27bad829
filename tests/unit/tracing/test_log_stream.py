"""The log of a call: patches that add up to its state, whatever the call is made of."""

import asyncio
import tracemalloc

import pytest

from callboard.callbacks import AsyncCallbackManager, CallbackManager
from callboard.errors import BadOptionError, BadPatchError
from callboard.payloads import AIMessage, ChatGeneration
from callboard.testing import CountingIds, ids_from
from callboard.tracers import LogStreamCallbackHandler, RunLog, RunLogPatch
from callboard.tracing.log_stream import standardized_inputs, standardized_outputs
from callboard.tracing.run import Run
from tests.unit.tracing.keeping import CHAT_ANSWER, KINDS


def call(handler, name="desk"):
    """Make a call with one run of each kind inside it."""
    manager = CallbackManager.configure([handler])
    root = manager.on_chain_start({"name": name}, {"question": "?"})
    inner = root.get_child(tag="inner")
    for event, (given, _, end, answer) in KINDS.items():
        runs = getattr(inner, event)({"name": "a/b"}, given)
        run = runs[0] if isinstance(runs, list) else runs
        getattr(run, f"{end}_end")(answer)
    [model] = inner.on_chat_model_start({"name": "model"}, [["hi"]])
    model.on_llm_new_token("he", chunk=ChatGeneration(AIMessage("he")))
    model.on_llm_new_token("llo")
    model.on_llm_end(CHAT_ANSWER)
    inner.on_tool_start({"name": "tool"}, "two").on_tool_error(ValueError("no"))
    root.on_chain_end({"answer": "!"})


async def log_of(**options):
    handler = LogStreamCallbackHandler(**options)
    call(handler)
    log = RunLog(state=None)
    async for patch in handler:
        log += patch
    return log


async def test_the_log_has_every_run_with_inputs_outputs_and_tokens():
    logs = (await log_of()).state["logs"]
    assert list(logs) == ["a/b", *(f"a/b:{n}" for n in (2, 3, 4)), "Retriever", "model", "tool"]
    assert [run["type"] for run in logs.values()] == [
        "llm",
        "chat_model",
        "chain",
        "tool",
        "retriever",
        "chat_model",
        "tool",
    ]
    assert logs["a/b:3"]["inputs"] == {"question": "?"}
    assert logs["a/b:3"]["final_output"] == {"answer": "!"}
    assert logs["a/b:4"]["inputs"] == "two"
    assert logs["Retriever"]["inputs"] == {"query": "who"}
    model = logs["model"]
    assert model["streamed_output_str"] == ["he", "llo"]
    assert model["streamed_output"] == [AIMessage("he"), "llo"]
    assert model["final_output"]["generations"][0][0]["message"] == AIMessage("hello")
    assert all(run["end_time"] for run in logs.values())
    assert logs["tool"]["final_output"] is None


async def test_the_original_format_has_chat_models_as_text_models_and_no_inputs():
    logs = (await log_of(_schema_format="original")).state["logs"]
    assert {run["type"] for run in logs.values()} == {"llm", "chain", "tool", "retriever"}
    assert all("inputs" not in run for run in logs.values())


async def test_filters_choose_among_the_runs_inside():
    assert list((await log_of(include_types=["tool"])).state["logs"]) == ["a/b", "tool"]
    assert list((await log_of(include_names=["model"])).state["logs"]) == ["model"]
    assert len((await log_of(include_tags=["inner"])).state["logs"]) == 7
    assert list((await log_of(exclude_names=["a/b", "Retriever"])).state["logs"]) == [
        "model",
        "tool",
    ]
    assert (await log_of(exclude_tags=["inner"])).state["logs"] == {}


def test_mistakes_are_told_at_once():
    with pytest.raises(BadOptionError, match=r"write \['tool'\]"):
        LogStreamCallbackHandler(include_types="tool")
    with pytest.raises(BadOptionError, match="original and streaming_events"):
        LogStreamCallbackHandler(_schema_format="original+chat")


async def test_the_stream_ends_with_the_call_only_if_it_is_to():
    handler = LogStreamCallbackHandler(auto_close=False)
    call(handler)
    assert handler.send({"op": "add", "path": "/more", "value": 1})
    handler.send_stream.close()
    assert [patch async for patch in handler][-1].ops[0]["path"] == "/more"
    closed = LogStreamCallbackHandler()
    call(closed)
    assert not closed.send({"op": "add", "path": "/more", "value": 1})


async def test_taps_pass_everything_on_even_when_nobody_reads():
    handler = LogStreamCallbackHandler(auto_close=False)
    manager = await AsyncCallbackManager.configure([handler]).on_chain_start({}, {}, name="root")
    inner = await manager.get_child().on_chain_start({}, {}, name="inner")

    async def pieces():
        for piece in "abc":
            yield piece

    passed = [piece async for piece in handler.tap_output_aiter(inner.run_id, pieces())]
    handler.receive_stream.close()
    assert passed == list(handler.tap_output_iter(inner.run_id, iter("abc"))) == ["a", "b", "c"]


async def test_patches_add_up_to_the_same_however_they_are_added():
    with ids_from(CountingIds()):
        handler = LogStreamCallbackHandler()
        call(handler)
    patches = [patch async for patch in handler]
    one_by_one = RunLog(state=None)
    read_each_time = RunLog(state=None)
    states = []
    for patch in patches:
        one_by_one += patch
        read_each_time += patch
        states.append(read_each_time.state)
    at_once = RunLog(state=None) + RunLogPatch(*(op for patch in patches for op in patch.ops))
    assert one_by_one.state == at_once.state == states[-1]
    assert one_by_one == read_each_time == at_once
    assert patches[0] + patches[1] == RunLog(state=None) + patches[0] + patches[1]
    assert one_by_one.ops == [op for patch in patches for op in patch.ops]
    # What was read before is as it was.
    assert states[0]["logs"] == {}
    assert repr(patches[0]).startswith("RunLogPatch({'op': 'replace'")
    assert repr(one_by_one).startswith("RunLog({'final_output': None")


def test_what_is_no_patch_is_refused():
    patch = RunLogPatch({"op": "replace", "path": "", "value": {}})
    log = RunLog(state=None) + patch
    for left, right in ((patch, {}), (log, log), (patch, log), (log, None)):
        with pytest.raises(TypeError):
            left + right
    with pytest.raises(BadPatchError, match="'op' must be one of"):
        log + RunLogPatch({"op": "merge", "path": ""})
    with pytest.raises(BadPatchError, match="there is no 'x'"):
        _ = (log + RunLogPatch({"op": "remove", "path": "/x"})).state


def test_a_long_log_costs_no_more_than_what_it_holds():
    log = RunLog(state=None) + RunLogPatch({"op": "replace", "path": "", "value": {"tokens": []}})
    tracemalloc.start()
    for number in range(20_000):
        log += RunLogPatch({"op": "add", "path": "/tokens/-", "value": number})
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert log.state["tokens"] == list(range(20_000))
    assert peak < 40_000_000  # A copy of the list for each of them would be 1.6 GB.


def test_inputs_and_outputs_by_format():
    prompt = Run(id="0" * 32, run_type="prompt", outputs={"output": "text"})
    assert standardized_outputs(prompt, "original") == "text"
    assert standardized_outputs(prompt, "streaming_events") == "text"
    assert standardized_outputs(Run(id="0" * 32), "original") == {}
    assert standardized_outputs(Run(id="0" * 32), "streaming_events") is None
    unknown = Run(id="0" * 32, inputs={"input": {"input": ""}})
    assert standardized_inputs(unknown, "streaming_events") is None
    with pytest.raises(NotImplementedError):
        standardized_inputs(unknown, "original")


async def test_runs_of_several_threads_get_names_of_their_own():
    handler = LogStreamCallbackHandler(auto_close=False)
    root = CallbackManager.configure([handler]).on_chain_start({}, {}, name="root")

    def start_many():
        for _ in range(100):
            root.get_child().on_chain_start({}, {}, name="same").on_chain_end({})

    await asyncio.gather(*(asyncio.to_thread(start_many) for _ in range(4)))
    handler.send_stream.close()
    log = RunLog(state=None)
    async for patch in handler:
        log += patch
    assert len(log.state["logs"]) == 400
