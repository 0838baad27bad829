"""Runnables of every kind, called in every way.

Run with ``callboard`` as its argument it puts Callboard in LangChain's place first. What follows
are the ways to call them. What it prints must be the same either way.
"""

import asyncio
import json
import sys
import threading
import warnings
from collections.abc import AsyncIterator, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from itertools import cycle
from typing import Any

if "callboard" in sys.argv:
    import callboard.langchain

    callboard.langchain.install()

from langchain_core.callbacks import dispatch_custom_event
from langchain_core.chat_history import InMemoryChatMessageHistory
from langchain_core.language_models import BaseChatModel, FakeListLLM, GenericFakeChatModel
from langchain_core.messages import AIMessage, AIMessageChunk
from langchain_core.output_parsers import (
    CommaSeparatedListOutputParser,
    JsonOutputParser,
    PydanticOutputParser,
    PydanticToolsParser,
    StrOutputParser,
)
from langchain_core.outputs import ChatGeneration, ChatGenerationChunk, ChatResult
from langchain_core.prompts import ChatPromptTemplate, MessagesPlaceholder
from langchain_core.runnables import (
    ConfigurableField,
    RouterRunnable,
    Runnable,
    RunnableBranch,
    RunnableConfig,
    RunnableGenerator,
    RunnableLambda,
    RunnableParallel,
    RunnablePassthrough,
    chain,
)
from langchain_core.runnables.config import ContextThreadPoolExecutor, run_in_executor
from langchain_core.runnables.history import RunnableWithMessageHistory
from langchain_core.tools import StructuredTool, ToolException, tool
from pydantic import BaseModel
from ways import Programs, call_all

Some = RunnableLambda[Any, Any]


class Person(BaseModel):
    """A person."""

    name: str
    age: int


class Number(BaseModel):
    number: int


def double(x: Any) -> Any:
    return x * 2


async def adouble(x: Any) -> Any:
    return x * 2


def same(x: Any) -> Any:
    return x


def fail(x: Any) -> Any:
    raise KeyError("gone")


def named(name: str, function: Any = same) -> Some:
    return RunnableLambda(function, name=name)


def flaky(times: int, kind: type[Exception] = ValueError) -> Some:
    """Return what fails a number of times with each input, and then works."""
    failed: dict[Any, int] = {}

    def work(x: Any) -> Any:
        failed[x] = failed.get(x, 0) + 1
        if failed[x] <= times:
            raise kind(f"{x} not yet")
        return x

    async def awork(x: Any) -> Any:
        return work(x)

    return RunnableLambda(work, awork, name="flaky")


def model(*said: AIMessage | str) -> Any:
    return GenericFakeChatModel(messages=cycle(said))


class Calling(BaseChatModel):
    """Calls tools, in pieces if it is streamed."""

    calls: list[Any]

    @property
    def _llm_type(self) -> str:
        return "calling"

    def bind_tools(self, tools: Any, **kwargs: Any) -> Any:
        return self.bind(tools=[each.__name__ for each in tools], **kwargs)

    def _generate(self, *_: Any, **__: Any) -> ChatResult:
        message = AIMessage("", tool_calls=self.calls)
        return ChatResult(generations=[ChatGeneration(message=message)])

    def _stream(self, *_: Any, **__: Any) -> Iterator[ChatGenerationChunk]:
        for index, each in enumerate(self.calls):
            args = json.dumps(each["args"])
            for name, piece, call_id in (
                (each["name"], args[:5], each["id"]),
                (None, args[5:], None),
            ):
                call: Any = {"name": name, "args": piece, "id": call_id, "index": index}
                yield ChatGenerationChunk(message=AIMessageChunk("", tool_call_chunks=[call]))


def calling(*args: dict[str, Any]) -> Calling:
    return Calling(
        calls=[{"name": "Person", "args": each, "id": f"call-{n}"} for n, each in enumerate(args)]
    )


ADA = {"name": "Ada", "age": 36}


@tool
def unwilling(number: int) -> str:
    """Fail as a tool may."""
    raise ToolException(f"no {number}")


