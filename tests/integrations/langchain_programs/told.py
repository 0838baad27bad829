"""A table of programs, each of which has something else to tell: of every form that values have.

How they are traced is the first argument: by LangChain's own tracer (``original``), by Callboard's
as a handler that is passed (``handler``), or by Callboard in LangChain's place (``installed``).
"""

import asyncio
import enum
import re
import sys
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from ipaddress import IPv4Address
from pathlib import PurePosixPath
from typing import Annotated, Any, NamedTuple, TypedDict
from uuid import UUID

if "installed" in sys.argv:
    import callboard.langchain

    callboard.langchain.install()

import numpy as np
from langchain_core.callbacks import CallbackManagerForLLMRun, CallbackManagerForRetrieverRun
from langchain_core.documents import Document
from langchain_core.language_models import FakeListLLM, GenericFakeChatModel
from langchain_core.language_models.chat_models import BaseChatModel
from langchain_core.messages import (
    AIMessage,
    AIMessageChunk,
    BaseMessage,
    HumanMessage,
    SystemMessage,
    ToolMessage,
)
from langchain_core.output_parsers import JsonOutputParser, StrOutputParser
from langchain_core.outputs import ChatGeneration, ChatGenerationChunk, ChatResult
from langchain_core.prompts import ChatPromptTemplate, MessagesPlaceholder, PromptTemplate
from langchain_core.retrievers import BaseRetriever
from langchain_core.runnables import (
    RunnableConfig,
    RunnableGenerator,
    RunnableLambda,
    RunnableParallel,
    RunnablePassthrough,
)
from langchain_core.tools import tool
from langchain_core.tracers.langchain import wait_for_all_tracers
from langgraph.graph import END, START, StateGraph
from langgraph.graph.message import add_messages
from langgraph.prebuilt import ToolNode, tools_condition
from langsmith import LangSmithSecret
from pydantic import BaseModel, SecretStr, computed_field, field_serializer

USAGE: Any = {
    "input_tokens": 3,
    "output_tokens": 4,
    "total_tokens": 7,
    "input_token_details": {"cache_read": 2},
}
CALL: Any = {"name": "double", "args": {"number": 21}, "id": "call-1"}
CONVERSATION = [
    SystemMessage("be brief", id="1"),
    HumanMessage([{"type": "text", "text": "double 21"}], name="Ada"),
    AIMessage("", tool_calls=[CALL], usage_metadata=USAGE, response_metadata={"model_name": "m"}),
    ToolMessage("42", tool_call_id="call-1", name="double", artifact={"raw": [42]}),
    AIMessage("it is 42", additional_kwargs={"refusal": None}),
]
DOCUMENTS = [
    Document("rain in Oslo", metadata={"source": "a", "at": datetime(2026, 1, 2, 3, tzinfo=UTC)}),
    Document("sun in Rome", id="7"),
]


class Point(NamedTuple):
    x: int
    y: int


class Colour(enum.Enum):
    RED = "red"


@dataclass
class Order:
    name: str
    count: int | None = None
    lines: tuple[Any, ...] = ()


class Person(BaseModel):
    name: str
    nick: str | None = None
    key: SecretStr = SecretStr("hush")
    photo: bytes = b"abc"
    born: date = date(1815, 12, 10)
    order: Order | None = None
    friends: set[int] = set()
    colour: Colour = Colour.RED


class Told(BaseModel):
    size: int

    @field_serializer("size")
    def in_words(self, size: int) -> str:
        return f"{size} pieces"

    @computed_field
    def doubled(self) -> int:
        return self.size * 2


class Silent:
    def __repr__(self) -> str:
        return "a silent thing"


@tool
def double(number: int) -> int:
    """Double a number."""
    return number * 2


@tool
def broken(number: int) -> int:
    """Fail."""
    raise ValueError(f"no {number}")


@tool(response_format="content_and_artifact")
def look_up(query: str) -> tuple[str, list[Document]]:
    """Look something up."""
    return query.upper(), DOCUMENTS


