"""Callboard's handlers in LangChain, and LangChain's in Callboard, with nothing installed."""

from __future__ import annotations

import copy
import pickle
from collections.abc import Callable
from typing import Any, TypedDict

import pytest
from langchain_core.callbacks import AsyncCallbackManager as TheirAsyncManager
from langchain_core.callbacks import BaseCallbackHandler as TheirHandler
from langchain_core.callbacks import CallbackManager as TheirManager
from langchain_core.callbacks import UsageMetadataCallbackHandler
from langchain_core.language_models import FakeListLLM, GenericFakeChatModel
from langchain_core.messages import AIMessage
from langchain_core.outputs import ChatGeneration, LLMResult
from langchain_core.retrievers import BaseRetriever
from langchain_core.runnables import RunnableLambda
from langchain_core.tools import StructuredTool
from langchain_core.tracers.run_collector import RunCollectorCallbackHandler
from langgraph.graph import END, START, StateGraph

from callboard.callbacks import (
    AsyncCallbackHandler,
    AsyncCallbackManager,
    BaseCallbackHandler,
    CallbackManager,
)
from callboard.errors import BadHandlerError
from callboard.events import EVENTS
from callboard.langchain import to_langchain
from callboard.testing import RecordingHandler

MODEL = "chat_model GenericFakeChatModel (ok)"
CHAIN = "chain node (ok)\n  chain inner (ok)"
GRAPH = f"chain graph (ok)\n  {CHAIN.replace(chr(10), chr(10) + '  ')}"


class State(TypedDict):
    x: int


class Shelf(BaseRetriever):
    def _get_relevant_documents(self, query: str, *, run_manager: Any) -> list[Any]:
        return []


def double(number: int) -> int:
    """Double a number."""
    return 2 * number


def model(**given: Any) -> GenericFakeChatModel:
    return GenericFakeChatModel(messages=iter([AIMessage("one two")]), **given)


inner = RunnableLambda(lambda x: x).with_config(run_name="inner")
node = RunnableLambda(inner.invoke).with_config(run_name="node")


def graph() -> Any:
    built = StateGraph(State)
    built.add_node("node", lambda state: {"x": inner.invoke(state["x"])})
    built.add_edge(START, "node")
    built.add_edge("node", END)
    return built.compile(name="graph")


# What takes a handler as it is.
TAKES_ANY: dict[str, tuple[Callable[[Any], Any], str]] = {
    "config": (lambda heard: node.invoke(1, {"callbacks": [heard]}), CHAIN),
    "batch": (lambda heard: node.batch([1], {"callbacks": [heard]}), CHAIN),
    "stream": (lambda heard: [*node.stream(1, {"callbacks": [heard]})], CHAIN),
    "with_config": (lambda heard: node.with_config(callbacks=[heard]).invoke(1), CHAIN),
    "a list merged with a manager": (
        lambda heard: node.with_config(callbacks=[heard]).invoke(
            1, {"callbacks": TheirManager([])}
        ),
        CHAIN,
    ),
    "a model's method": (
        lambda heard: model().generate([[AIMessage("hi")]], callbacks=[heard]),
        MODEL,
    ),
    "a retriever": (
        lambda heard: Shelf().invoke("hats", {"callbacks": [heard]}),
        "retriever Shelf (ok)",
    ),
    "a manager": (
        lambda heard: node.invoke(1, {"callbacks": CallbackManager([heard], [heard])}),
        CHAIN,
    ),
    "a manager of LangChain's": (
        lambda heard: node.invoke(1, {"callbacks": TheirManager([heard], [heard])}),
        CHAIN,
    ),
    "a graph": (lambda heard: graph().invoke({"x": 1}, {"callbacks": [heard]}), GRAPH),
}

# What checks classes.
CHECKS: dict[str, tuple[Callable[[Any], Any], str]] = {
    "a chat model": (lambda heard: model(callbacks=heard).invoke("hi"), MODEL),
    "a text model": (
        lambda heard: FakeListLLM(responses=["yes"], callbacks=heard).invoke("hi"),
        "llm FakeListLLM (ok)",
    ),
    "a tool": (
        lambda heard: StructuredTool.from_function(double, callbacks=heard).invoke({"number": 2}),
        "tool double (ok)",
    ),
    "a graph": (lambda heard: graph().invoke({"x": 1}, {"callbacks": heard}), GRAPH),
    "a stream of a graph": (
        lambda heard: [*graph().stream({"x": 1}, {"callbacks": heard}, stream_mode="messages")],
        GRAPH,
    ),
}


@pytest.mark.parametrize("place", TAKES_ANY)
def test_a_handler_is_taken_as_it_is(place):
    call, expected = TAKES_ANY[place]
    heard = RecordingHandler()
    call(heard)
    assert heard.tree() == expected


@pytest.mark.parametrize("as_manager", [False, True])
@pytest.mark.parametrize("place", CHECKS)
def test_a_handler_or_a_manager_is_taken_where_classes_are_checked(place, as_manager):
    call, expected = CHECKS[place]
    heard = RecordingHandler()
    call(to_langchain(CallbackManager([heard], [heard]) if as_manager else [heard]))
    assert heard.tree() == expected


