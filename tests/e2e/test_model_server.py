"""The example's model server, by what OpenAI's clients may ask of it."""

import json
import urllib.error
import urllib.request

import pytest

from examples.docs_agent.model_server import model_server


@pytest.fixture(scope="module")
def url():
    with model_server() as url:
        yield url


def posted(url, content):
    body = content if isinstance(content, bytes) else json.dumps(content).encode()
    return urllib.request.urlopen(urllib.request.Request(url, body), timeout=20)


def user(text):
    return {"role": "user", "content": text}


def tool(text):
    return {"role": "tool", "tool_call_id": "1", "content": text}


def completion(url, *messages):
    with posted(f"{url}/chat/completions", {"messages": messages}) as answer:
        return json.load(answer)


def test_a_question_is_answered_with_a_call_of_a_tool(url):
    [choice] = completion(url, user("What is a group?"))["choices"]
    assert choice["finish_reason"] == "tool_calls"
    [call] = choice["message"]["tool_calls"]
    assert call["function"]["name"] == "search_docs"
    assert json.loads(call["function"]["arguments"]) == {"question": "What is a group?"}


def test_events_that_are_named_are_looked_up_one_by_one(url):
    [choice] = completion(url, user("What of on_text and on_retry?"))["choices"]
    calls = [call["function"] for call in choice["message"]["tool_calls"]]
    assert [call["name"] for call in calls] == ["describe_event", "describe_event"]
    assert [json.loads(call["arguments"])["name"] for call in calls] == ["on_text", "on_retry"]


def test_a_question_that_follows_on_another_is_searched_for_with_it(url):
    [choice] = completion(url, user("How do tags work?"), user("And metadata?"))["choices"]
    [call] = choice["message"]["tool_calls"]
    assert "How do tags work? And metadata?" in call["function"]["arguments"]


def test_an_answer_is_sentences_of_what_the_tools_returned(url):
    returned = tool("Cats sleep. Dogs bark at night. It rains. Dogs eat.")
    told = completion(url, user("What do dogs do at night?"), returned)
    [choice] = told["choices"]
    assert choice["message"]["content"] == "Dogs bark at night. Dogs eat."
    assert choice["finish_reason"] == "stop"
    usage = told["usage"]
    assert usage["total_tokens"] == usage["prompt_tokens"] + usage["completion_tokens"]


def test_a_stream_has_the_same_text_token_by_token_and_the_usage_last(url):
    asked = {"messages": [user("Why?"), tool("Dogs bark at night.")], "stream": True}
    asked["stream_options"] = {"include_usage": True}
    with posted(f"{url}/chat/completions", asked) as answer:
        events = [line[6:] for line in answer.read().decode().splitlines() if line]
    assert events.pop() == "[DONE]"
    *chunks, last = [json.loads(event) for event in events]
    deltas = [chunk["choices"][0]["delta"] for chunk in chunks]
    assert [delta.get("content") for delta in deltas] == ["Dogs ", "bark ", "at ", "night.", None]
    assert (last["choices"], last["usage"]["prompt_tokens"]) == ([], 5)


@pytest.mark.parametrize(
    "body", [b"", b"{", b"[]", b"{}", b'{"messages": []}', b'{"messages": [{"role": "user"}, 1]}']
)
def test_what_is_no_request_is_refused_with_a_sentence(url, body):
    with pytest.raises(urllib.error.HTTPError) as caught:
        posted(f"{url}/chat/completions", body)
    assert caught.value.code == 400
    assert "is no chat completion request" in json.load(caught.value)["error"]["message"]


def test_other_addresses_are_refused(url):
    with pytest.raises(urllib.error.HTTPError) as caught:
        posted(f"{url}/embeddings", {})
    assert caught.value.code == 404
    caught.value.close()
