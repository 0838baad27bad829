"""A program of all that makes runs: a LangGraph agent, branches, streams, and the SDK's own runs.

Run with ``callboard`` as its argument it puts Callboard in LangChain's place first. The traces
that arrive at the server that the environment names must be the same either way.
"""

import asyncio
import sys
from collections.abc import Iterator
from contextlib import suppress
from typing import Annotated, Any, TypedDict

if "callboard" in sys.argv:
    import callboard.langchain

    callboard.langchain.install()

import langsmith
from langchain_core.callbacks import dispatch_custom_event
from langchain_core.callbacks.manager import CallbackManagerForRetrieverRun, trace_as_chain_group
from langchain_core.documents import Document
from langchain_core.language_models import GenericFakeChatModel
from langchain_core.messages import AIMessage, HumanMessage
from langchain_core.prompts import ChatPromptTemplate
from langchain_core.retrievers import BaseRetriever
from langchain_core.runnables import (
    RunnableGenerator,
    RunnableLambda,
    RunnableParallel,
    RunnablePassthrough,
)
from langchain_core.tools import tool
from langchain_core.tracers.context import tracing_v2_enabled
from langchain_core.tracers.langchain import wait_for_all_tracers
from langgraph.graph import END, START, StateGraph
from langgraph.graph.message import add_messages
from langgraph.prebuilt import ToolNode, tools_condition


@tool
def double(number: int) -> int:
    """Double a number."""
    return number * 2


@tool
def broken(number: int) -> int:
    """Fail."""
    raise ValueError(f"no {number}")


class Shelf(BaseRetriever):
    def _get_relevant_documents(
        self, query: str, *, run_manager: CallbackManagerForRetrieverRun
    ) -> list[Document]:
        return [Document(page_content=query.upper())]


def model(*said: AIMessage | str) -> GenericFakeChatModel:
    return GenericFakeChatModel(messages=iter(said))


def call(name: str, number: int) -> AIMessage:
    usage: Any = {"input_tokens": 3, "output_tokens": 4, "total_tokens": 7}
    return AIMessage(
        "",
        tool_calls=[{"name": name, "args": {"number": number}, "id": f"call-{number}"}],
        usage_metadata=usage,
    )


class State(TypedDict):
    messages: Annotated[list[Any], add_messages]


def agent(*said: AIMessage | str) -> Any:
    speaker = model(*said)

    def think(state: State) -> dict[str, Any]:
        dispatch_custom_event("thinking", {"messages": len(state["messages"])})
        return {"messages": [speaker.invoke(state["messages"])]}

    def left(state: State) -> dict[str, Any]:
        return {"messages": [noted("left")]}

    def right(state: State) -> dict[str, Any]:
        return {"messages": [("ai", RunnableLambda(str.upper, name="shout").invoke("right"))]}

    graph = StateGraph(State)
    graph.add_node("think", think)
    graph.add_node("tools", ToolNode([double, broken], handle_tool_errors=True))
    graph.add_node("left", left)
    graph.add_node("right", right)
    for branch in ("left", "right"):
        graph.add_edge(START, branch)
    graph.add_edge(["left", "right"], "think")
    graph.add_conditional_edges("think", tools_condition, {"tools": "tools", END: END})
    graph.add_edge("tools", "think")
    return graph.compile(name="agent")


@langsmith.traceable(run_type="tool", tags=["sdk"])
def noted(side: str) -> Any:
    inner = RunnableLambda(lambda x: x, name="inside traceable").invoke(side)
    run = langsmith.get_current_run_tree()
    assert run is not None
    run.add_metadata({"side": side})
    return ("ai", inner)


@langsmith.traceable(metadata={"from": "outside"}, tags=["outermost"])
def outside(question: str) -> str:
    chain = ChatPromptTemplate.from_messages([("human", "{question}")]) | model("the answer")
    return str(chain.with_config(run_name="answer").invoke({"question": question}).content)


def count(numbers: Iterator[int]) -> Iterator[int]:
    for number in numbers:
        yield number + 1


def look_at_itself(x: int) -> int:
    run = langsmith.get_current_run_tree()
    assert run is not None
    assert isinstance(run, langsmith.RunTree)
    run.add_metadata({"seen": True})
    run.add_tags(["looked at"])
    child = run.create_child("by hand", "tool", inputs={"x": x})
    child.end(outputs={"y": x})
    child.post()
    child.patch()
    return x


def sync_part() -> None:
    question: Any = {"messages": [("human", "double 21")]}
    config: Any = {"tags": ["tagged"], "metadata": {"user": "u"}, "run_name": "desk"}
    agent(call("double", 21), call("broken", 1), "done").invoke(question, config)
    list(agent("streamed away").stream(question, stream_mode="messages"))
    RunnableParallel(
        shelf=Shelf(), both=RunnablePassthrough() | RunnableLambda(len, name="len")
    ).invoke("hats")
    list(RunnableGenerator(count).stream(1))
    list(RunnableGenerator(count).transform(iter([1, 2])))
    RunnableLambda(look_at_itself).batch([1, 2])
    outside("why?")
    with tracing_v2_enabled("another-project", tags=["block"]) as tracer:
        RunnableLambda(lambda x: x, name="in a block").invoke(1)
    assert tracer.latest_run is not None
    with trace_as_chain_group("group", tags=["grouped"]) as manager:
        RunnableLambda(lambda x: x, name="in a group").invoke(1, {"callbacks": manager})
    parent = langsmith.RunTree(name="by hand", inputs={"a": 1}, tags=["root"])
    parent.post()
    with langsmith.tracing_context(parent=parent, metadata={"around": "it"}):
        RunnableLambda(lambda x: x, name="under a run by hand").invoke(1)
    parent.end(outputs={"b": 2})
    parent.patch()
    with langsmith.tracing_context(enabled=False):
        RunnableLambda(lambda x: x, name="never seen").invoke(1)
    with suppress(ZeroDivisionError):
        RunnableLambda(lambda x: 1 / x, name="failing").invoke(0)


async def async_part() -> None:
    question: Any = {"messages": [HumanMessage("double 21")]}
    await agent(call("double", 4), "done").ainvoke(question)
    async for _ in agent("streamed away").astream_events(question, version="v2"):
        pass
    await asyncio.gather(*(RunnableLambda(twice).ainvoke(number) for number in range(3)))


@langsmith.traceable
async def wait(number: int) -> int:
    await asyncio.sleep(0)
    return number


async def twice(number: int) -> int:
    return await wait(number) + await wait(number)


sync_part()
asyncio.run(async_part())
wait_for_all_tracers()
langsmith.run_trees.get_cached_client().flush()
