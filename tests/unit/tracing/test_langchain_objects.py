"""LangChain's objects come in LangChain's serialised form, and runs as its tracers tell them."""

import inspect
import json
from typing import Any
from uuid import UUID

import langchain_core.messages
import numpy as np
import pytest
from langchain_core import messages, outputs
from langchain_core.documents import Document
from langchain_core.load import dumpd
from langchain_core.load.serializable import Serializable
from langchain_core.messages import (
    AIMessage,
    AIMessageChunk,
    BaseMessage,
    HumanMessage,
    ToolMessage,
)
from langchain_core.output_parsers import StrOutputParser
from langchain_core.outputs import ChatGeneration, Generation, LLMResult
from langchain_core.prompt_values import ChatPromptValue, StringPromptValue
from langchain_core.prompts import ChatPromptTemplate, PromptTemplate
from langchain_core.tracers.base import BaseTracer as TheirBaseTracer
from pydantic import Field, SecretStr

from callboard.tracing.capture import capture
from tests.unit.tracing.keeping import Keeping

# Of each class of message, what it can't be made without.
REQUIRED = {
    "ChatMessage": {"role": "critic"},
    "ChatMessageChunk": {"role": "critic"},
    "FunctionMessage": {"name": "f"},
    "FunctionMessageChunk": {"name": "f"},
    "ToolMessage": {"tool_call_id": "1"},
    "ToolMessageChunk": {"tool_call_id": "1"},
    "RemoveMessage": {"id": "1"},
}
BLOCKS = ["text", {"type": "image_url", "image_url": {"url": "data:image/png;base64,AA=="}}]
USAGE = {
    "input_tokens": 3,
    "output_tokens": 4,
    "total_tokens": 7,
    "input_token_details": {"cache_read": 2},
}


def message_classes():
    for name, member in inspect.getmembers(langchain_core.messages, inspect.isclass):
        if issubclass(member, BaseMessage) and not name.startswith("Base"):
            yield pytest.param(member, id=name)


def numbered(values):
    return [f"{number} {type(value).__name__}" for number, value in enumerate(values)]


def same(value):
    """Whether a value is captured as LangChain writes it, as JSON: tuples are lists there."""
    return json.loads(json.dumps(capture(value))) == dumpd(value)


@pytest.mark.parametrize("kind", list(message_classes()))
@pytest.mark.parametrize("content", ["", "hello", BLOCKS], ids=["empty", "text", "blocks"])
def test_a_message_of_each_class_is_captured_as_langchain_writes_it(kind, content):
    required = REQUIRED.get(kind.__name__, {})
    if kind.__name__ == "RemoveMessage":
        assert same(kind(**required))
        return
    assert same(kind(content=content, **required))
    assert same(kind(**{"content": content, "id": "7", "name": "her", **required}))
    full = kind(
        content=content, additional_kwargs={"a": [1]}, response_metadata={"b": {}}, **required
    )
    assert same(full)
    assert capture(full)["id"] == kind.lc_id()


OTHERS = [
    AIMessage("", tool_calls=[{"name": "f", "args": {"x": [1]}, "id": "1"}]),
    AIMessage("", invalid_tool_calls=[{"name": "f", "args": "{", "id": "1", "error": "no"}]),
    AIMessage("hi", usage_metadata=USAGE, response_metadata={"model_name": "m"}),
    AIMessageChunk("hi", tool_call_chunks=[{"name": "f", "args": "{", "id": "1", "index": 0}]),
    AIMessageChunk("hi", usage_metadata=USAGE) + AIMessageChunk("!"),
    ToolMessage("x", tool_call_id="1", status="error", artifact={"a": 1}),
    HumanMessage("hi", example=True),
    HumanMessage("hi", unknown="field"),
    Document("page"),
    Document("page", metadata={"source": {"a": [1]}}, id="1"),
    Generation(text=""),
    Generation(text="x", generation_info={"finish_reason": "stop"}),
    ChatGeneration(message=AIMessage("x")),
    outputs.GenerationChunk(text="x"),
    outputs.ChatGenerationChunk(message=AIMessageChunk("x")),
    StringPromptValue(text="x"),
    ChatPromptValue(messages=[HumanMessage("hi")]),
    PromptTemplate.from_template("tell of {topic}"),
    PromptTemplate.from_template("tell of {topic}", partial_variables={"topic": "it"}),
    ChatPromptTemplate.from_messages([("system", "be {kind}"), ("human", "hi")]),
    ChatPromptTemplate.from_messages([messages.SystemMessage("x"), ("placeholder", "{rest}")]),
    StrOutputParser(),
    PromptTemplate.from_template("{x}") | StrOutputParser(),
]


