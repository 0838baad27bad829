"""Runs as spans, read back from OpenTelemetry's own exporters."""

import asyncio
import contextvars
import json
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import pytest

pytest.importorskip("opentelemetry.sdk", reason="opentelemetry-sdk is not installed")

from opentelemetry import baggage, context, propagate, trace
from opentelemetry.sdk.trace import SpanProcessor
from opentelemetry.semconv._incubating.attributes import gen_ai_attributes
from opentelemetry.trace import SpanKind, StatusCode

import callboard
from callboard.callbacks import AsyncCallbackManager
from callboard.clock import clock_from
from callboard.errors import BadOptionError
from callboard.testing import StepClock
from tests.unit.integrations.otel_backend import Backend, constants
from tests.unit.integrations.scenes import CALL, answer, ask, manager_of, serve


@pytest.fixture
def backend():
    return Backend()


def test_an_application_is_told_as_a_tree_of_spans(backend):
    serve(backend.handler())
    assert backend.tree() == [
        "invoke_workflow agent",
        "  retrieval shelf",
        "  chat gpt-5",
        "  execute_tool search",
    ]
    assert backend.named("chat gpt-5").kind is SpanKind.CLIENT
    assert backend.named("execute_tool search").kind is SpanKind.INTERNAL


# Attributes of the conventions' own repository, which no package of constants has yet.
NEXT = {"gen_ai.request.reasoning.level", "gen_ai.usage.cache_write.input_tokens"}


def told(backend):
    """The names of all attributes of all spans."""
    return {name for span in backend.spans.get_finished_spans() for name in span.attributes}


def test_what_today_has_no_constant_for_is_told_by_the_next_names_only(backend):
    handler = backend.handler(conventions="genai-latest", content=True)
    serve(handler)
    ask(manager_of(handler), reasoning_effort="low", top_k=4.0)
    assert told(backend) - constants(gen_ai_attributes) - {"error.type"} == NEXT
    [level] = [
        span.attributes["gen_ai.request.reasoning.level"]
        for span in backend.spans.get_finished_spans()
        if "gen_ai.request.top_k" in span.attributes
    ]
    assert level == "low"


def test_top_k_is_a_number_of_the_kind_that_the_conventions_say(backend):
    for conventions, kind in (("genai", float), ("genai-latest", int)):
        backend.spans.clear()
        ask(manager_of(backend.handler(conventions=conventions)), top_k=4)
        assert type(backend.named("chat gpt-5").attributes["gen_ai.request.top_k"]) is kind


def test_parameters_that_only_the_metadata_tells_are_told(backend):
    ask(manager_of(backend.handler(), ls_temperature=0.25, ls_max_tokens=9, ls_stop=["."]))
    attributes = backend.named("chat gpt-5").attributes
    assert attributes["gen_ai.request.temperature"] == 0.25
    assert attributes["gen_ai.request.max_tokens"] == 9
    assert attributes["gen_ai.request.stop_sequences"] == (".",)


def test_the_model_that_answered_is_told_though_nothing_says_what_it_used(backend):
    ask(manager_of(backend.handler()), response=answer(usage=None))
    assert backend.named("chat gpt-5").attributes["gen_ai.response.model"] == "gpt-5-2025"


def test_the_scope_says_who_tells(backend):
    serve(backend.handler())
    scope = backend.named("chat gpt-5").instrumentation_scope
    assert (scope.name, scope.version) == ("callboard", callboard.__version__)
    assert scope.schema_url == "https://opentelemetry.io/schemas/1.41.0"


def test_names_and_values_are_those_of_the_conventions(backend):
    serve(backend.handler(content=True))
    known = constants(gen_ai_attributes) | {"error.type"}
    for span in backend.spans.get_finished_spans():
        assert set(span.attributes) <= known
        operation = span.attributes["gen_ai.operation.name"]
        assert operation in {each.value for each in gen_ai_attributes.GenAiOperationNameValues}
    provider = backend.named("chat gpt-5").attributes["gen_ai.provider.name"]
    assert provider in {each.value for each in gen_ai_attributes.GenAiProviderNameValues}