class Shelf(BaseRetriever):
    def _get_relevant_documents(
        self, query: str, *, run_manager: CallbackManagerForRetrieverRun
    ) -> list[Document]:
        return DOCUMENTS


class Broken(GenericFakeChatModel):
    def _stream(self, *args: Any, **kwargs: Any) -> Iterator[ChatGenerationChunk]:
        yield ChatGenerationChunk(message=AIMessageChunk("half"))
        raise TimeoutError("the other half")


class Answering(BaseChatModel):
    """Answers with one message, and says what it cost as OpenAI's models do."""

    answer: BaseMessage

    @property
    def _llm_type(self) -> str:
        return "answering"

    @property
    def _identifying_params(self) -> dict[str, Any]:
        return {"model": "answering-1", "temperature": 0.5}

    def _generate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> ChatResult:
        generation = ChatGeneration(
            message=self.answer, generation_info={"finish_reason": "stop", "logprobs": None}
        )
        output = {"token_usage": {"prompt_tokens": 3}, "model_name": "answering-1"}
        return ChatResult(generations=[generation], llm_output=output)


def model(*said: AIMessage | str) -> GenericFakeChatModel:
    return GenericFakeChatModel(messages=iter(said))


class State(TypedDict):
    messages: Annotated[list[Any], add_messages]


def agent(*said: AIMessage | str) -> Any:
    speaker = model(*said)
    graph = StateGraph(State)
    graph.add_node("think", lambda state: {"messages": [speaker.invoke(state["messages"])]})
    graph.add_node("tools", ToolNode([double, look_up, broken], handle_tool_errors=True))
    graph.add_edge(START, "think")
    graph.add_conditional_edges("think", tools_condition, {"tools": "tools", END: END})
    graph.add_edge("tools", "think")
    return graph.compile(name="agent")


def counted(numbers: Iterator[int]) -> Iterator[int]:
    for number in numbers:
        yield number + 1


def calling(name: str, **args: Any) -> AIMessage:
    call: Any = {"name": name, "args": args, "id": f"call-{name}"}
    return AIMessage("", tool_calls=[call], usage_metadata=USAGE)


def passed(value: Any) -> Callable[[RunnableConfig], Any]:
    """Return a program that passes a value on, as a chain's inputs and outputs, and inside them."""

    def program(config: RunnableConfig) -> Any:
        RunnablePassthrough().invoke({"value": value, "many": [value, (value,)]}, config)
        return RunnablePassthrough().invoke(value, config)

    return program


async def answer_in_pieces(config: RunnableConfig) -> None:
    chain = model("in pieces of some length") | StrOutputParser()
    async for _ in chain.astream("hi", config):
        pass


PROMPT = ChatPromptTemplate.from_messages(
    [("system", "be {kind}"), MessagesPlaceholder("history"), ("human", "{question}")]
)
ASKED = {"kind": "brief", "history": CONVERSATION, "question": "why?"}

