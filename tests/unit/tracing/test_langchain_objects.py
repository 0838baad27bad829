"""LangChain's objects come as the LangSmith SDK sends them, and runs as its tracers tell them.

That is by their fields; in what a model is given and answers, in LangChain's serialised form.
"""

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
from langsmith._internal._serde import dumps_json
from pydantic import Field, SecretStr

from callboard import payloads
from callboard.tracing.capture import Serialised, capture
from callboard.wire.json import encode
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
    return json.loads(json.dumps(capture(Serialised(value)))) == dumpd(value)


def sent_alike(value):
    """Whether a value is captured as the LangSmith SDK sends it."""
    return json.loads(encode(capture(value))) == json.loads(dumps_json(value))


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
    assert capture(Serialised(full))["id"] == kind.lc_id()
    for value in (full, [full], {"messages": [full, full]}):
        assert sent_alike(value)


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


@pytest.mark.parametrize("value", OTHERS, ids=numbered(OTHERS))
def test_other_objects_are_captured_with_all_that_the_sdk_sends_of_them(value):
    # It tells of a field what that is declared to be: of a list of any messages, what they all
    # have. Here everything is told.
    ours, theirs = json.loads(encode(capture([value]))), json.loads(dumps_json([value]))
    assert has_all(ours, theirs)
    if isinstance(value, BaseMessage | Document | Generation) and not hasattr(value, "message"):
        assert ours == theirs


def has_all(one, other):
    """Whether a structure has all that another has."""
    if isinstance(other, dict):
        return all(name in one and has_all(one[name], other[name]) for name in other)
    if isinstance(other, list):
        return len(one) == len(other) and all(map(has_all, one, other))
    return one == other


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
    assert capture(model) == {"key": "**********", "size": 2}
    form = capture(Serialised(model))
    assert "hush" not in str(form)
    assert form["kwargs"]["key"] == {"lc": 1, "type": "secret", "id": ["THE_KEY"]}


def test_an_object_that_is_not_to_be_serialised_is_said_to_be_so():
    class Closed(Serializable):
        size: int = 1

    form = capture(Serialised(Closed()))
    assert form == dumpd(Closed())
    assert form["type"] == "not_implemented"
    assert capture(Closed()) == {"size": 1}


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

    form = capture(Serialised(Holds(vector=np.array([0, 0]))))
    assert form["kwargs"] == {"vector": [0, 0]}
    assert capture(Serialised(Holds()))["kwargs"] == {}
    assert capture(Holds(vector=np.array([0, 0]))) == {"vector": [0, 0]}


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
    return json.loads(json.dumps(capture(Serialised(told))))


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


OURS = [
    payloads.HumanMessage("hi", name="Ada", id="1"),
    payloads.SystemMessage("be brief"),
    payloads.AIMessage("", tool_calls=[{"name": "f", "args": {"x": 1}, "id": "1"}]),
    payloads.AIMessage("hi", usage_metadata=USAGE, response_metadata={"model_name": "m"}),
    payloads.AIMessage(BLOCKS, additional_kwargs={"a": [1]}),
    payloads.ToolMessage("42", tool_call_id="1", name="f"),
    payloads.ToolMessage("42", tool_call_id="1", status="error", artifact={"a": 1}),
    payloads.FunctionMessage("42", name="f"),
    payloads.ChatMessage("hm", role="critic"),
]


def told_of(message):
    """Return what a message of ours was made with, as LangChain's takes it."""
    told = {name: getattr(message, name) for name in message.__dataclass_fields__}
    return {name: value for name, value in told.items() if value not in (None, "", [], {})}


@pytest.mark.parametrize("ours", OURS, ids=numbered(OURS))
def test_a_message_of_ours_reads_as_langchains_of_that_name_does(ours):
    theirs = getattr(messages, type(ours).__name__)(**{"content": "", **told_of(ours)})
    if ours.type == "ai":  # LangChain says of each call that it is one.
        for call in theirs.tool_calls:
            del call["type"]
    assert capture(Serialised(ours)) == dumpd(theirs)
    plain = {name: value for name, value in capture(ours).items() if value is not None}
    assert plain == json.loads(dumps_json(theirs))


def test_a_message_of_a_class_of_ones_own_has_the_form_of_the_one_that_it_derives_from():
    class Polite(payloads.HumanMessage):
        pass

    assert capture(Serialised(Polite("please"))) == dumpd(HumanMessage("please"))
    assert "lc" not in capture(Serialised(payloads.Message("hi", "human")))
