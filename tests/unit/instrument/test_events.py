"""What handlers hear of traced functions, and what tracers record, for each type of run."""

import pytest

from callboard.callbacks import UsageMetadataCallbackHandler
from callboard.instrument import get_current_run_tree, traceable
from callboard.instrument.kinds import RUN_TYPES
from callboard.langsmith.tracer import LangChainTracer
from callboard.payloads import Document
from callboard.testing import RecordingHandler
from tests.unit.instrument.keeping import Kept
from tests.unit.langsmith.sending import Recording

MESSAGES = [{"role": "user", "content": "Hi"}]
OPENAI = {
    "model": "gpt-x",
    "choices": [{"message": {"role": "assistant", "content": "Hello"}}],
    "usage": {
        "prompt_tokens": 10,
        "completion_tokens": 5,
        "total_tokens": 15,
        "prompt_tokens_details": {"cached_tokens": 4},
    },
}
USAGE = {
    "input_tokens": 10,
    "output_tokens": 5,
    "total_tokens": 15,
    "input_token_details": {"cache_read": 4},
}


@pytest.fixture
def heard():
    return RecordingHandler()


def told(heard, event):
    (found,) = [each for each in heard.heard if each.event == event]
    return found


@pytest.mark.parametrize("run_type", RUN_TYPES)
@pytest.mark.parametrize("schema_format", ["original", "original+chat"])
@pytest.mark.parametrize(
    ("arguments", "returned", "outputs"),
    [
        ({"query": "x", "k": 2}, ["a"], {"output": ["a"]}),
        ({"messages": MESSAGES}, {"role": "assistant"}, {"role": "assistant"}),
        ({"x": object}, None, {"output": None}),
        ({}, OPENAI, OPENAI),
    ],
)
def test_every_run_is_recorded_with_the_functions_own_inputs_and_outputs(
    run_type, schema_format, arguments, returned, outputs
):
    kept = Kept(schema_format)

    @traceable(run_type, callbacks=[kept], name="f")
    def function(**kwargs):
        return returned

    assert function(**arguments) is returned
    (run,) = kept.traces
    assert (run.inputs, run.outputs, run.error) == (arguments, outputs, None)
    assert run.run_type in (run_type, "chat_model")


@pytest.mark.parametrize("run_type", RUN_TYPES)
def test_every_run_that_fails_is_recorded_with_what_it_was_given(run_type, kept):
    @traceable(run_type=run_type, callbacks=[kept])
    def function(query):
        get_current_run_tree().add_outputs({"so far": 1})
        raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        function("x")
    (run,) = kept.traces
    assert (run.inputs, run.outputs) == ({"query": "x"}, {"so far": 1})
    assert "ValueError" in run.error


@pytest.mark.parametrize("run_type", ["prompt", "parser", "embedding"])
def test_what_has_no_events_of_its_own_is_heard_as_a_chain_with_its_type(heard, run_type):
    traceable(run_type, callbacks=[heard], name="f")(lambda x: x)(1)
    start = told(heard, "on_chain_start")
    assert start.args == ({"name": "f"}, {"x": 1})
    assert (start.kwargs["run_type"], start.kwargs["name"]) == (run_type, "f")
    assert told(heard, "on_chain_end").args == (1,)


def test_a_tool_is_heard_with_its_input_as_text_and_by_name(heard):
    @traceable("tool", callbacks=[heard])
    def search(query, limit=3):
        return {"found": query}

    search("Oslo")
    start = told(heard, "on_tool_start")
    assert start.args == ({"name": "search"}, "Oslo")
    assert start.kwargs["inputs"] == {"query": "Oslo", "limit": 3}
    assert told(heard, "on_tool_end").args == ({"found": "Oslo"},)


def test_a_retriever_is_heard_with_its_query_and_documents(heard):
    documents = [Document("Oslo is wet")]
    traceable("retriever", callbacks=[heard])(lambda question: documents)("Weather?")
    assert told(heard, "on_retriever_start").args[1] == "Weather?"
    assert told(heard, "on_retriever_end").args == (documents,)


def test_a_model_that_is_given_messages_is_heard_as_a_chat_model(heard):
    traceable("llm", callbacks=[heard])(lambda messages: "Hello")(MESSAGES)
    assert told(heard, "on_chat_model_start").args[1] == [MESSAGES]
    result = told(heard, "on_llm_end").args[0]
    assert result.generations[0][0].text == "Hello"