@tool
def inside(number: int, config: RunnableConfig) -> int:
    """Call something with the config, and something without."""
    return named("with config", double).invoke(number, config) + named("without").invoke(number)


@tool
def asking(number: int) -> str:
    """Ask a model."""
    return str(model("inner answer").invoke(str(number)).content)


def made_tool(name: str, function: Any, **options: Any) -> StructuredTool:
    return StructuredTool.from_function(
        function, name=name, description=name, args_schema=Number, **options
    )


def no(number: int) -> Any:
    raise ToolException(f"no {number}")


def remembering() -> Any:
    kept: dict[str, InMemoryChatMessageHistory] = {}
    prompt = ChatPromptTemplate.from_messages([MessagesPlaceholder("past"), ("human", "{q}")])
    return RunnableWithMessageHistory(
        prompt | model("answer"),
        lambda session_id: kept.setdefault(session_id, InMemoryChatMessageHistory()),
        input_messages_key="q",
        history_messages_key="past",
    ).with_config(configurable={"session_id": "s"})


def configurable(**chosen: Any) -> Any:
    fields = FakeListLLM(responses=["a"]).configurable_fields(
        responses=ConfigurableField(id="answers")
    )
    either = fields.configurable_alternatives(
        ConfigurableField(id="which"), other=FakeListLLM(responses=["other"])
    )
    return either.with_config(configurable=chosen)


def down(depth: int) -> Some:
    """Return runnables inside each other, that find each other without a config."""

    def go(x: Any) -> Any:
        return down(depth - 1).invoke(x) if depth else x

    async def ago(x: Any) -> Any:
        return await down(depth - 1).ainvoke(x) if depth else x

    return RunnableLambda(go, ago, name=f"depth {depth}")


@chain
def decorated(x: Any) -> Any:
    dispatch_custom_event("decorated", {"x": x})
    yield from (named("piece").invoke(each) for each in (x, x))


class Own(Runnable[Any, Any]):
    """A runnable of a program's own."""

    def invoke(self, input: Any, config: Any = None, **_: Any) -> Any:
        return self._call_with_config(double, input, config, run_type="tool")


def in_threads(x: Any) -> Any:
    with ContextThreadPoolExecutor(2) as pool:
        found = list(pool.map(named("in a pool", double).invoke, [x, x]))
    with ThreadPoolExecutor(1) as pool:
        found.append(pool.submit(named("alone in a pool").invoke, x).result())
        found.append(pool.submit(copy_context().run, named("in a copy").invoke, x).result())
    thread = threading.Thread(
        target=copy_context().run, args=(lambda: found.append(named("in a thread").invoke(x)),)
    )
    thread.start()
    thread.join()
    return [*found, asyncio.run(named("in a loop", adouble).ainvoke(x))]


async def in_tasks(x: Any) -> Any:
    in_context = copy_context()
    run = asyncio.get_running_loop().run_in_executor
    return [
        await asyncio.to_thread(named("to a thread").invoke, x),
        await run_in_executor(None, named("in an executor").invoke, x),
        await run(None, lambda: in_context.run(named("in the loop's executor").invoke, x)),
        await asyncio.create_task(named("in a task", adouble).ainvoke(x)),
        await asyncio.gather(*(named("gathered", adouble).ainvoke(each) for each in (x, x))),
    ]


def count_up(numbers: Iterator[Any]) -> Iterator[Any]:
    for number in numbers:
        yield from (number, number)


async def acount_up(numbers: AsyncIterator[Any]) -> AsyncIterator[Any]:
    async for number in numbers:
        yield number
        yield number


RETRY: Any = {"wait_exponential_jitter": False, "stop_after_attempt": 3}

