"""Tracing that is turned on around a call: by a block, or by the environment."""

import asyncio
import subprocess
import sys
from contextvars import copy_context
from uuid import UUID

import pytest

import callboard
from callboard.callbacks import (
    AsyncCallbackManager,
    BaseCallbackHandler,
    CallbackManager,
    atrace_as_chain_group,
    trace_as_chain_group,
)
from callboard.langsmith import exporters
from callboard.langsmith.tracer import LangChainTracer
from callboard.tracers.context import tracing_v2_callback_var, tracing_v2_enabled
from tests.unit.langsmith.sending import Recording

EXAMPLE = UUID(int=7)
SWITCHES = [
    "LANGSMITH_TRACING",
    "LANGCHAIN_TRACING",
    "LANGSMITH_TRACING_V2",
    "LANGCHAIN_TRACING_V2",
]


@pytest.fixture
def sent():
    """What the process's exporter is sent."""
    recording = Recording()
    exporters.set_default_exporter(recording)
    return recording


def tracers(manager):
    return [handler for handler in manager.handlers if isinstance(handler, LangChainTracer)]


def call(name="call", callbacks=None):
    run = CallbackManager.configure(callbacks).on_chain_start({}, {}, name=name)
    run.get_child().on_tool_start({}, "", name=f"{name}'s tool").on_tool_end(1)
    run.on_chain_end({})


def test_nobody_traces_unless_asked(sent):
    call()
    assert sent.operations == []


@pytest.mark.parametrize("switch", SWITCHES)
def test_the_environment_turns_tracing_on_and_off_again(switch, environment, sent):
    environment(**{switch: "true"})
    call("first")
    assert sent.told() == [
        "create first",
        "create first's tool",
        "update first's tool",
        "update first",
    ]
    environment(**{switch: "false"})
    call("second")
    assert len(sent.operations) == 4


def test_the_environment_is_read_again_only_when_asked(monkeypatch, sent):
    call("before")
    monkeypatch.setenv("LANGSMITH_TRACING", "true")
    call("unread")
    assert sent.operations == []
    callboard.reload_environment()
    call("read")
    assert len(sent.operations) == 4
    monkeypatch.delenv("LANGSMITH_TRACING")
    callboard.reload_environment()
    assert tracers(CallbackManager.configure()) == []


async def test_async_calls_are_traced_too(environment, sent):
    environment(LANGSMITH_TRACING="true", LANGSMITH_PROJECT="mine")
    run = await AsyncCallbackManager.configure().on_chain_start({}, {}, name="call")
    await run.on_chain_end({})
    assert sent.told() == ["create call", "update call"]
    assert sent.of("call").head["session_name"] == "mine"


def test_a_manager_that_has_a_tracer_gets_no_other(environment, sent):
    environment(LANGSMITH_TRACING="true")
    own = LangChainTracer(destination=Recording())
    assert CallbackManager.configure([own]).handlers == [own]
    inner = CallbackManager.configure(CallbackManager.configure())
    assert len(tracers(inner)) == 1


def test_other_handlers_stay_where_they_are(environment, sent):
    environment(LANGSMITH_TRACING="true")
    handler = BaseCallbackHandler()
    manager = CallbackManager.configure([handler])
    assert manager.handlers[0] is handler
    assert len(tracers(manager)) == 1


@pytest.mark.parametrize("switched", [False, True])
def test_a_group_is_traced_where_the_environment_says_so(switched, environment, sent):
    environment(LANGSMITH_TRACING=str(switched).lower())
    with trace_as_chain_group(
        "group", project_name="theirs", example_id=EXAMPLE, inputs={"a": 1}
    ) as group:
        call("inner", group)
        group.on_chain_end({"b": 2})
    if not switched:
        assert sent.operations == []
        return
    create = sent.of("group")
    assert (create.head["session_name"], create.parts["inputs"]) == ("theirs", {"a": 1})
    assert create.head["reference_example_id"] == EXAMPLE
    assert sent.of("group", "update").parts["outputs"] == {"b": 2}
    inner = sent.of("inner")
    assert inner.head["parent_run_id"] == create.run_id
    assert inner.head["session_name"] == "theirs"
    assert inner.head.get("reference_example_id") is None
    assert sent.told()[-1] == "update group"


async def test_an_async_group_is_traced_too(environment, sent):
    environment(LANGSMITH_TRACING="true")
    async with atrace_as_chain_group("group") as group:
        run = await group.on_tool_start({}, "", name="inner")
        await run.on_tool_end(1)
    assert sent.told() == ["create group", "create inner", "update inner", "update group"]


