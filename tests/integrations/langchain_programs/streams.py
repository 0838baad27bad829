"""A LangChain and LangGraph program that prints what the streams of its calls tell.

Run with ``callboard`` as its argument it puts Callboard, streams included, in LangChain's place
first. What it prints must be the same either way: ids are numbered in order of appearance, and
times are left out.
"""

import asyncio
import re
import sys
import warnings
from importlib import import_module
from itertools import count
from typing import Annotated, Any, TypedDict

if "callboard" in sys.argv:
    import callboard.langchain

    callboard.langchain.install()
    for door in ("_streaming", "event_stream", "log_stream", "memory_stream"):
        sys.modules[f"langchain_core.tracers.{door}"] = import_module(f"callboard.tracers.{door}")

from langchain_core._api import LangChainBetaWarning, LangChainDeprecationWarning
from langchain_core.callbacks import (
    CallbackManager,
    CallbackManagerForRetrieverRun,
    adispatch_custom_event,
)
from langchain_core.documents import Document
from langchain_core.language_models import FakeStreamingListLLM, GenericFakeChatModel
from langchain_core.messages import AIMessage
from langchain_core.output_parsers import StrOutputParser
from langchain_core.prompts import ChatPromptTemplate, PromptTemplate
from langchain_core.retrievers import BaseRetriever
from langchain_core.runnables import (
    RunnableConfig,
    RunnableGenerator,
    RunnableLambda,
    RunnableParallel,
    RunnablePassthrough,
)
from langchain_core.tools import tool
from langgraph.graph import END, START, StateGraph
from langgraph.graph.message import add_messages

numbers = count(1)
seen: dict[str, str] = {}
UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
TIME = re.compile(r"\d{4}-\d\d-\d\dT[\d:.+]+|0x[0-9a-f]+")


def short(match: re.Match[str]) -> str:
    if match[0] not in seen:
        seen[match[0]] = f"id{next(numbers)}"
    return seen[match[0]]


def plain(value: Any) -> str:
    """Write a value the same way each time: keys in order, ids numbered, no times."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key}: {plain(value[key])}" for key in sorted(value)) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(plain, value)) + "]"
    return TIME.sub("@", UUID.sub(short, repr(value)))


class Shelf(BaseRetriever):
    def _get_relevant_documents(
        self, query: str, *, run_manager: CallbackManagerForRetrieverRun
    ) -> list[Document]:
        return [Document(page_content=query.upper())]


@tool
def double(number: int) -> int:
    """Double a number."""
    return number * 2


@tool
def nothing() -> str:
    """Take nothing."""
    return "something"


@tool
def fail(number: int) -> int:
    """Fail."""
    raise ValueError("no good")


def model() -> GenericFakeChatModel:
    answers = iter([AIMessage("one two three", id="answer")] * 9)
    return GenericFakeChatModel(messages=answers).with_config(run_name="model", tags=["my"])


async def upper(pieces: Any) -> Any:
    async for piece in pieces:
        yield piece.upper()


@RunnableLambda
async def speak(value: Any) -> Any:
    await adispatch_custom_event("spoke", {"value": value})
    return value


@RunnableLambda
async def fall_back(value: Any, config: RunnableConfig) -> Any:
    try:
        return await fail.ainvoke({"number": 1}, config)
    except ValueError:
        return await double.ainvoke({"number": 2}, config)


class State(TypedDict):
    messages: Annotated[list[Any], add_messages]


def graph() -> Any:
    async def act(state: State, config: RunnableConfig) -> dict[str, Any]:
        return {"messages": [await model().ainvoke("go", config)]}

    made = StateGraph(State)
    made.add_node("act", act)
    made.add_edge(START, "act")
    made.add_edge("act", END)
    return made.compile(name="graph")


def programs() -> dict[str, tuple[Any, Any]]:
    chat = ChatPromptTemplate.from_messages([("system", "be kind"), ("human", "{q}")])
    return {
        "chat": (chat | model() | StrOutputParser(), {"q": "hi"}),
        "model": (model(), "hi"),
        "text": (
            PromptTemplate.from_template("say {q}") | FakeStreamingListLLM(responses=["abc"]),
            {"q": "hi"},
        ),
        "generator": (
            model() | StrOutputParser() | RunnableGenerator(upper).with_config(run_name="upper"),
            "hi",
        ),
        "assign": (RunnablePassthrough.assign(n=lambda x: len(x["q"])), {"q": "hi"}),
        "dictionary": (RunnableParallel(only=model() | StrOutputParser()), "hi"),
        "retriever": (Shelf(), "hats"),
        "tool": (double, {"number": 21}),
        "empty tool": (nothing, {}),
        "failing tool": (fall_back.with_config(run_name="fall back"), 1),
        "custom": (speak.with_config(run_name="speak"), 1),
        "fallback": (fail.with_fallbacks([double]), {"number": 3}),
        "retry": (speak.with_retry(), "once"),
        "graph": (
            graph(),
            {
                "messages": [
                    (
                        "human",
                        "go",
                    )
                ]
            },
        ),
        "batch": (RunnableLambda(lambda x: x).with_config(tags=["a"], metadata={"m": 1}), "x"),
    }


FILTERS: list[dict[str, Any]] = [
    {},
    {"include_types": ["chat_model", "tool"]},
    {"include_names": ["model", "upper", "spoke"]},
    {"include_tags": ["my"], "exclude_types": ["chain"]},
    {"exclude_tags": ["my", "seq:step:1"]},
]


# It passes its input on while it starts what is inside: which is told first is nobody's promise.
IN_NO_ORDER = ("assign",)


async def printed(title: str, items: Any) -> None:
    print("==", title)
    try:
        collected = [item async for item in items]
    except ValueError as error:
        print("raised", error)
        return
    if title.startswith(IN_NO_ORDER):
        collected.sort(key=lambda event: (event["name"], event["event"] != "on_chain_start"))
    for item in collected:
        print(plain(item.ops if hasattr(item, "ops") else item))
        if hasattr(item, "state"):
            print("state", plain(item.state))


async def main() -> None:
    config: RunnableConfig = {"tags": ["outer"], "metadata": {"user": "u"}}
    for name, (_, given) in programs().items():
        for filters in FILTERS:
            runnable = programs()[name][0]
            stream = runnable.astream_events(given, config, version="v2", **filters)
            await printed(f"{name} v2 {filters}", stream)
            runnable = programs()[name][0]
            if name in IN_NO_ORDER or filters not in FILTERS[:2]:
                continue
            stream = runnable.astream_events(given, config, version="v1", **filters)
            await printed(f"{name} v1 {filters}", stream)
            runnable = programs()[name][0]
            await printed(f"{name} log {filters}", runnable.astream_log(given, config, **filters))
        if name not in IN_NO_ORDER:
            runnable = programs()[name][0]
            stream = runnable.astream_log(
                given, config, diff=False, with_streamed_output_list=False
            )
            await printed(f"{name} states", stream)
    manager = {"callbacks": CallbackManager([])}
    await printed("manager", model().astream_events("hi", manager, version="v2"))
    await printed("failing", fail.astream_events({"number": 1}, version="v2"))


warnings.simplefilter("ignore", LangChainBetaWarning)
warnings.simplefilter("ignore", LangChainDeprecationWarning)
asyncio.run(main())