@pytest.mark.parametrize("messages", [[], "Hi", [1, 2], None, [["Hi"]]])
def test_a_model_that_is_given_anything_else_is_heard_as_a_text_model(heard, messages):
    traceable("llm", callbacks=[heard])(lambda messages: "Hello")(messages)
    (prompt,) = told(heard, "on_llm_start").args[1]
    assert isinstance(prompt, str)


@pytest.mark.parametrize(
    ("answer", "model", "usage"),
    [
        (OPENAI, "gpt-x", USAGE),
        (
            {"content": [{"type": "text", "text": "Hello"}], "model": "claude-x", "role": "a"}
            | {"usage": {"input_tokens": 3, "output_tokens": 2}},
            "claude-x",
            {"input_tokens": 3, "output_tokens": 2, "total_tokens": 5},
        ),
        (
            {"text": "Hello", "usage_metadata": {"input_tokens": 1, "total_tokens": 1}},
            None,
            {"input_tokens": 1, "total_tokens": 1},
        ),
    ],
)
def test_the_tokens_that_a_model_used_are_recorded_and_heard(kept, answer, model, usage):
    counter = UsageMetadataCallbackHandler()
    listener = RecordingHandler()
    function = traceable("llm", callbacks=[kept, counter, listener])(lambda prompt: answer)
    assert function("Hi") is answer
    assert kept.traces[0].metadata["usage_metadata"] == usage
    assert kept.traces[0].outputs == answer
    assert counter.usage_metadata == {model or "unknown": usage}
    assert told(listener, "on_llm_end").args[0].generations[0][0].text == "Hello"


def test_the_tokens_that_are_set_count_instead_of_those_that_are_found(kept):
    @traceable("llm", callbacks=[kept])
    def model(prompt):
        get_current_run_tree().set(usage_metadata={"input_tokens": 1})
        return OPENAI

    model("Hi")
    assert kept.traces[0].metadata["usage_metadata"] == {"input_tokens": 1}


def chunk(text, **more):
    return {"choices": [{"delta": {"content": text}}], **more}


def test_a_streaming_model_tells_each_token_before_it_is_yielded(heard):
    pieces = ["Hel", {"text": "lo"}, chunk(" you"), {"type": "ping"}]
    generator = traceable("llm", callbacks=[heard])(lambda prompt: (yield from pieces))("Hi")
    for number, piece in enumerate(pieces):
        assert next(generator) is piece
        assert heard.events.count("on_llm_new_token") == min(number + 1, 3)
    list(generator)
    tokens = [each for each in heard.heard if each.event == "on_llm_new_token"]
    assert [each.kwargs["token"] for each in tokens] == ["Hel", "lo", " you"]
    assert [each.kwargs["chunk"] for each in tokens] == [None, *pieces[1:3]]
    assert told(heard, "on_llm_end").args[0].generations[0][0].text == "Hello you"


async def test_a_streaming_model_in_async_code_does_too(heard):
    @traceable("llm", callbacks=[heard])
    async def model(prompt):
        for piece in ("a", "b"):
            yield piece

    async for _ in model("Hi"):
        assert heard.events[-1] == "on_llm_new_token"
    assert heard.events[-1] == "on_llm_end"


def test_the_tokens_of_a_stream_are_counted_once(kept):
    usage = {"prompt_tokens": 3, "completion_tokens": 2, "total_tokens": 5}

    @traceable("llm", callbacks=[kept])
    def model(prompt):
        yield chunk("a", usage={"prompt_tokens": 3, "completion_tokens": 1})
        yield chunk("b", usage=usage)

    list(model("Hi"))
    assert kept.traces[0].metadata["usage_metadata"] == {
        "input_tokens": 3,
        "output_tokens": 2,
        "total_tokens": 5,
    }


def test_an_answer_that_cannot_be_read_is_recorded_all_the_same(kept, caplog):
    class Odd:
        def __getattr__(self, name):
            raise RuntimeError("odd")

    odd = Odd()
    assert traceable("llm", callbacks=[kept])(lambda prompt: odd)("Hi") is odd
    assert kept.traces[0].outputs == {"output": odd}
    assert "can't be read" in caplog.text


def test_what_the_tracer_sends_is_what_the_function_was_given_and_returned():
    recording = Recording()
    tracer = LangChainTracer(destination=recording)
    given = {"words": ["why"]}

    @traceable("tool", callbacks=[tracer], tags=["t"])
    def ask(question):
        question["words"].append("not")
        return question

    ask(given)
    assert recording.of("ask").parts["inputs"] == {"question": {"words": ["why"]}}
    assert recording.of("ask", "update").parts["outputs"] == {"words": ["why", "not"]}
    assert recording.of("ask").head["run_type"] == "tool"
