"""LangChain's own agents, with middleware: what handlers hear of them, and tracers record."""

import asyncio
import sys
from collections.abc import Callable
from itertools import cycle
from pathlib import Path
from typing import Any

if "callboard" in sys.argv:
    import callboard.langchain

    callboard.langchain.install()

sys.path.append(str(Path(__file__).parents[2] / "integrations" / "langchain_programs"))

from hearing import Inline, InTasks, event_line, listed, plain, report
from langchain.agents import create_agent
from langchain.agents.middleware import (
    AgentMiddleware,
    HumanInTheLoopMiddleware,
    ModelCallLimitMiddleware,
    ToolRetryMiddleware,
    before_model,
    wrap_model_call,
    wrap_tool_call,
)
from langchain.agents.structured_output import ToolStrategy
from langchain_core.language_models import GenericFakeChatModel
from langchain_core.messages import AIMessage
from langchain_core.runnables import RunnableLambda
from langchain_core.tools import tool
from langchain_core.tracers.run_collector import RunCollectorCallbackHandler
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.types import Command
from pydantic import BaseModel
from ways import asked


class Answer(BaseModel):
    text: str


@tool
def double(number: int) -> int:
    """Double a number."""
    return int(RunnableLambda(lambda x: 2 * x, name="inside the tool").invoke(number))


@tool
def fail(number: int) -> int:
    """Fail."""
    raise ValueError(f"no {number}")


class Model(GenericFakeChatModel):
    def bind_tools(self, tools: Any, **_: Any) -> Any:
        return self.bind(tools=[getattr(each, "name", "Answer") for each in tools])


@before_model
def look(state: Any, runtime: Any) -> None:
    RunnableLambda(len, name="before the model").invoke(state["messages"])


@wrap_model_call
def around_model(request: Any, handler: Callable[[Any], Any]) -> Any:
    RunnableLambda(str, name="around the model").invoke("x")
    return handler(request)


@wrap_tool_call
def around_tool(request: Any, handler: Callable[[Any], Any]) -> Any:
    RunnableLambda(str, name="around the tool").invoke("x")
    return handler(request)


class InAsync(AgentMiddleware[Any, Any, Any]):
    """The same in async code."""

    async def abefore_model(self, state: Any, runtime: Any) -> None:
        await RunnableLambda(len, name="before the model").ainvoke(state["messages"])

    async def awrap_model_call(self, request: Any, handler: Any) -> Any:
        await RunnableLambda(str, name="around the model").ainvoke("x")
        return await handler(request)

    async def awrap_tool_call(self, request: Any, handler: Any) -> Any:
        await RunnableLambda(str, name="around the tool").ainvoke("x")
        return await handler(request)


def asks_for(*calls: tuple[str, Any]) -> AIMessage:
    asked_for: Any = [
        {"name": name, "args": args, "id": f"call-{n}"} for n, (name, args) in enumerate(calls)
    ]
    return AIMessage("on it", tool_calls=asked_for)


def agent(*middleware: Any, **options: Any) -> Any:
    said = cycle(
        [
            asks_for(("double", {"number": 21}), ("fail", {"number": 1})),
            asks_for(("Answer", {"text": "42"})) if options else AIMessage("all done"),
        ]
    )
    retry = ToolRetryMiddleware(max_retries=1, initial_delay=0.001, jitter=False)
    return create_agent(
        Model(messages=said),
        [double, fail],
        middleware=[*middleware, ModelCallLimitMiddleware(run_limit=9), retry],
        name="agent",
        **options,
    )


QUESTION: Any = {"messages": [("human", "double 21")]}


def sync_part() -> None:
    heard, collected = Inline(), RunCollectorCallbackHandler()
    agent(look, around_model, around_tool).invoke(QUESTION, asked(heard, collected))
    report("agent", heard, collected)
    heard, collected = Inline(), RunCollectorCallbackHandler()
    made = agent(look, response_format=ToolStrategy(Answer))
    stream = made.stream(QUESTION, asked(heard, collected), stream_mode=["messages", "updates"])
    print(*sorted(map(plain, stream)), sep="\n")
    report("streamed", heard, collected)
    heard, collected = Inline(), RunCollectorCallbackHandler()
    made = agent(HumanInTheLoopMiddleware({"double": True}), checkpointer=InMemorySaver())
    config = asked(heard, collected)
    print("paused", plain(made.invoke(QUESTION, config)["__interrupt__"]))
    made.invoke(Command(resume={"decisions": [{"type": "approve"}]}), config)
    report("approved", heard, collected)


async def async_part() -> None:
    heard, collected = InTasks(), RunCollectorCallbackHandler()
    await agent(InAsync()).ainvoke(QUESTION, asked(heard, collected))
    report("agent in async code", heard, collected)
    heard, collected = InTasks(), RunCollectorCallbackHandler()
    stream = agent(InAsync()).astream_events(QUESTION, asked(heard, collected), version="v2")
    print(*sorted(map(event_line, await listed(stream))), sep="\n")
    report("events", heard, collected)


sync_part()
asyncio.run(async_part())