async def test_an_async_manager_is_taken_by_event_streams():
    heard = RecordingHandler()
    callbacks = to_langchain(AsyncCallbackManager([heard], [heard]))
    assert isinstance(callbacks, TheirAsyncManager)
    stream = graph().astream_events({"x": 1}, {"callbacks": callbacks}, version="v2")
    events = [event["event"] async for event in stream]
    assert heard.tree() == GRAPH
    assert events.count("on_chain_end") == 3


async def test_async_methods_of_an_adapted_handler_are_awaited():
    class Slow(AsyncCallbackHandler):
        ended = 0

        async def on_chain_end(self, outputs, **kwargs):
            self.ended += 1

    slow = Slow()
    await node.ainvoke(1, {"callbacks": to_langchain([slow])})
    assert slow.ended == 2


def test_a_manager_keeps_its_tags_metadata_and_parent():
    run = CallbackManager([], [RecordingHandler()], None, metadata={}).on_chain_start({}, {})
    child = run.get_child("tag")
    child.add_metadata({"a": 1})
    theirs = to_langchain(child)
    assert isinstance(theirs, TheirManager)
    for name in ("parent_run_id", "tags", "inheritable_tags", "metadata", "inheritable_metadata"):
        assert getattr(theirs, name) == getattr(child, name), name


def test_an_adapted_handler_says_what_it_is_and_has_its_flags():
    heard = RecordingHandler()
    heard.ignore_llm = True
    adapted = to_langchain(heard)
    assert isinstance(adapted, TheirHandler)
    assert adapted.ignore_llm
    assert not adapted.ignore_chain
    adapted.raise_error = True
    assert heard.raise_error
    assert "RecordingHandler" in repr(adapted)
    for name in EVENTS:
        assert getattr(adapted, name) == getattr(heard, name)
    assert adapted.tree == heard.tree


def test_a_handler_is_adapted_once():
    heard = RecordingHandler()
    manager = TheirManager([to_langchain(heard)])
    manager.add_handler(to_langchain(heard))
    assert len(manager.handlers) == 1
    assert to_langchain(heard) != to_langchain(RecordingHandler())
    assert len({to_langchain(heard), to_langchain(heard)}) == 1


def test_an_adapted_handler_can_be_copied_and_pickled():
    adapted = to_langchain(BaseCallbackHandler())
    assert copy.copy(adapted) == adapted
    for twin in (copy.deepcopy(adapted), pickle.loads(pickle.dumps(adapted))):
        assert isinstance(twin, TheirHandler)
        assert isinstance(twin.handler, BaseCallbackHandler)
        assert twin != adapted


def test_an_adapted_handler_works_in_our_managers():
    heard = RecordingHandler()
    CallbackManager([to_langchain(heard)]).on_tool_start({"name": "search"}, "Oslo").on_tool_end("")
    assert heard.tree() == "tool search (ok)"


def test_an_object_with_one_event_method_is_adapted():
    class Ends:
        ended = 0

        def on_llm_start(self, serialized, prompts, **kwargs):
            self.prompts = prompts

        def on_llm_end(self, response, **kwargs):
            self.ended += 1

    ends = Ends()
    assert model(callbacks=to_langchain([ends])).invoke("hi").content == "one two"
    assert ends.ended == 1
    assert ends.prompts == ["Human: hi"]


def test_what_is_langchains_own_comes_back_as_it_is():
    for theirs in (TheirHandler(), TheirManager([]), TheirAsyncManager([])):
        assert to_langchain(theirs) is theirs
    assert to_langchain(None) is None
    assert to_langchain([]) == []


@pytest.mark.parametrize("given", [RecordingHandler, "heard", (RecordingHandler(),), [1]])
def test_what_is_no_handler_is_said_at_once(given):
    with pytest.raises(BadHandlerError):
        to_langchain(given)


def answered() -> LLMResult:
    usage: Any = {"input_tokens": 1, "output_tokens": 2, "total_tokens": 3}
    message = AIMessage("yes", usage_metadata=usage, response_metadata={"model_name": "tiny"})
    return LLMResult(generations=[[ChatGeneration(message=message)]])


def test_langchains_handlers_work_in_our_managers():
    usage, runs = UsageMetadataCallbackHandler(), RunCollectorCallbackHandler()
    chain = CallbackManager([usage, runs], [usage, runs]).on_chain_start({"name": "chain"}, {})
    [run] = chain.get_child().on_chat_model_start({"name": "tiny"}, [[AIMessage("why?")]])
    run.on_llm_end(answered())
    chain.on_chain_end({"y": 1})
    assert usage.usage_metadata["tiny"]["total_tokens"] == 3
    [traced] = runs.traced_runs
    assert [child.run_type for child in traced.child_runs] == ["llm"]


async def test_langchains_handlers_work_in_our_async_managers():
    usage, runs = UsageMetadataCallbackHandler(), RunCollectorCallbackHandler()
    chain = await AsyncCallbackManager([usage, runs], [usage, runs]).on_chain_start(
        {"name": "chain"}, {}
    )
    [run] = await chain.get_child().on_chat_model_start({"name": "tiny"}, [[AIMessage("why?")]])
    await run.on_llm_end(answered())
    await chain.on_chain_end({"y": 1})
    assert usage.usage_metadata["tiny"]["total_tokens"] == 3
    [traced] = runs.traced_runs
    assert len(traced.child_runs) == 1