def test_a_groups_own_callbacks_keep_their_handlers(environment, sent):
    environment(LANGSMITH_TRACING="true")
    handler = BaseCallbackHandler()
    given = CallbackManager.configure([handler])
    given.handlers = given.inheritable_handlers = [handler]
    with trace_as_chain_group("group", given) as group:
        assert handler in group.handlers
        assert len(tracers(group)) == 1
    assert given.handlers == [handler]


def test_a_group_of_traced_callbacks_gets_no_other_tracer(environment, sent):
    environment(LANGSMITH_TRACING="true")
    own = LangChainTracer(destination=sent)
    with trace_as_chain_group("group", CallbackManager.configure([own])) as group:
        assert tracers(group) == [own]


def test_after_a_block_groups_are_not_traced(sent):
    handler = BaseCallbackHandler()
    with tracing_v2_enabled():
        pass
    with trace_as_chain_group("group", CallbackManager.configure([handler])) as group:
        assert group.handlers == [handler]
    assert sent.operations == []


def test_a_block_is_traced_whatever_the_environment_says(environment, sent):
    environment(LANGSMITH_TRACING="false", LANGSMITH_ENDPOINT="http://127.0.0.1:9")
    with tracing_v2_enabled("theirs", example_id=str(EXAMPLE), tags=["t"]) as tracer:
        call("inside")
        assert tracer.get_run_url().startswith("http://127.0.0.1:9/projects/theirs/r/")
    call("outside")
    create = sent.of("inside")
    assert create.head["session_name"] == "theirs"
    assert create.head["reference_example_id"] == EXAMPLE
    assert create.head["tags"] == ["t"]
    assert len(sent.operations) == 4
    assert tracing_v2_callback_var.get() is None


def test_a_blocks_tracer_counts_more_than_the_environments(environment, sent):
    environment(LANGSMITH_TRACING="true")
    with tracing_v2_enabled("theirs") as tracer:
        assert tracers(CallbackManager.configure()) == [tracer]
        with tracing_v2_enabled("inner") as inner:
            assert tracers(CallbackManager.configure()) == [inner]
        assert tracers(CallbackManager.configure()) == [tracer]
        with trace_as_chain_group("group") as group:
            assert tracers(group) == [tracer]


def test_a_block_that_raises_is_over():
    with pytest.raises(ValueError, match="no"), tracing_v2_enabled():
        raise ValueError("no")
    assert tracing_v2_callback_var.get() is None


def test_a_block_that_ends_in_another_context_breaks_nothing():
    def generate():
        with tracing_v2_enabled() as tracer:
            yield tracer

    blocks = generate()
    copy_context().run(next, blocks)
    blocks.close()
    assert tracing_v2_callback_var.get() is None


async def test_blocks_of_tasks_do_not_mix(sent):
    async def block(name):
        with tracing_v2_enabled(name):
            for number in range(3):
                run = await AsyncCallbackManager.configure().on_chain_start(
                    {}, {}, name=f"{name} {number}"
                )
                await asyncio.sleep(0)
                await run.on_chain_end({})

    await asyncio.gather(block("a"), block("b"))
    for operation in sent.operations:
        assert operation.head["name"].startswith(operation.head["session_name"])
    assert len(sent.operations) == 12


def test_a_block_may_send_through_a_client():
    from unittest.mock import create_autospec

    import langsmith

    client = create_autospec(langsmith.Client, instance=True)
    with tracing_v2_enabled(client=client):
        call()
    assert client.create_run.call_count == client.update_run.call_count == 2


def test_a_fresh_process_is_traced_by_its_variables_alone_and_loads_no_tracer_without_them():
    program = """
import sys
from callboard.callbacks import CallbackManager
handlers = CallbackManager.configure().handlers
print([type(handler).__name__ for handler in handlers], "callboard.langsmith" in sys.modules)
"""
    import os

    plain = {k: v for k, v in os.environ.items() if not k.startswith(("LANGSMITH_", "LANGCHAIN_"))}
    outputs = [
        subprocess.run(
            [sys.executable, "-c", program],
            env={**plain, **extra},
            capture_output=True,
            check=True,
            text=True,
            timeout=50,
        ).stdout.strip()
        for extra in ({}, {"LANGSMITH_TRACING": "true"})
    ]
    assert outputs == ["[] False", "['LangChainTracer'] True"]
