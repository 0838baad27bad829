"""What the vendors' handlers hear: the same calls in sync, async and threaded code.

Imported by each program, after it has put Callboard in LangChain's place or not.
"""

import asyncio
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from contextvars import copy_context
from typing import Annotated, Any, TypedDict

from langchain.agents import create_agent
from langchain_core.callbacks import CallbackManagerForRetrieverRun
from langchain_core.documents import Document
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, AIMessageChunk
from langchain_core.outputs import ChatGeneration, ChatGenerationChunk, ChatResult
from langchain_core.prompts import ChatPromptTemplate
from langchain_core.retrievers import BaseRetriever
from langchain_core.runnables import RunnableLambda, RunnableParallel
from langchain_core.tools import tool
from langgraph.graph import END, START, StateGraph
from langgraph.graph.message import add_messages
from langgraph.prebuilt import ToolNode, tools_condition

USAGE: Any = {"input_tokens": 3, "output_tokens": 4, "total_tokens": 7}
MADE_UP = re.compile(
    r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}|\b[0-9a-f]{16,32}\b"
    r"|\d{4}-\d\d-\d\dT[\d:.+Z]+|0x[0-9a-f]+"
)
"""Ids, times and addresses, which no two runs of a program have in common."""


@tool
def multiply(number: int) -> int:
    """Multiply by two."""
    return number * 2


@tool
def negate(number: int) -> int:
    """Negate."""
    return -number


@tool
def fail(number: int) -> int:
    """Fail."""
    raise ValueError(f"no {number}")


class Shelf(BaseRetriever):
    def _get_relevant_documents(
        self, query: str, *, run_manager: CallbackManagerForRetrieverRun
    ) -> list[Document]:
        return [Document(page_content=query.upper(), metadata={"shelf": 1})]


# What the model asks for, by the last message.
TOOLS = {"double 21": ("multiply",), "42": ("fail",), "both": ("multiply", "negate")}


class Speaker(BaseChatModel):
    """Uses tools, one after the other or side by side, and answers when they have."""

    model_name: str = "tiny-1"

    @property
    def _llm_type(self) -> str:
        return "speaker"

    def bind_tools(self, tools: Any, **_: Any) -> Any:
        return self.bind(tools=[each.name for each in tools])

    def _generate(self, messages: list[Any], *_: Any, **__: Any) -> ChatResult:
        names = TOOLS.get(messages[-1].content, ())
        calls: Any = [{"name": name, "args": {"number": 21}, "id": name} for name in names]
        message = AIMessage("said so", tool_calls=calls, usage_metadata=USAGE)
        return ChatResult(
            generations=[ChatGeneration(message=message)], llm_output={"model_name": "tiny-1"}
        )

    def _stream(self, *_: Any, **__: Any) -> Iterator[ChatGenerationChunk]:
        for word in ("one ", "two"):
            yield ChatGenerationChunk(message=AIMessageChunk(word))
        yield ChatGenerationChunk(message=AIMessageChunk("", usage_metadata=USAGE))


class State(TypedDict):
    messages: Annotated[list[Any], add_messages]


def agent() -> Any:
    """Return an agent with tools."""

    def think(state: State) -> dict[str, Any]:
        return {"messages": [Speaker().invoke(state["messages"])]}

    async def athink(state: State) -> dict[str, Any]:
        return {"messages": [await Speaker().ainvoke(state["messages"])]}

    graph = StateGraph(State)
    graph.add_node("think", RunnableLambda(think, athink, name="think"))
    graph.add_node("tools", ToolNode([multiply, fail], handle_tool_errors=True))
    graph.add_edge(START, "think")
    graph.add_conditional_edges("think", tools_condition, {"tools": "tools", END: END})
    graph.add_edge("tools", "think")
    return graph.compile(name="agent")


def hasty() -> Any:
    """Return an agent of LangChain's own, which uses its tools side by side."""
    return create_agent(Speaker(), [multiply, negate], name="hasty agent")


def chain() -> Any:
    """Return a chain with branches in threads."""
    prompt = ChatPromptTemplate.from_messages([("human", "about {hats} and {caps}")])
    both = RunnableParallel(hats=Shelf(), caps=RunnableLambda(str.title, name="caps"))
    return (both | prompt | Speaker()).with_config(run_name="chain")


def streamed() -> Any:
    """Return a chain to stream; its branches would come in no order of their own."""
    prompt = ChatPromptTemplate.from_messages([("human", "about {hats}")])
    return (prompt | Speaker()).with_config(run_name="streamed")


QUESTION: Any = {"messages": [("human", "double 21")]}
BOTH: Any = {"messages": [("human", "both")]}


def work(config: Callable[[], Any]) -> None:
    """Make all the calls.

    Args:
        config: Returns the config of a call, with the handler or not.
    """
    agent().invoke(QUESTION, config())
    hasty().invoke(BOTH, config())
    chain().invoke("hats", config())
    list(streamed().stream({"hats": "hats"}, config()))
    with suppress(ValueError):
        fail.invoke({"number": 1}, config())
    asyncio.run(_async_part(config))
    with ThreadPoolExecutor(2) as pool:
        calls = [
            pool.submit(copy_context().run, chain().invoke, f"hats {number}", config())
            for number in range(4)
        ]
        for call in calls:
            call.result()


async def _async_part(config: Callable[[], Any]) -> None:
    await agent().ainvoke(QUESTION, config())
    await hasty().ainvoke(BOTH, config())
    await asyncio.gather(*(chain().ainvoke(f"hats {number}", config()) for number in range(3)))
    async for _ in streamed().astream({"hats": "hats"}, config()):
        pass
    with suppress(ValueError):
        await fail.ainvoke({"number": 1}, config())


def plain(value: Any) -> str:
    """Return a value as text, without what is made up."""
    return MADE_UP.sub("...", repr(value))


def print_tree(spans: Sequence[tuple[str, str | None, str]]) -> None:
    """Print spans under their parents, siblings in the order of their text.

    Args:
        spans: Each one's id, its parent's, and what it is as a line.
    """
    inside: dict[str | None, list[tuple[str, str]]] = {}
    known = {span_id for span_id, _, _ in spans}
    for span_id, parent, line in spans:
        inside.setdefault(parent if parent in known else None, []).append((span_id, line))
    print(*_trees(None, inside), sep="\n")


def _trees(parent: str | None, inside: Mapping[str | None, list[tuple[str, str]]]) -> list[str]:
    return sorted(
        "\n  ".join([line, *"\n".join(_trees(span_id, inside)).splitlines()])
        for span_id, line in inside.get(parent, [])
    )


def print_otel(spans: Sequence[Any], without: Sequence[str] = ()) -> None:
    """Print OpenTelemetry's spans.

    Args:
        spans: The spans.
        without: Attributes whose values are measured, or made up.
    """
    lines = []
    for span in spans:
        told = {
            name: value if name not in without else "..."
            for name, value in sorted((span.attributes or {}).items())
        }
        line = f"{span.name} {span.status.status_code.name} {plain(told)}"
        parent = None if span.parent is None else f"{span.parent.span_id:x}"
        lines.append((f"{span.context.span_id:x}", parent, line))
    print_tree(lines)
