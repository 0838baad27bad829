"""Where content goes: to spans, to events or nowhere, as OpenTelemetry's own variables say."""

import json

import pytest

pytest.importorskip("opentelemetry.sdk", reason="opentelemetry-sdk is not installed")

from opentelemetry._logs import SeverityNumber
from opentelemetry.semconv._incubating.attributes import gen_ai_attributes

from callboard.callbacks import dispatch_custom_event
from callboard.clock import clock_from
from callboard.environment import reload_environment
from callboard.errors import BadOptionError
from callboard.payloads import HumanMessage
from callboard.redaction import Redaction
from callboard.testing import StepClock
from tests.unit.integrations.otel_backend import Backend, constants
from tests.unit.integrations.scenes import answer, ask, manager_of, serve

CAPTURE = "OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT"
EMIT = "OTEL_INSTRUMENTATION_GENAI_EMIT_EVENT"
MESSAGES = "gen_ai.input.messages"


@pytest.fixture
def backend():
    return Backend()


@pytest.fixture
def environment(monkeypatch):
    def say(**values):
        for name, value in values.items():
            monkeypatch.setenv(name, value)
        reload_environment()

    return say


def places(backend):
    """Whether content is in the span, in the event; None for one that there is not."""
    span = MESSAGES in backend.named("chat gpt-5").attributes
    events = [MESSAGES in each.attributes for each in backend.events()]
    return span, events[0] if events else None


PLACES = [
    ("NO_CONTENT", (False, None)),
    ("SPAN_ONLY", (True, None)),
    ("EVENT_ONLY", (False, True)),
    ("SPAN_AND_EVENT", (True, True)),
    ("span_and_event", (True, True)),
    # As instrumentations took it before.
    ("true", (True, None)),
    ("false", (False, None)),
    ("", (False, None)),
]


@pytest.mark.parametrize(("said", "expected"), PLACES)
def test_the_standard_variable_says_where_content_goes(backend, environment, said, expected):
    environment(**{CAPTURE: said})
    serve(backend.handler())
    assert places(backend) == expected


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        (True, (True, None)),
        (False, (False, None)),
        ("event_only", (False, True)),
        ("span_and_event", (True, True)),
        ("no_content", (False, None)),
    ],
)
def test_an_argument_says_more_than_the_environment(backend, environment, asked, expected):
    environment(**{CAPTURE: "SPAN_ONLY" if asked is not True else "NO_CONTENT"})
    serve(backend.handler(content=asked))
    assert places(backend) == expected


@pytest.mark.parametrize(
    ("content", "emit", "expected"),
    [("NO_CONTENT", "true", (False, False)), ("SPAN_AND_EVENT", "false", (True, None))],
)
def test_events_are_turned_on_and_off_for_themselves(backend, environment, content, emit, expected):
    environment(**{CAPTURE: content, EMIT: emit})
    serve(backend.handler())
    assert places(backend) == expected


def test_a_place_that_is_none_is_refused_or_if_the_environment_says_it_logged(
    backend, environment, caplog
):
    with pytest.raises(BadOptionError, match="go to 'spans'; accepted are True, False, no_content"):
        backend.handler(content="spans")
    environment(**{CAPTURE: "EVERYWHERE"})
    serve(backend.handler())
    assert places(backend) == (False, None)
    [warning] = caplog.messages
    assert warning.startswith(f"{CAPTURE}: Content can't go to 'EVERYWHERE'; accepted are")


def test_an_event_tells_all_that_the_span_tells_and_content_as_data(backend):
    with clock_from(StepClock()):
        serve(backend.handler(content="span_and_event"))
    [event] = backend.events()
    span = backend.named("chat gpt-5")
    assert event.event_name == "gen_ai.client.inference.operation.details"
    assert event.severity_number is SeverityNumber.DEBUG
    assert (event.trace_id, event.span_id) == (span.context.trace_id, span.context.span_id)
    assert event.timestamp == span.end_time
    attributes = dict(event.attributes)
    assert set(attributes) == set(span.attributes)
    assert set(attributes) <= constants(gen_ai_attributes)
    assert json.loads(json.dumps(attributes[MESSAGES])) == json.loads(span.attributes[MESSAGES])
    assert attributes["gen_ai.usage.input_tokens"] == 100


def test_an_event_of_a_call_that_failed_tells_why(backend):
    [run] = manager_of(backend.handler(content="event_only")).on_chat_model_start(
        None, [[("user", "x")]], name="c"
    )
    run.on_llm_error(TimeoutError("slow"))
    [event] = backend.events()
    assert event.attributes["error.type"] == "TimeoutError"
    assert "gen_ai.output.messages" not in event.attributes


def test_an_event_is_emitted_though_the_span_is_not_sampled(backend):
    from opentelemetry.sdk.trace import sampling

    backend.provider.sampler = sampling.ALWAYS_OFF
    ask(manager_of(backend.handler(content="event_only")))
    assert backend.spans.get_finished_spans() == ()
    [event] = backend.events()
    assert MESSAGES in event.attributes


def test_what_is_redacted_is_in_no_event(backend):
    handler = backend.handler(content="span_and_event", redaction=Redaction("emails"))
    ask(manager_of(handler), "to ada@example.com", response=answer("to ada@example.com"))
    [event] = backend.events()
    assert "ada@example.com" not in str(dict(event.attributes))


def test_the_next_messages_do_not_say_why_they_ended_for_the_response_does(backend):
    ask(manager_of(backend.handler(conventions="genai-latest", content="span_and_event")))
    [event] = backend.events()
    [message] = event.attributes["gen_ai.output.messages"]
    assert set(message) == {"role", "parts"}
    assert event.attributes["gen_ai.response.finish_reasons"] == ("stop",)


