"""A LangChain and LangGraph program that prints all that one handler hears of it.

Run with ``callboard`` as its argument it puts Callboard in LangChain's place first. What it
prints must be the same either way: ids are numbered in order of appearance, nothing has a time.
"""

import asyncio
import sys
from itertools import count
from typing import Annotated, Any, TypedDict

if "callboard" in sys.argv:
    import callboard.langchain

    callboard.langchain.install()

from langchain_core.callbacks import (
    AsyncCallbackHandler,
    BaseCallbackHandler,
    CallbackManagerForRetrieverRun,
    adispatch_custom_event,
    dispatch_custom_event,
)
from langchain_core.callbacks.manager import trace_as_chain_group
from langchain_core.documents import Document
from langchain_core.language_models import GenericFakeChatModel
from langchain_core.messages import AIMessage
from langchain_core.retrievers import BaseRetriever
from langchain_core.runnables import RunnableConfig, RunnableLambda, RunnableParallel
from langchain_core.tools import tool
from langgraph.graph import END, START, StateGraph
from langgraph.graph.message import add_messages

numbers = count(1)
seen: dict[Any, str] = {}


def short(run_id: Any) -> str:
    if run_id is None:
        return "-"
    if run_id not in seen:
        seen[run_id] = f"run{next(numbers)}"
    return seen[run_id]


def line(event: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> str:
    name = kwargs.get("name") or ""
    tags = ",".join(tag for tag in kwargs.get("tags") or ())
    what = args[0] if event in ("on_custom_event", "on_text") else kwargs.get("token", "")
    error = repr(args[0]) if event.endswith("_error") else ""
    ids = f"{short(kwargs.get('run_id'))}<{short(kwargs.get('parent_run_id'))}"
    return " ".join(part for part in (event, name, ids, f"[{tags}]", str(what), error) if part)


EVENTS = [name for name in dir(BaseCallbackHandler) if name.startswith("on_")]


class Printing(BaseCallbackHandler):
    run_inline = True


class AsyncPrinting(AsyncCallbackHandler):
    run_inline = True


def printer(event: str) -> Any:
    def hear(self: Any, *args: Any, **kwargs: Any) -> None:
        print(line(event, args, kwargs))

    async def ahear(self: Any, *args: Any, **kwargs: Any) -> None:
        print("async", line(event, args, kwargs))

    return hear, ahear


for event_name in EVENTS:
    hear, ahear = printer(event_name)
    setattr(Printing, event_name, hear)
    setattr(AsyncPrinting, event_name, ahear)


class Shelf(BaseRetriever):
    def _get_relevant_documents(
        self, query: str, *, run_manager: CallbackManagerForRetrieverRun
    ) -> list[Document]:
        run_manager.on_text(f"looking for {query}")
        return [Document(page_content=query.upper())]


@tool
def double(number: int) -> int:
    """Double a number."""
    return number * 2


def model() -> GenericFakeChatModel:
    return GenericFakeChatModel(messages=iter([AIMessage("one two three")] * 9))


class State(TypedDict):
    messages: Annotated[list[Any], add_messages]


def graph() -> Any:
    def plan(state: State, config: RunnableConfig) -> dict[str, Any]:
        dispatch_custom_event("planned", {"steps": 2}, config=config)
        return {"messages": [("ai", "planned")]}

    def act(state: State, config: RunnableConfig) -> dict[str, Any]:
        double.invoke({"number": 21}, config)
        return {"messages": [model().invoke("go", config)]}

    inner = StateGraph(State)
    inner.add_node("act", act)
    inner.add_edge(START, "act")
    inner.add_edge("act", END)
    outer = StateGraph(State)
    outer.add_node("plan", plan)
    outer.add_node("inner", inner.compile())
    outer.add_edge(START, "plan")
    outer.add_edge("plan", "inner")
    outer.add_edge("inner", END)
    return outer.compile()


def fail(_: Any) -> None:
    raise ValueError("no good")


def sync_part(config: RunnableConfig) -> None:
    chain = RunnableLambda(lambda x: x + 1).with_config(run_name="add") | RunnableParallel(
        left=RunnableLambda(lambda x: x).with_config(tags=["left"])
    )
    print(chain.invoke(1, config))
    print(Shelf().invoke("hats", config))
    print([chunk.content for chunk in model().stream("hi", config)])
    with trace_as_chain_group("group", tags=["grouped"]) as manager:
        RunnableLambda(lambda x: x, name="inside").invoke(1, {"callbacks": manager})
    try:
        RunnableLambda(fail).invoke(1, config)
    except ValueError as error:
        print("raised", error)
    print(graph().invoke({"messages": [("human", "go")]}, config)["messages"][-1].content)
    for mode in ("values", "updates"):
        print(
            [*graph().stream({"messages": [("human", "go")]}, config, stream_mode=mode)][-1].keys()
        )


async def async_part(config: RunnableConfig) -> None:
    async def speak(x: int) -> int:
        await adispatch_custom_event("spoke", {"x": x})
        return x

    print(await (RunnableLambda(speak) | RunnableLambda(lambda x: x + 1)).ainvoke(1, config))
    print([chunk.content async for chunk in model().astream("hi", config)])
    print(await Shelf().ainvoke("hats", config))
    print((await graph().ainvoke({"messages": [("human", "go")]}, config))["messages"][-1].content)
    # Printed at the end: the stream's consumer and the graph take turns as they please.
    stream = graph().astream_events({"messages": [("human", "go")]}, config, version="v2")
    for event in [event async for event in stream]:
        print("streamed", event["event"], event["name"], event["tags"], len(event["parent_ids"]))


config: RunnableConfig = {"callbacks": [Printing()], "tags": ["outer"], "metadata": {"user": "u"}}
sync_part(config)
asyncio.run(async_part(config))
asyncio.run(async_part({"callbacks": [AsyncPrinting()]}))