@pytest.mark.parametrize(
    ("theirs", "ours"),
    [
        ("azure", "azure.ai.openai"),
        ("google_genai", "gcp.gemini"),
        ("google_vertexai", "gcp.vertex_ai"),
        ("amazon_bedrock", "aws.bedrock"),
        ("mistralai", "mistral_ai"),
        ("xai", "x_ai"),
        ("anthropic", "anthropic"),
    ],
)
def test_providers_are_called_what_the_conventions_call_them(backend, theirs, ours):
    ask(manager_of(backend.handler(), ls_provider=theirs))
    assert backend.named("chat gpt-5").attributes["gen_ai.provider.name"] == ours
    assert ours in {each.value for each in gen_ai_attributes.GenAiProviderNameValues}


def test_a_call_tells_its_request_its_response_and_its_usage(backend):
    with clock_from(StepClock()):
        serve(backend.handler())
    attributes = dict(backend.named("chat gpt-5").attributes)
    assert attributes == {
        "gen_ai.operation.name": "chat",
        "gen_ai.conversation.id": "s-1",
        "gen_ai.provider.name": "openai",
        "gen_ai.request.model": "gpt-5",
        "gen_ai.request.temperature": 0.5,
        "gen_ai.request.max_tokens": 50,
        "gen_ai.request.seed": 7,
        "gen_ai.request.stop_sequences": ("END",),
        "gen_ai.request.stream": True,
        "gen_ai.response.model": "gpt-5-2025",
        "gen_ai.response.id": "resp-1",
        "gen_ai.response.finish_reasons": ("stop",),
        "gen_ai.response.time_to_first_chunk": 1.0,
        "gen_ai.usage.input_tokens": 100,
        "gen_ai.usage.output_tokens": 20,
        "gen_ai.usage.cache_read.input_tokens": 40,
        "gen_ai.usage.cache_creation.input_tokens": 10,
        "gen_ai.usage.reasoning.output_tokens": 5,
    }


def test_times_of_spans_are_those_of_the_runs(backend):
    with clock_from(StepClock()):
        ask(manager_of(backend.handler()))
    span = backend.named("chat gpt-5")
    assert (span.end_time - span.start_time) == 2 * 10**9


def test_content_is_told_only_where_it_is_asked_for(backend, monkeypatch):
    serve(backend.handler())
    backend.spans.clear()
    serve(backend.handler(content=True))
    told = backend.named("chat gpt-5").attributes
    assert json.loads(told["gen_ai.system_instructions"]) == [
        {"type": "text", "content": "Be brief."}
    ]
    assert json.loads(told["gen_ai.input.messages"]) == [
        {"role": "user", "parts": [{"type": "text", "content": "What is drunk here?"}]}
    ]
    assert json.loads(told["gen_ai.output.messages"]) == [
        {
            "role": "assistant",
            "parts": [{"type": "text", "content": "Tea."}],
            "finish_reason": "stop",
        }
    ]
    assert json.loads(told["gen_ai.tool.definitions"]) == [{"type": "function", "name": "search"}]
    tool = backend.named("execute_tool search").attributes
    assert json.loads(tool["gen_ai.tool.call.arguments"]) == {"query": "tea"}
    assert tool["gen_ai.tool.call.id"] == "call-1"
    shelf = backend.named("retrieval shelf").attributes
    assert shelf["gen_ai.retrieval.query.text"] == "tea"
    assert "On tea" in shelf["gen_ai.retrieval.documents"]


def test_tool_calls_are_parts_of_a_message(backend):
    ask(manager_of(backend.handler(content=True)), response=answer("", tool_calls=[CALL]))
    [message] = json.loads(backend.named("chat gpt-5").attributes["gen_ai.output.messages"])
    assert message["parts"] == [
        {"type": "tool_call", "id": "call-1", "name": "search", "arguments": {"query": "tea"}}
    ]


def test_an_error_is_the_spans_status_and_an_event(backend):
    serve(backend.handler())
    span = backend.named("execute_tool search")
    assert span.status.status_code is StatusCode.ERROR
    assert span.status.description == "no leaves"
    assert span.attributes["error.type"] == "ValueError"
    [event] = span.events
    assert event.attributes["exception.type"] == "ValueError"
    assert event.attributes["exception.message"] == "no leaves"