PICTURE = {"type": "blob", "mime_type": "image/png", "modality": "image", "content": "AAAA"}
LINK = {"type": "uri", "modality": "image", "uri": "https://tea.example/cup.png"}


@pytest.mark.parametrize(
    ("block", "part"),
    [
        ({"type": "image_url", "image_url": {"url": "data:image/png;base64,AAAA"}}, PICTURE),
        ({"type": "image_url", "image_url": "https://tea.example/cup.png"}, LINK),
        ({"type": "image_url", "image_url": {"url": "https://tea.example/cup.png"}}, LINK),
        ({"type": "input_image", "image_url": "https://tea.example/cup.png"}, LINK),
        ({"type": "image", "base64": "AAAA", "mime_type": "image/png"}, PICTURE),
        (
            {"type": "image", "source_type": "base64", "data": "AAAA", "mime_type": "image/png"},
            PICTURE,
        ),
        (
            {
                "type": "image",
                "source": {"type": "base64", "media_type": "image/png", "data": "AAAA"},
            },
            PICTURE,
        ),
        (
            {"type": "input_audio", "input_audio": {"data": "AAAA", "format": "wav"}},
            {"type": "blob", "modality": "audio", "content": "AAAA"},
        ),
        (
            {"type": "file", "file_id": "file-1"},
            {"type": "file", "modality": "document", "file_id": "file-1"},
        ),
        (
            {"type": "thinking", "thinking": "Tea?", "signature": "x"},
            {"type": "reasoning", "content": "Tea?"},
        ),
        (
            {"type": "reasoning", "summary": [{"type": "summary_text", "text": "Tea?"}]},
            {"type": "reasoning", "content": "Tea?"},
        ),
        ({"type": "image", "shape": "new"}, {"type": "image", "shape": "new"}),
        ({"type": "web_search_call", "id": "ws-1"}, {"type": "web_search_call", "id": "ws-1"}),
        ({"type": "tool_use", "name": "search", "input": {}}, None),
    ],
)
def test_what_is_no_text_is_told_in_one_form_whatever_the_providers_is(backend, block, part):
    content = [block, {"type": "text", "text": "What is in the cup?"}]
    manager = manager_of(backend.handler(content=True))
    [run] = manager.on_chat_model_start(None, [[HumanMessage(content)]], name="c")
    run.on_llm_end(answer())
    [message] = json.loads(backend.named("chat gpt-5").attributes[MESSAGES])
    text = {"type": "text", "content": "What is in the cup?"}
    assert message["parts"] == ([text] if part is None else [part, text])


SCHEMA = {"type": "object", "properties": {"query": {"type": "string"}}}
SEARCH = {
    "type": "function",
    "name": "search",
    "description": "Find something.",
    "parameters": SCHEMA,
}


@pytest.mark.parametrize(
    "tool",
    [
        SEARCH,
        {
            "type": "function",
            "function": {
                "name": "search",
                "description": "Find something.",
                "parameters": SCHEMA,
            },
        },
        {"name": "search", "description": "Find something.", "input_schema": SCHEMA},
    ],
    ids=["the conventions", "OpenAI", "Anthropic"],
)
def test_tools_are_told_in_one_form_whatever_the_providers_is(backend, tool):
    ask(manager_of(backend.handler(content=True)), tools=[tool, {"type": "web_search"}])
    told = json.loads(backend.named("chat gpt-5").attributes["gen_ai.tool.definitions"])
    assert told == [SEARCH, {"type": "web_search"}]


def test_documents_are_told_with_their_scores(backend):
    serve(backend.handler(content=True))
    told = json.loads(backend.named("retrieval shelf").attributes["gen_ai.retrieval.documents"])
    assert told == [{"id": "d-1", "score": 0.5, "content": "On tea", "metadata": {"score": 0.5}}]


def test_openinference_has_no_events_and_tells_content_unless_asked_not_to(backend, environment):
    environment(**{CAPTURE: "SPAN_AND_EVENT", EMIT: "true"})
    ask(manager_of(backend.handler(conventions="openinference")))
    assert "input.value" in backend.named("ChatOpenAI").attributes
    assert backend.events() == []
    backend.spans.clear()
    environment(**{CAPTURE: "EVENT_ONLY"})
    ask(manager_of(backend.handler(conventions="openinference")))
    assert "input.value" not in backend.named("ChatOpenAI").attributes


@pytest.mark.parametrize(
    ("content", "progress", "retry"),
    [
        (True, {"done": "tea"}, {"attempt": 2, "outcome": "N/A"}),
        (False, None, {"attempt": 2, "outcome": "N/A"}),
        ("event_only", None, None),
    ],
)
def test_what_custom_events_carry_is_on_spans_only_where_content_is(
    backend, content, progress, retry
):
    run = manager_of(backend.handler(content=content)).on_chain_start(None, {}, name="agent")
    run.on_retry({"attempt_number": 2})
    dispatch_custom_event("progress", {"done": "tea"}, config={"callbacks": run.get_child()})
    run.on_chain_end({})
    told = {
        event.name: json.loads(event.attributes.get("callboard.data", "null"))
        for event in backend.named("invoke_workflow agent").events
    }
    if retry:
        retry = {"slept": None, **retry}
    assert told == {"retry": retry, "progress": progress}


def test_a_span_ends_though_what_it_is_to_tell_cant_be_read(backend, monkeypatch, caplog):
    handler = backend.handler(content=True)
    monkeypatch.setattr(handler._convention, "content", lambda _: 1 / 0)
    ask(manager_of(handler))
    assert backend.named("chat gpt-5").end_time is not None
    assert "gen_ai.client.operation.duration" in backend.metrics()
    assert "ZeroDivisionError" in caplog.text