PROGRAMS: Programs = {
    "retried": (lambda: flaky(2).with_retry(**RETRY), 1),
    "retried in vain": (lambda: flaky(3).with_retry(**RETRY), 1),
    "not retried": (
        lambda: flaky(1, TypeError).with_retry(retry_if_exception_type=(ValueError,), **RETRY),
        1,
    ),
    "retried sequence": (lambda: (named("first") | flaky(1)).with_retry(**RETRY), 1),
    "fallbacks": (
        lambda: named("failing", fail).with_fallbacks([flaky(9), named("last")]),
        1,
    ),
    "fallbacks in vain": (lambda: named("failing", fail).with_fallbacks([flaky(9)]), 1),
    "fallback of a model": (
        lambda: ChatPromptTemplate.from_template("{q}") | model().with_fallbacks([model("so")]),
        {"q": "x"},
    ),
    "parallel": (
        lambda: RunnableParallel(
            a=double, b=named("bee").with_config(tags=["b"]), c=model("hi") | StrOutputParser()
        ),
        "x",
    ),
    "parallel failing": (lambda: RunnableParallel(a=fail), 1),
    "assigned": (lambda: RunnablePassthrough.assign(n=lambda x: len(x["q"])).pick("n"), {"q": "h"}),
    "branch": (lambda: RunnableBranch((named("big?", bool), named("big")), named("small")), 3),
    "default branch": (
        lambda: RunnableBranch((named("big?", lambda _: False), named("big")), named("small")),
        3,
    ),
    "each": (lambda: named("mapped", double).map(), [1, 2]),
    "router": (lambda: RouterRunnable({"a": named("route")}), {"key": "a", "input": 3}),
    "generator": (lambda: RunnableGenerator(count_up, acount_up), 1),
    "text": (lambda: model("one two") | StrOutputParser(), "q"),
    "json": (lambda: model('{"a": [1]}') | JsonOutputParser(), "q"),
    "broken json": (lambda: model("no json") | JsonOutputParser(), "q"),
    "pydantic": (
        lambda: model('{"name": "Ada", "age": 36}') | PydanticOutputParser(pydantic_object=Person),
        "q",
    ),
    "list": (lambda: model("a, b") | CommaSeparatedListOutputParser(), "q"),
    "structured": (lambda: calling(ADA).with_structured_output(Person), "q"),
    "broken structure": (
        lambda: calling({}).with_structured_output(Person, include_raw=True),
        "q",
    ),
    "tool calls": (
        lambda: calling(ADA, ADA).bind_tools([Person]) | PydanticToolsParser(tools=[Person]),
        "q",
    ),
    "failing tool": (lambda: unwilling, {"number": 1}),
    "tool's error handled": (
        lambda: made_tool("handled", no, handle_tool_error=True),
        {"number": 1},
    ),
    "bad input": (lambda: made_tool("strict", same), {"number": "x"}),
    "bad input handled": (
        lambda: made_tool("kind", same, handle_validation_error="bad"),
        {"number": "x"},
    ),
    "tool": (lambda: inside, {"number": 1}),
    "tool call": (
        lambda: inside,
        {"type": "tool_call", "name": "inside", "args": {"number": 1}, "id": "call"},
    ),
    "model in a tool": (lambda: asking, {"number": 1}),
    "chain to a tool": (lambda: named("args", lambda x: {"number": x}) | inside, 4),
    "chosen fields": (lambda: configurable(answers=["z"]), "q"),
    "chosen alternative": (lambda: configurable(which="other"), "q"),
    "history": (remembering, {"q": "hi"}),
    "bound": (lambda: model("so").bind(stop=["x"]).with_config(metadata={"bound": 1}), "q"),
    "configured twice": (
        lambda: (
            named("x")
            .with_config(tags=["1"], metadata={"k": 1}, run_name="one")
            .with_config(tags=["2"], metadata={"k": 2}, run_name="two")
        ),
        1,
    ),
    "inside each other": (lambda: down(3), 1),
    "returned": (lambda: named("returns", lambda _: named("returned", double)), 3),
    "decorated": (lambda: decorated, 3),
    "own": (Own, 3),
    "threads": (lambda: named("uses threads", in_threads), 3),
    "tasks": (lambda: RunnableLambda(same, in_tasks, name="uses tasks"), 3),
    "prompt without a variable": (lambda: ChatPromptTemplate.from_template("{q}{r}"), {"q": 1}),
    "model without an answer": (model, "x"),
}

warnings.simplefilter("ignore")  # Of betas and deprecations; ours would be there without.
call_all(PROGRAMS, [each for each in sys.argv[1:] if each != "callboard"])
