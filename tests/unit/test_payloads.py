"""Payloads: plain classes, read by shape, and conversations as text."""

from types import SimpleNamespace

import pytest
from langchain_core import messages as lc
from langchain_core.messages import get_buffer_string

from callboard import payloads
from callboard.payloads import (
    AgentAction,
    AgentFinish,
    AIMessage,
    ChatGeneration,
    ChatMessage,
    Document,
    FunctionMessage,
    Generation,
    HumanMessage,
    LLMResult,
    Message,
    SystemMessage,
    ToolMessage,
    as_text,
    content_text,
    field,
)

CALLS = [{"name": "add", "args": {"a": 1}, "id": "1", "type": "tool_call"}]
BLOCKS = [{"type": "text", "text": "see "}, "this", {"type": "image_url", "image_url": "x"}]

LANGCHAIN = {
    "human": lc.HumanMessage("hi"),
    "ai": lc.AIMessage("hello"),
    "system": lc.SystemMessage("be nice"),
    "tool": lc.ToolMessage("4", tool_call_id="1"),
    "function": lc.FunctionMessage("4", name="add"),
    "role of its own": lc.ChatMessage("hm", role="critic"),
    "human chunk": lc.HumanMessageChunk("hi"),
    "ai chunk": lc.AIMessageChunk("hello"),
    "system chunk": lc.SystemMessageChunk("be nice"),
    "tool chunk": lc.ToolMessageChunk("4", tool_call_id="1"),
    "function chunk": lc.FunctionMessageChunk("4", name="add"),
    "chunk of a role of its own": lc.ChatMessageChunk("hm", role="critic"),
    "content blocks": lc.HumanMessage(BLOCKS),
    "no content": lc.AIMessage(""),
    "no content blocks": lc.AIMessage([]),
    "lines": lc.HumanMessage("one\ntwo"),
    "tool calls": lc.AIMessage("", tool_calls=CALLS),
    "text and tool calls": lc.AIMessage("let me see", tool_calls=CALLS),
    "function call": lc.AIMessage(
        "", additional_kwargs={"function_call": {"name": "add", "arguments": "{}"}}
    ),
    "both kinds of calls": lc.AIMessage(
        "", tool_calls=CALLS, additional_kwargs={"function_call": {"name": "other"}}
    ),
    "a call of a human": lc.HumanMessage("hi", additional_kwargs={"function_call": {"name": "x"}}),
}


@pytest.mark.parametrize("message", list(LANGCHAIN.values()), ids=list(LANGCHAIN))
def test_a_message_of_langchain_is_written_as_langchain_writes_it(message):
    assert as_text([message]) == get_buffer_string([message])


def test_a_conversation_of_langchain_is_written_as_langchain_writes_it():
    conversation = list(LANGCHAIN.values())
    assert as_text(conversation) == get_buffer_string(conversation)
    assert as_text([]) == get_buffer_string([]) == ""


@pytest.mark.parametrize(
    ("message", "text"),
    [
        (HumanMessage("hi"), "Human: hi"),
        (AIMessage("hello"), "AI: hello"),
        (SystemMessage("be nice"), "System: be nice"),
        (ToolMessage("4", tool_call_id="1"), "Tool: 4"),
        (FunctionMessage("4"), "Function: 4"),
        (ChatMessage("hm", role="critic"), "critic: hm"),
        (Message("hm", type="custom"), "custom: hm"),
        (AIMessage("", tool_calls=CALLS), f"AI: {CALLS}"),
        (HumanMessage(BLOCKS), "Human: see this"),
    ],
    ids=repr,
)
def test_our_own_messages_are_written_the_same_way(message, text):
    assert as_text([message]) == text