def test_custom_events_and_retries_are_events_of_the_span(backend):
    from callboard.callbacks import dispatch_custom_event

    handler = backend.handler(content=True)
    run = manager_of(handler).on_chain_start(None, {}, name="agent")
    run.on_retry({"attempt_number": 2})
    dispatch_custom_event("progress", {"done": 1}, config={"callbacks": run.get_child()})
    run.on_chain_end({})
    names = [event.name for event in backend.named("invoke_workflow agent").events]
    assert names == ["retry", "progress"]


def test_what_never_ends_is_told_as_unfinished(backend):
    handler = backend.handler()
    manager_of(handler).on_chain_start(None, {}, name="agent")
    handler.close()
    assert backend.named("invoke_workflow agent").attributes["callboard.unfinished"] is True


def test_an_agent_is_told_apart_from_other_chains(backend):
    run = manager_of(backend.handler(), lc_agent_name="desk").on_chain_start(None, {}, name="desk")
    step = run.get_child().on_chain_start(None, {}, name="step")
    step.on_chain_end({})
    run.on_chain_end({})
    assert backend.tree() == ["invoke_agent desk", "  step"]
    assert backend.named("invoke_agent desk").attributes["gen_ai.agent.name"] == "desk"


def test_a_child_that_starts_after_its_parents_end_is_still_under_it(backend):
    run = manager_of(backend.handler()).on_chain_start(None, {}, name="agent")
    inner = run.get_child()
    run.on_chain_end({})
    ask(inner)
    assert backend.tree() == ["invoke_workflow agent", "  chat gpt-5"]


# What is recorded by others inside of runs.


def request(backend, name="HTTP"):
    with backend.tracer.start_as_current_span(name):
        pass


def use_tool(backend, inner, name="search"):
    tool = inner.on_tool_start(None, "x", name=name)
    request(backend, f"HTTP of {name}")
    tool.on_tool_end("y")


def test_a_root_is_under_the_span_around_it_and_http_under_the_tool(backend):
    manager = manager_of(backend.handler())
    with backend.tracer.start_as_current_span("GET /chat"):
        root = manager.on_chain_start(None, {}, name="agent")
        use_tool(backend, root.get_child())
        ask(root.get_child())
        request(backend, "HTTP of agent")
        root.on_chain_end({})
        request(backend, "HTTP after")
    assert backend.tree() == [
        "GET /chat",
        "  invoke_workflow agent",
        "    execute_tool search",
        "      HTTP of search",
        "    chat gpt-5",
        "    HTTP of agent",
        "  HTTP after",
    ]
    assert not trace.get_current_span().get_span_context().is_valid


def test_http_in_threads_is_under_the_threads_own_tool(backend):
    root = manager_of(backend.handler()).on_chain_start(None, {}, name="agent")
    with ThreadPoolExecutor(4) as pool:
        done = [
            pool.submit(
                contextvars.copy_context().run, use_tool, backend, root.get_child(), f"tool {n}"
            )
            for n in range(8)
        ]
        for each in done:
            each.result()
    root.on_chain_end({})
    for n in range(8):
        parent = backend.named(f"HTTP of tool {n}").parent
        assert parent.span_id == backend.named(f"execute_tool tool {n}").context.span_id


async def test_http_in_tasks_is_under_the_tasks_own_tool(backend, caplog):
    manager = manager_of(backend.handler(), kind=AsyncCallbackManager)
    root = await manager.on_chain_start(None, {}, name="agent")
    inner = root.get_child()

    async def work(name):
        tool = await inner.on_tool_start(None, "x", name=name)
        await asyncio.sleep(0)
        request(backend, f"HTTP of {name}")
        await asyncio.sleep(0)
        await tool.on_tool_end("y")

    await asyncio.gather(*(work(f"tool {n}") for n in range(8)))
    request(backend, "HTTP of agent")
    await root.on_chain_end({})
    request(backend, "HTTP after")
    assert backend.named("HTTP after").parent is None
    for n in range(8):
        parent = backend.named(f"HTTP of tool {n}").parent
        assert parent.span_id == backend.named(f"execute_tool tool {n}").context.span_id
    agent = backend.named("invoke_workflow agent").context.span_id
    assert backend.named("HTTP of agent").parent.span_id == agent
    assert not trace.get_current_span().get_span_context().is_valid
    assert not caplog.records


