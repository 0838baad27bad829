"""LangGraph agents with tools, branches, subgraphs and interrupts, in every way of streaming.

Run with ``callboard`` as its argument it puts Callboard in LangChain's place first. It prints
what its streams yield and the tree of what handlers and a tracer have heard, the same either way:
ids are numbered in order of appearance, times are left out, and what runs side by side is sorted.
"""

import asyncio
import json
import sys
from collections.abc import Iterator
from itertools import count
from operator import add
from typing import Annotated, Any, TypedDict

if "callboard" in sys.argv:
    import callboard.langchain

    callboard.langchain.install()

from hearing import Inline, InTasks, event_line, listed, plain, report, show
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, AIMessageChunk
from langchain_core.outputs import ChatGeneration, ChatGenerationChunk, ChatResult
from langchain_core.runnables import RunnableConfig, RunnableLambda
from langchain_core.tools import tool
from langchain_core.tracers.run_collector import RunCollectorCallbackHandler
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.config import get_stream_writer
from langgraph.graph import END, START, StateGraph
from langgraph.graph.message import add_messages
from langgraph.prebuilt import ToolNode, tools_condition
from langgraph.types import Command, Send, interrupt


@tool
def multiply(number: int) -> int:
    """Multiply by two."""
    return number * 2


@tool
def divide(number: int) -> float:
    """Divide by nothing."""
    return number / 0


@tool
def ask_first(number: int) -> str:
    """Ask a human first."""
    return f"{number} is {interrupt({'may I': number})}"


class Speaker(BaseChatModel):
    """Says one thing after the other, word by word if it is streamed."""

    said: list[AIMessage]

    @property
    def _llm_type(self) -> str:
        return "speaker"

    def _generate(self, *_: Any, **__: Any) -> ChatResult:
        return ChatResult(generations=[ChatGeneration(message=self.said.pop(0))])

    def _stream(self, *_: Any, **__: Any) -> Iterator[ChatGenerationChunk]:
        message = self.said.pop(0)
        for word in str(message.content).split():
            yield ChatGenerationChunk(message=AIMessageChunk(word + " "))
        calls: Any = [
            {"name": each["name"], "args": json.dumps(each["args"]), "id": each["id"], "index": at}
            for at, each in enumerate(message.tool_calls)
        ]
        yield ChatGenerationChunk(message=AIMessageChunk("", tool_call_chunks=calls))


class State(TypedDict):
    messages: Annotated[list[Any], add_messages]
    notes: Annotated[list[str], add]


def call(number: int, *names: str) -> AIMessage:
    calls: Any = [
        {"name": name, "args": {"number": number}, "id": f"{name}-{number}"} for name in names
    ]
    return AIMessage("on it", tool_calls=calls)


def research() -> Any:
    """Return a subgraph whose branches run side by side, one of them several times."""

    def left(state: State, config: RunnableConfig) -> dict[str, Any]:
        shout = RunnableLambda(str.upper).with_config(run_name="shout", tags=["loud"])
        return {"notes": [shout.invoke("left", config)]}

    def right(state: State) -> dict[str, Any]:
        get_stream_writer()({"note": "on the right"})
        return {"notes": [RunnableLambda(str.title, name="title").invoke("right")]}

    def each(state: Any) -> dict[str, Any]:
        return {"notes": [f"sent {state['notes'][0]}"]}

    graph = StateGraph(State)
    graph.add_node("left", left)
    graph.add_node("right", right)
    graph.add_node("each", each)
    graph.add_edge(START, "left")
    graph.add_edge(START, "right")
    graph.add_conditional_edges(
        "left", lambda _: [Send("each", {"notes": [name]}) for name in ("a", "b")], ["each"]
    )
    return graph.compile(name="research")


def agent(*said: AIMessage) -> Any:
    """Return an agent that does research first, and then thinks and uses tools in turns."""
    speaker = Speaker(said=list(said))

    def think(state: State) -> dict[str, Any]:
        return {"messages": [speaker.invoke(state["messages"])]}

    async def athink(state: State) -> dict[str, Any]:
        return {"messages": [await speaker.ainvoke(state["messages"])]}

    graph = StateGraph(State)
    graph.add_node("research", research())
    graph.add_node("think", RunnableLambda(think, athink, name="think"))
    graph.add_node("tools", ToolNode([multiply, divide, ask_first], handle_tool_errors=True))
    graph.add_edge(START, "research")
    graph.add_edge("research", "think")
    graph.add_conditional_edges("think", tools_condition, {"tools": "tools", END: END})
    graph.add_edge("tools", "think")
    return graph.compile(name="agent", checkpointer=InMemorySaver())


WORKING = (call(1, "multiply", "divide"), call(2, "multiply"), AIMessage("all done"))
ASKING = (call(3, "ask_first"), AIMessage("asked and done"))
QUESTION: Any = {"messages": [("human", "go")], "notes": []}
threads = count(1)


def config(*callbacks: Any) -> Any:
    return {
        "callbacks": list(callbacks),
        "tags": ["outer"],
        "metadata": {"user": "u"},
        "configurable": {"thread_id": f"thread-{next(threads)}"},
    }


def sync_part() -> None:
    heard, collected = Inline(), RunCollectorCallbackHandler()
    agent(*WORKING).invoke(QUESTION, config(heard, collected))
    report("invoke", heard, collected)

    heard, collected = Inline(), RunCollectorCallbackHandler()
    asking, told = agent(*ASKING), config(heard, collected)
    paused = asking.invoke(QUESTION, told)
    print("paused", plain([each.value for each in paused["__interrupt__"]]))
    print("resumed", asking.invoke(Command(resume="fine"), told)["messages"][-1].content)
    report("interrupt", heard, collected)

    for mode in (
        "values",
        "updates",
        "messages",
        "custom",
        "debug",
        "tasks",
        ["updates", "custom"],
    ):
        heard, collected = Inline(), RunCollectorCallbackHandler()
        stream = agent(*WORKING).stream(
            QUESTION, config(heard, collected), stream_mode=mode, subgraphs=True
        )
        show(f"stream {mode}", map(plain, stream))
        report(f"stream {mode}", heard, collected)


async def async_part() -> None:
    for kind in (Inline, InTasks):
        heard, collected = kind(), RunCollectorCallbackHandler()
        await agent(*WORKING).ainvoke(QUESTION, config(heard, collected))
        report(f"ainvoke {kind.__name__}", heard, collected)

    heard, collected = InTasks(), RunCollectorCallbackHandler()
    asking, told = agent(*ASKING), config(heard, collected)
    await asking.ainvoke(QUESTION, told)
    print("resumed", plain(await listed(asking.astream(Command(resume="fine"), told))))
    report("async interrupt", heard, collected)

    for mode in ("values", "messages", ["updates", "custom"]):
        heard, collected = InTasks(), RunCollectorCallbackHandler()
        stream = agent(*WORKING).astream(
            QUESTION, config(heard, collected), stream_mode=mode, subgraphs=True
        )
        show(f"astream {mode}", map(plain, await listed(stream)))
        report(f"astream {mode}", heard, collected)

    heard, collected = InTasks(), RunCollectorCallbackHandler()
    stream = agent(*WORKING).astream_events(QUESTION, config(heard, collected), version="v2")
    show("astream_events", map(event_line, await listed(stream)))
    report("astream_events", heard, collected)


sync_part()
asyncio.run(async_part())