PROGRAMS: dict[str, Callable[[RunnableConfig], Any]] = {
    "messages": passed({"messages": CONVERSATION}),
    "a message": passed(CONVERSATION[2]),
    "chunks": passed(AIMessageChunk("a", usage_metadata=USAGE) + AIMessageChunk("b")),
    "documents": passed({"documents": DOCUMENTS}),
    "a dataclass": passed(Order("tea", lines=(1, Order("milk")))),
    "a model": passed(Person(name="Ada", order=Order("tea"), friends={1})),
    "a model that serialises itself": passed(Told(size=2)),
    "bytes": passed({"text": b"abc", "binary": b"\xff\x00", "array": bytearray(b"x")}),
    "an exception": passed({"error": ValueError("no 1", 2)}),
    "times": passed(
        {
            "aware": datetime(2026, 1, 2, 3, 4, 5, 6, tzinfo=UTC),
            "naive": datetime(2026, 1, 2),  # noqa: DTZ001 - so it may come
            "date": date(2026, 1, 2),
            "time": time(1, 2),
            "delta": timedelta(seconds=90),
            "zone": UTC,
        }
    ),
    "numbers": passed({"decimal": Decimal("1.5"), "whole": Decimal(2), "nan": float("nan")}),
    "collections": passed({"point": Point(1, 2), "set": {1}, "deque": deque([1])}),
    "arrays": passed({"array": np.arange(3), "scalar": np.float64(0.5)}),
    "texts": passed(
        {
            "id": UUID(int=1),
            "enum": Colour.RED,
            "path": PurePosixPath("/a"),
            "address": IPv4Address("127.0.0.1"),
            "pattern": re.compile("a+"),
            "class": Order,
            "object": Silent(),
        }
    ),
    "keys": passed({2: "a", None: "b", True: "c", UUID(int=1): "d"}),
    "a secret": passed({"secret": LangSmithSecret("hush"), "typed": SecretStr("hush")}),
    "nothing": passed(None),
    "an empty text": passed(""),
    "a prompt": lambda config: PROMPT.invoke(ASKED, config),
    "a text prompt": lambda config: PromptTemplate.from_template("of {x}").invoke("y", config),
    "a chain": lambda config: (PROMPT | model("so") | StrOutputParser()).invoke(ASKED, config),
    "a parser": lambda config: JsonOutputParser().invoke(AIMessage('{"a": 1}'), config),
    "a retriever": lambda config: Shelf().invoke("rain", config),
    "a tool": lambda config: double.invoke({"number": 21}, config),
    "a tool's text": lambda config: double.invoke("21", config),
    "a tool's message": lambda config: look_up.invoke(
        {"type": "tool_call", "name": "look_up", "args": {"query": "hats"}, "id": "c"}, config
    ),
    "a tool that fails": lambda config: broken.invoke({"number": 1}, config),
    "a chat model": lambda config: Answering(answer=CONVERSATION[2]).invoke(CONVERSATION, config),
    "a chat model's stream": lambda config: list(model("in pieces").stream("hi", config)),
    "a chat model that breaks off": lambda config: list(
        Broken(messages=iter([])).stream("", config)
    ),
    "several answers": lambda config: Answering(answer=AIMessage("hi", usage_metadata=USAGE)).batch(
        ["a", "b"], config
    ),
    "a text model": lambda config: FakeListLLM(responses=["one"]).invoke("hi", config),
    "a text model's stream": lambda config: list(FakeListLLM(responses=["ab"]).stream("x", config)),
    "a text model with options": lambda config: FakeListLLM(responses=["one"]).invoke(
        "hi", config, stop=["."]
    ),
    "an agent": lambda config: agent(
        calling("double", number=21),
        calling("look_up", query="x"),
        calling("broken", number=1),
        "so",
    ).invoke({"messages": [("human", "double 21")]}, config),
    "an agent's stream": lambda config: list(
        agent("streamed").stream({"messages": [("human", "hi")]}, config, stream_mode="messages")
    ),
    "a generator": lambda config: list(RunnableGenerator(counted).transform(iter([1, 2]), config)),
    "a parallel": lambda config: RunnableParallel(one=Shelf(), same=RunnablePassthrough()).invoke(
        "hats", config
    ),
    "a failure": lambda config: RunnableLambda(lambda x: 1 / x).invoke(0, config),
    "in pieces": lambda config: asyncio.run(answer_in_pieces(config)),
    "configured": lambda config: RunnableLambda(lambda x: x).invoke(
        1,
        {
            **config,
            "tags": ["tagged"],
            "metadata": {"user": "u", "thread_id": "t"},
            "configurable": {"some": "thing"},
        },
    ),
}


def main() -> None:
    callbacks: list[Any] = []
    if "handler" in sys.argv:
        from callboard.tracers import LangChainTracer

        callbacks.append(LangChainTracer())
    for name, program in PROGRAMS.items():
        around = RunnableLambda(lambda _, config, program=program: program(config))
        with suppress(ValueError, ZeroDivisionError, TimeoutError):
            around.with_config(run_name=name).invoke("x", {"callbacks": callbacks})
    wait_for_all_tracers()
    for tracer in callbacks:
        tracer.wait_for_futures()


main()