@pytest.mark.parametrize(
    ("role", "speaker"),
    [
        ("user", "Human"),
        ("human", "Human"),
        ("assistant", "AI"),
        ("ai", "AI"),
        ("system", "System"),
        ("developer", "System"),
        ("tool", "Tool"),
        ("function", "Function"),
        ("critic", "critic"),
    ],
)
def test_messages_in_the_providers_form_are_written_the_same_way(role, speaker):
    forms = [
        {"role": role, "content": "text"},
        {"type": role, "content": "text"},
        (role, "text"),
        SimpleNamespace(role=role, content="text"),
    ]
    for form in forms:
        assert as_text([form]) == f"{speaker}: text"


def test_content_that_is_none_is_no_text():
    assert as_text([{"role": "assistant", "content": None, "tool_calls": CALLS}]) == f"AI: {CALLS}"


@pytest.mark.parametrize("message", [42, None, {}, {"content": "whose?"}, "just text", ("a",)])
def test_a_message_of_unknown_shape_is_written_as_it_prints(message):
    assert as_text([message]) == str(message)


def test_a_message_that_cannot_be_read_is_written_as_the_object_that_it_is():
    class Unreadable:
        @property
        def type(self):
            raise LookupError

        __str__ = None

    assert as_text([HumanMessage("hi"), Unreadable()]).startswith("Human: hi\n<")


# --- Reading by shape -------------------------------------------------------------------------


@pytest.mark.parametrize("payload", [{"a": 1}, SimpleNamespace(a=1)])
def test_a_field_is_an_attribute_or_a_key(payload):
    assert field(payload, "a") == 1
    assert field(payload, "b") is None
    assert field(payload, "b", "default") == "default"


def test_nothing_has_no_fields():
    assert field(None, "a", "default") == "default"


def test_a_mappings_keys_come_before_its_methods():
    assert field({"items": 1}, "items") == 1
    assert field({}, "items") is None


@pytest.mark.parametrize(
    ("content", "text"),
    [
        ("text", "text"),
        ("", ""),
        (["a", "b"], "ab"),
        (BLOCKS, "see this"),
        ([{"type": "text", "text": None}], ""),
        ([SimpleNamespace(type="text", text="object")], "object"),
        ([], ""),
        (42, "42"),
    ],
)
def test_the_text_of_content_leaves_other_blocks_out(content, text):
    assert content_text(content) == text


# --- The classes --------------------------------------------------------------------------------


def test_a_chat_generations_text_is_its_messages():
    assert ChatGeneration(AIMessage(BLOCKS)).text == "see this"
    assert Generation("text").text == "text"


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        (HumanMessage, lc.HumanMessage),
        (AIMessage, lc.AIMessage),
        (SystemMessage, lc.SystemMessage),
        (FunctionMessage, lc.FunctionMessage),
    ],
)
def test_messages_have_the_types_and_defaults_of_langchains(ours, theirs):
    mine = ours("text")
    other = theirs("text", name="n") if ours is FunctionMessage else theirs("text")
    assert mine.type == other.type
    for name in ("content", "id", "additional_kwargs", "response_metadata"):
        assert getattr(mine, name) == getattr(other, name)


def test_payloads_are_plain_data():
    assert Document("text") == Document("text", {})
    assert AgentAction("t", "in") == AgentAction("t", "in", "")
    assert AgentFinish({"a": 1}).log == ""
    assert LLMResult([]).llm_output is None
    assert HumanMessage("a") != AIMessage("a")


def test_defaults_are_not_shared():
    one, two = AIMessage("a"), AIMessage("a")
    one.tool_calls.append({})
    one.response_metadata["x"] = 1
    assert (two.tool_calls, two.response_metadata) == ([], {})
    document = Document("a")
    document.metadata["x"] = 1
    assert Document("b").metadata == {}


def test_an_attribute_that_does_not_exist_is_refused():
    with pytest.raises(AttributeError):
        HumanMessage("a").contents = "typo"


def test_everything_it_offers_is_there():
    assert all(hasattr(payloads, name) for name in payloads.__all__)


def test_a_serialised_message_is_written_as_the_message_it_is():
    serialised = {"lc": 1, "type": "constructor", "kwargs": {"type": "human", "content": "hi"}}

    assert as_text([serialised]) == "Human: hi"
