"""Content off: structure, names, models and tokens stay; what was said does not."""

import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from callboard.payloads import AIMessage, HumanMessage, ToolMessage
from callboard.redaction import Redaction
from callboard.tracing.capture import capture
from callboard.wire import json
from callboard.wire.operations import Attachment, Operation
from tests.unit.redaction.making import RUN, inputs_of

OFF = Redaction(content=False)


def apply(**parts):
    return Redaction(content=False).apply(
        Operation("update", RUN, {"name": "agent", "tags": ["t"]}, parts)
    )


@pytest.mark.parametrize(
    ("value", "told"),
    [
        ("secret", "<redacted str 6>"),
        (b"secret", "<redacted bytes 6>"),
        (42, "<redacted int>"),
        (1.5, "<redacted float>"),
        (True, "<redacted bool>"),
        (None, None),
        ([1.5] * 1536, "<redacted list 1536>"),
        (["a", ["bc"]], ["<redacted str 1>", ["<redacted str 2>"]]),
        ({"two words": "b"}, {"<redacted key 0>": "<redacted str 1>"}),
        ({"name": "Ada", "id": "7"}, {"name": "<redacted str 3>", "id": "<redacted str 1>"}),
        ({"lc": "Ada", "id": ["Ada"]}, {"lc": "<redacted str 3>", "id": ["<redacted str 3>"]}),
        ({"usage": {"by Ada": 1}}, {"usage": {"<redacted key 0>": 1}}),
        ({"type": "a human being"}, {"type": "<redacted str 13>"}),
    ],
)  # fmt: skip
def test_a_value_is_told_by_its_type_and_size(value, told):
    assert inputs_of(OFF, {"value": value}) == {"value": told}
    assert inputs_of(OFF, {"value": told}) == {"value": told}


def test_roles_and_tools_of_messages_are_kept():
    call = {"name": "search", "args": {"query": "secret"}, "id": "call_1", "type": "tool_call"}
    about = {"model_name": "m-1", "logprobs": "secret"}
    messages = capture([
        HumanMessage("secret"),
        AIMessage("secret", tool_calls=[call], response_metadata=about),
        ToolMessage("secret", tool_call_id="call_1", name="search"),
    ])  # fmt: skip
    told = inputs_of(OFF, {"messages": [messages]})
    assert "secret" not in str(told)
    human, ai, tool = told["messages"][0]
    assert human["type"] == "human"
    assert human["content"] == "<redacted str 6>"
    assert ai["tool_calls"] == [
        {
            "name": "search",
            "args": {"query": "<redacted str 6>"},
            "id": "call_1",
            "type": "tool_call",
        }
    ]
    assert ai["response_metadata"] == {"model_name": "m-1", "logprobs": "<redacted str 6>"}
    assert (tool["type"], tool["name"], tool["tool_call_id"]) == ("tool", "search", "call_1")


def test_messages_of_openai_and_their_tools_are_known():
    definition = {"name": "search", "description": "secret", "parameters": {"type": "object"}}
    call = {"name": "search", "arguments": "secret"}
    image = {"type": "image_url", "image_url": {"url": "secret"}}
    tools = [{"type": "function", "function": definition}]
    message = {
        "role": "assistant",
        "content": [{"type": "text", "text": "secret"}, image],
        "tool_calls": [{"id": "call_1", "type": "function", "function": call}],
    }  # fmt: skip
    told = inputs_of(OFF, {"messages": [message], "tools": tools})
    assert "secret" not in str(told)
    assert told["messages"][0]["role"] == "assistant"
    assert [block["type"] for block in told["messages"][0]["content"]] == ["text", "image_url"]
    assert told["messages"][0]["tool_calls"][0]["function"]["name"] == "search"
    assert told["tools"][0]["function"]["name"] == "search"