async def test_a_stream_that_is_read_elsewhere_leaves_no_span_behind(backend, caplog):
    manager = manager_of(backend.handler(), kind=AsyncCallbackManager)

    async def stream():
        root = await manager.on_chain_start(None, {}, name="agent")
        [chat] = await root.get_child().on_chat_model_start(None, [[("user", "x")]], name="c")
        try:
            for token in ("a", "b"):
                await chat.on_llm_new_token(token)
                yield token
        finally:
            await chat.on_llm_end(answer())
            await root.on_chain_end({})

    generator = stream()
    assert await anext(generator) == "a"
    await asyncio.create_task(generator.aclose())
    request(backend, "HTTP after")
    assert backend.named("HTTP after").parent is None
    assert not caplog.records


def test_runs_may_end_in_another_order_than_they_start_in_reverse(backend):
    manager = manager_of(backend.handler())
    one = manager.on_chain_start(None, {}, name="one")
    two = manager.on_chain_start(None, {}, name="two")
    one.on_chain_end({})
    two.on_chain_end({})
    request(backend, "HTTP after")
    assert backend.named("HTTP after").parent is None


def test_being_the_current_span_can_be_turned_off(backend):
    run = manager_of(backend.handler(attach=False)).on_chain_start(None, {}, name="agent")
    request(backend)
    run.on_chain_end({})
    assert backend.named("HTTP").parent is None


def test_unknown_conventions_are_refused(backend):
    with pytest.raises(BadOptionError, match="'openllmetry'; accepted are genai"):
        backend.handler(conventions="openllmetry")


# What is carried from elsewhere, and on.

TRACE = "0af7651916cd43dd8448eb211c80319c"
HEADERS = {
    "traceparent": f"00-{TRACE}-b7ad6b7169203331-01",
    "tracestate": "vendor=1",
    "baggage": "tenant=tea-house",
}


@contextmanager
def request_from_elsewhere():
    token = context.attach(propagate.extract(HEADERS))
    yield
    context.detach(token)


def test_a_run_within_a_request_from_elsewhere_is_part_of_its_trace(backend):
    with request_from_elsewhere():
        serve(backend.handler())
    root = backend.named("invoke_workflow agent")
    assert root.parent.is_remote
    assert f"{root.parent.span_id:016x}" == "b7ad6b7169203331"
    for span in backend.spans.get_finished_spans():
        assert f"{span.context.trace_id:032x}" == TRACE


def test_a_request_that_a_tool_makes_carries_the_tools_span_and_the_baggage(backend):
    sent = {}
    with request_from_elsewhere():
        root = manager_of(backend.handler()).on_chain_start(None, {}, name="agent")
        tool = root.get_child().on_tool_start(None, "x", name="search")
        propagate.inject(sent)
        tool.on_tool_end("y")
        root.on_chain_end({})
    span = backend.named("execute_tool search").context
    assert sent["traceparent"] == f"00-{TRACE}-{span.span_id:016x}-01"
    assert sent["tracestate"] == HEADERS["tracestate"]
    assert sent["baggage"] == HEADERS["baggage"]


def test_a_processor_finds_the_baggage_at_the_start_of_every_span(backend):
    seen = []

    class Noting(SpanProcessor):
        def on_start(self, span, parent_context=None):
            seen.append((span.name, baggage.get_baggage("tenant", parent_context)))

    backend.provider.add_span_processor(Noting())
    with request_from_elsewhere():
        serve(backend.handler())
    assert dict(seen) == dict.fromkeys(
        ["invoke_workflow agent", "retrieval shelf", "chat gpt-5", "execute_tool search"],
        "tea-house",
    )


def test_a_trace_that_is_not_sampled_elsewhere_is_not_sampled_here(backend):
    token = context.attach(propagate.extract({"traceparent": f"00-{TRACE}-b7ad6b7169203331-00"}))
    serve(backend.handler(content=True))
    context.detach(token)
    assert backend.spans.get_finished_spans() == ()
    assert "gen_ai.client.operation.duration" in backend.metrics()


def test_what_turns_instrumentation_off_turns_this_off(backend):
    handler = backend.handler()
    root = manager_of(handler).on_chain_start(None, {}, name="agent")
    token = context.attach(context.set_value("suppress_instrumentation", value=True))
    ask(root.get_child())
    context.detach(token)
    use_tool(backend, root.get_child())
    root.on_chain_end({})
    assert backend.tree() == [
        "invoke_workflow agent",
        "  execute_tool search",
        "    HTTP of search",
    ]
