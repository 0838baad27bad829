"""From a call to a server: traced as the environment says, read with the protocol's own decoder."""

import asyncio
import subprocess
import sys
import threading

import pytest

from callboard.callbacks import AsyncCallbackManager, CallbackManager
from callboard.langsmith.exporters import default_exporter
from callboard.payloads import AIMessage, ChatGeneration, HumanMessage, LLMResult
from callboard.tracers.context import tracing_v2_enabled
from callboard.wire import json
from callboard.wire.operations import merge
from tests.unit.wire.langsmith_server import decoded, receiving


@pytest.fixture
def server(environment, tmp_path):
    """A server that the environment points at; gives what it receives."""
    with receiving(zstd=True) as (url, requests):
        environment(
            LANGSMITH_TRACING="true",
            LANGSMITH_ENDPOINT=url,
            LANGSMITH_API_KEY="the key",
            LANGSMITH_PROJECT="mine",
            CALLBOARD_SPOOL_DIR=str(tmp_path),
        )
        yield requests
        default_exporter().shutdown(10)


def arrived(requests):
    """Wait for what was sent, and merge it to runs by name."""
    assert default_exporter().flush(10)
    batch = decoded([request for request in requests if request.method == "POST"])
    assert batch.refusals == []
    runs = {}
    for operation in batch.operations:
        known = runs.get(operation.run_id)
        runs[operation.run_id] = operation if known is None else merge(known, operation)
    return {run.head["name"]: run for run in runs.values()}


def part(run, name):
    return json.decode(run.parts[name])


def test_a_call_arrives_as_it_was(server):
    question = {"history": [1]}
    outer = CallbackManager.configure().on_chain_start({}, question, name="agent")
    question["history"].append("later")
    conversation = [HumanMessage("hi", response_metadata={"shared": question})]
    (model,) = outer.get_child().on_chat_model_start({}, [conversation], name="model")
    conversation.append(HumanMessage("later"))
    question["history"].append("much later")
    model.on_llm_new_token("hel")
    told = {"input_tokens": 3, "output_tokens": 4, "total_tokens": 7}
    model.on_llm_end(LLMResult([[ChatGeneration(AIMessage("hello", usage_metadata=told))]]))
    outer.on_chain_error(ValueError("no"))
    runs = arrived(server)
    assert {request.headers["x-api-key"] for request in server} == {"the key"}
    agent, model_run = runs["agent"], runs["model"]
    assert part(agent, "inputs") == {"history": [1]}
    assert part(agent, "error").startswith("ValueError('no')")
    assert agent.head["session_name"] == "mine"
    ((form,),) = part(model_run, "inputs")["messages"]
    assert form["id"][-1] == "HumanMessage"
    message = form["kwargs"]
    assert (message["content"], message["type"]) == ("hi", "human")
    assert message["response_metadata"] == {"shared": {"history": [1, "later"]}}
    ((answer,),) = part(model_run, "outputs")["generations"]
    assert answer["message"]["kwargs"] == {
        "content": "hello",
        "type": "ai",
        "tool_calls": [],
        "invalid_tool_calls": [],
        "usage_metadata": told,
    }
    assert part(model_run, "extra")["metadata"]["usage_metadata"] == told
    names = [event["name"] for event in part(model_run, "events")]
    assert names == ["start", "new_token", "end"]
    assert model_run.head["trace_id"] == str(agent.run_id)
    assert model_run.head["dotted_order"].startswith(f"{agent.head['dotted_order']}.")


async def test_many_calls_at_once_arrive_whole(server):
    async def call(number):
        run = await AsyncCallbackManager.configure().on_chain_start({}, {}, name=f"{number}")
        inner = await run.get_child().on_tool_start({}, "x", name=f"{number}'s")
        await asyncio.sleep(0)
        await inner.on_tool_end(number)
        await run.on_chain_end({"number": number})

    def call_in_thread(number):
        asyncio.run(call(number))

    threads = [threading.Thread(target=call_in_thread, args=[number]) for number in range(20, 25)]
    for thread in threads:
        thread.start()
    await asyncio.gather(*map(call, range(20)))
    for thread in threads:
        thread.join()
    runs = arrived(server)
    assert len(runs) == 50
    for number in range(25):
        outer, inner = runs[f"{number}"], runs[f"{number}'s"]
        assert inner.head["parent_run_id"] == inner.head["trace_id"] == str(outer.run_id)
        assert part(outer, "outputs") == {"number": number}
        assert part(inner, "outputs") == {"output": number}
        assert outer.head["end_time"] >= inner.head["end_time"]


def test_what_json_cannot_say_arrives_as_text_and_breaks_nothing(server):
    class Hostile:
        def __repr__(self):
            raise RuntimeError

    ring = []
    ring.append(ring)
    values = {"hostile": Hostile(), "ring": ring, "bytes": b"\x00", "number": float("nan"), 1: 2}
    CallbackManager.configure().on_chain_start({}, values, name="odd").on_chain_end("text")
    inputs = part(arrived(server)["odd"], "inputs")
    assert inputs["hostile"].endswith("Hostile: unreadable, RuntimeError>")
    assert inputs["ring"] == ["<cycle: list>"]
    assert inputs["1"] == 2


def test_a_blocks_traces_arrive_in_its_project(server):
    with tracing_v2_enabled("theirs") as tracer:
        CallbackManager.configure().on_chain_start({}, {}, name="call").on_chain_end({})
        assert tracer.wait_for_futures(10)
    assert arrived(server)["call"].head["session_name"] == "theirs"


def test_a_program_that_just_ends_has_sent_its_traces(server):
    program = """
from callboard.callbacks import CallbackManager
CallbackManager.configure().on_chain_start({}, {"a": 1}, name="last words").on_chain_end({"b": 2})
"""
    subprocess.run([sys.executable, "-c", program], check=True, timeout=50)
    run = arrived(server)["last words"]
    assert (part(run, "inputs"), part(run, "outputs")) == ({"a": 1}, {"b": 2})