def test_models_and_tokens_are_kept():
    usage = {"input_tokens": 3, "output_tokens": 5, "input_token_details": {"cache_read": 1}}
    told = apply(
        outputs={
            "generations": [[{"text": "secret", "generation_info": {"finish_reason": "stop"}}]],
            "llm_output": {"model_name": "m-1", "token_usage": usage, "note": "secret"},
        },
        extra={
            "metadata": {"usage_metadata": usage, "ls_provider": "p", "thread_id": "t-1"},
            "invocation_params": {"model": "m-1", "temperature": 0.5, "stop": ["secret"]},
            "user": "secret",
            "runtime": {"sdk": "callboard-py"},
            "tool_call_count": 2,
        },
    )  # fmt: skip
    assert "secret" not in str(told.parts)
    outputs, extra = told.parts["outputs"], told.parts["extra"]
    assert outputs["generations"][0][0]["generation_info"] == {"finish_reason": "stop"}
    assert outputs["llm_output"]["model_name"] == "m-1"
    assert outputs["llm_output"]["token_usage"] == usage
    assert extra["metadata"]["usage_metadata"] == usage
    assert extra["metadata"]["ls_provider"] == "p"
    assert extra["metadata"]["thread_id"] == "t-1"
    assert extra["invocation_params"]["model"] == "m-1"
    assert extra["invocation_params"]["temperature"] == 0.5
    assert extra["runtime"] == {"sdk": "callboard-py"}
    assert extra["tool_call_count"] == 2
    assert extra["metadata"]["callboard.redacted"] == {"content": 1}


def test_names_tags_and_times_are_kept_and_tokens_are_not():
    events = [{"name": "new_token", "time": "now", "kwargs": {"token": "secret"}}]
    told = apply(events=events)
    assert (told.head["name"], told.head["tags"]) == ("agent", ["t"])
    expected = {"name": "new_token", "time": "now", "kwargs": {"token": "<redacted str 6>"}}
    assert told.parts["events"] == [expected]


@pytest.mark.parametrize(
    ("error", "told"),
    [
        ("ValueError('secret')Traceback", "ValueError: <redacted str 29>"),
        ("openai.RateLimitError('secret')", "openai.RateLimitError: <redacted str 31>"),
        ("TimeoutError: secret", "TimeoutError: <redacted str 20>"),
        ("secret: it is", "<redacted str 13>"),
        ("it was (a secret)", "<redacted str 17>"),
    ],
)
def test_of_an_error_its_type_is_kept(error, told):
    assert apply(error=error).parts["error"] == told
    assert apply(error=told).parts["error"] == told


def test_errors_may_be_kept_whole():
    redaction = Redaction("emails", content=False, error_messages=True)
    told = redaction.apply(Operation("update", RUN, {}, {"error": "ValueError('a@b.cd')"}))
    assert told.parts["error"] == "ValueError('<email>')"


def test_attachments_are_left_out_and_counted():
    files = {"photo": Attachment("image/png", b"x")}
    told = Redaction(content=False).apply(Operation("create", RUN, {}, {}, files))
    assert told.attachments == {}
    assert told.parts["extra"]["metadata"]["callboard.redacted"] == {"attachments": 1}


words = st.text(string.ascii_lowercase, min_size=1, max_size=4)
leaves = st.just("SECRET") | st.just(b"SECRET") | st.integers() | st.none() | st.floats()
keys = words | st.sampled_from(
    ["role", "type", "name", "id", "content", "usage", "args", "metadata", "llm_output", "model"]
)
values = st.recursive(
    leaves, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(keys, inner, max_size=4)
)


@given(st.dictionaries(keys, values, max_size=4))
def test_twice_is_the_same_as_once(inputs):
    once = inputs_of(OFF, inputs)
    assert json.encode(inputs_of(OFF, once)) == json.encode(once)


unnamed = st.recursive(
    leaves,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["role", "type", "content", "args", "usage"]), inner)
    ),
)


@given(st.dictionaries(words, unnamed, max_size=4))
def test_what_was_said_is_nowhere(inputs):
    assert "SECRET" not in str(inputs_of(OFF, inputs))