@pytest.mark.parametrize("value", OTHERS, ids=numbered(OTHERS))
def test_other_objects_are_captured_as_langchain_writes_them(value):
    assert same(value)
    assert same([value, {"again": value}])


def test_secrets_are_named_and_not_told():
    class Model(Serializable):
        key: SecretStr = SecretStr("")
        size: int = 1

        @property
        def lc_secrets(self):
            return {"key": "THE_KEY"}

        @classmethod
        def is_lc_serializable(cls):
            return True

    model = Model(key=SecretStr("hush"), size=2)
    assert same(model)
    assert "hush" not in str(capture(model))
    assert capture(model)["kwargs"]["key"] == {"lc": 1, "type": "secret", "id": ["THE_KEY"]}


def test_an_object_that_is_not_to_be_serialised_is_said_to_be_so():
    class Closed(Serializable):
        size: int = 1

    assert capture(Closed()) == dumpd(Closed())
    assert capture(Closed())["type"] == "not_implemented"


def test_fields_are_compared_with_their_defaults_for_each_object():
    class Options(Serializable):
        items: list[int] = Field([1])
        more: dict[str, int] = Field({})
        flag: bool = True
        number: int = 0

        @classmethod
        def is_lc_serializable(cls):
            return True

    for told in (
        {},
        {"items": []},
        {"items": [1]},
        {"flag": False},
        {"number": 0},
        {"more": {"a": 1}},
    ):
        assert same(Options(**told)), told


def test_a_field_that_has_no_truth_is_told():
    class Holds(Serializable):
        vector: Any = None

        @classmethod
        def is_lc_serializable(cls):
            return True

    assert capture(Holds(vector=np.array([0, 0])))["kwargs"] == {"vector": [0, 0]}
    assert capture(Holds())["kwargs"] == {}


class Theirs(TheirBaseTracer):
    def __init__(self, **options):
        super().__init__(**options)
        self.traces = []

    def _persist_run(self, run):
        self.traces.append(run)


RESULTS = [
    LLMResult(generations=[[Generation(text="x", generation_info={"a": 1})]], llm_output={"m": 1}),
    LLMResult(generations=[[ChatGeneration(message=AIMessage("x", usage_metadata=USAGE))]]),
    LLMResult(generations=[[Generation(text="x"), Generation(text="y")], []]),
]
ONE = UUID(int=1)


def llm(tracer, result):
    tracer.on_llm_start({"id": ["m"], "kwargs": {}}, ["hi"], run_id=ONE, tags=["t"], stop=None)
    tracer.on_llm_new_token("x", run_id=ONE)
    tracer.on_llm_end(result, run_id=ONE)


def chat_model(tracer, result):
    tracer.on_chat_model_start({"name": "m"}, [[HumanMessage("hi")]], run_id=ONE, metadata={"a": 1})
    tracer.on_llm_end(result, run_id=ONE)


def chain(tracer, result):
    tracer.on_chain_start({}, {"a": 1}, run_id=ONE, name="c", run_type="prompt")
    tracer.on_chain_end({"b": 2}, run_id=ONE)


def chain_of_text(tracer, result):
    tracer.on_chain_start({"name": "c"}, "text", run_id=ONE)
    tracer.on_chain_end(["text"], run_id=ONE, inputs={"whole": 1})


def tool(tracer, result):
    tracer.on_tool_start({"name": "t"}, "{'a': 1}", run_id=ONE, inputs={"a": 1})
    tracer.on_tool_end({"b": 2}, run_id=ONE)


def retriever(tracer, result):
    tracer.on_retriever_start({"name": "r"}, "who", run_id=ONE, name="r")
    tracer.on_retriever_end([Document("she")], run_id=ONE)


def _told(run):
    names = ["name", "run_type", "inputs", "outputs", "tags"]
    told = {name: getattr(run, name) for name in names}
    told["events"] = [(event["name"], event.get("kwargs")) for event in run.events]
    told["metadata"] = run.extra.get("metadata")
    # What a run has of messages is LangChain's object there as well as here, or its form.
    return json.loads(json.dumps(capture(told)))


@pytest.mark.parametrize("schema_format", ["original", "original+chat", "streaming_events"])
@pytest.mark.parametrize("program", [llm, chat_model, chain, chain_of_text, tool, retriever])
@pytest.mark.parametrize("result", RESULTS, ids=["text", "chat", "several"])
def test_runs_are_told_as_langchains_own_tracers_tell_them(program, schema_format, result):
    ours, theirs = Keeping(_schema_format=schema_format), Theirs(_schema_format=schema_format)
    if program is chat_model and schema_format == "original":
        for tracer in (ours, theirs):
            with pytest.raises(NotImplementedError):
                program(tracer, result)
        return
    program(ours, result)
    program(theirs, result)
    assert _told(ours.traces[0]) == _told(theirs.traces[0])
