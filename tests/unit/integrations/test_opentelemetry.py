"""Runs as spans and metrics, read back from OpenTelemetry's own exporters."""

import asyncio
import contextvars
import json
from concurrent.futures import ThreadPoolExecutor

import pytest

pytest.importorskip("opentelemetry.sdk", reason="opentelemetry-sdk is not installed")

from opentelemetry import trace
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.semconv._incubating.attributes import gen_ai_attributes
from opentelemetry.semconv._incubating.metrics import gen_ai_metrics
from opentelemetry.trace import SpanKind, StatusCode

from callboard.callbacks import AsyncCallbackManager
from callboard.clock import clock_from
from callboard.environment import reload_environment
from callboard.errors import BadOptionError
from callboard.integrations import OpenTelemetryCallbackHandler
from callboard.testing import StepClock
from tests.unit.integrations.scenes import CALL, PRICES, answer, ask, manager_of, serve


class Backend:
    """OpenTelemetry's SDK with exporters that keep what they are given."""

    def __init__(self):
        self.spans = InMemorySpanExporter()
        self.provider = TracerProvider(shutdown_on_exit=False)
        self.provider.add_span_processor(SimpleSpanProcessor(self.spans))
        self.reader = InMemoryMetricReader()
        self.meters = MeterProvider([self.reader], shutdown_on_exit=False)
        self.tracer = self.provider.get_tracer("another instrumentation")

    def handler(self, **options):
        return OpenTelemetryCallbackHandler(
            tracer_provider=self.provider, meter_provider=self.meters, **options
        )

    def named(self, name):
        [span] = [each for each in self.spans.get_finished_spans() if each.name == name]
        return span

    def tree(self):
        """The spans as an indented tree."""
        spans = self.spans.get_finished_spans()

        def lines(parent, depth):
            for span in sorted(spans, key=lambda each: each.start_time):
                if (span.parent.span_id if span.parent else None) == parent:
                    yield "  " * depth + span.name
                    yield from lines(span.context.span_id, depth + 1)

        return list(lines(None, 0))

    def metrics(self):
        """Name of metric to its points, as attributes and value."""
        told = {}
        data = self.reader.get_metrics_data()
        for resource in data.resource_metrics if data else ():
            for scope in resource.scope_metrics:
                for metric in scope.metrics:
                    told[metric.name] = metric
        return told


@pytest.fixture
def backend():
    return Backend()


def constants(module):
    return {value for name, value in vars(module).items() if name.startswith("GEN_AI")}


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
    told = dict(backend.named("chat gpt-5").attributes)
    assert told == {
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
    assert json.loads(told["gen_ai.tool.definitions"]) == [{"name": "search"}]
    tool = backend.named("execute_tool search").attributes
    assert json.loads(tool["gen_ai.tool.call.arguments"]) == {"query": "tea"}
    assert tool["gen_ai.tool.call.id"] == "call-1"
    shelf = backend.named("retrieval shelf").attributes
    assert shelf["gen_ai.retrieval.query.text"] == "tea"
    assert "On tea" in shelf["gen_ai.retrieval.documents"]


@pytest.mark.parametrize(("said", "told"), [("SPAN_ONLY", True), ("NO_CONTENT", False)])
def test_the_standard_variable_asks_for_content(backend, monkeypatch, said, told):
    monkeypatch.setenv("OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT", said)
    reload_environment()
    serve(backend.handler())
    assert ("gen_ai.input.messages" in backend.named("chat gpt-5").attributes) == told


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


# Metrics.


def test_metrics_have_the_names_and_units_of_the_conventions(backend):
    with clock_from(StepClock()):
        serve(backend.handler())
    told = backend.metrics()
    client = {name for name in told if name.startswith("gen_ai.client.")}
    assert client <= constants(gen_ai_metrics)
    assert set(told) - client == {
        "gen_ai.execute_tool.duration",
        "gen_ai.invoke_workflow.duration",
    }
    [duration] = told["gen_ai.client.operation.duration"].data.data_points
    assert told["gen_ai.client.operation.duration"].unit == "s"
    assert duration.sum == 2.0
    assert list(duration.explicit_bounds) == [0.01 * 2**power for power in range(14)]
    tokens = {
        point.attributes["gen_ai.token.type"]: point.sum
        for point in told["gen_ai.client.token.usage"].data.data_points
    }
    assert tokens == {"input": 100, "output": 20}
    [first] = told["gen_ai.client.operation.time_to_first_chunk"].data.data_points
    assert first.sum == 1.0
    [each] = told["gen_ai.client.operation.time_per_output_chunk"].data.data_points
    assert each.sum == 1.0
    [tool] = told["gen_ai.execute_tool.duration"].data.data_points
    assert dict(tool.attributes) == {"gen_ai.tool.name": "search", "error.type": "ValueError"}


def test_the_next_names_are_those_of_the_conventions_own_repository(backend, monkeypatch):
    monkeypatch.setenv("OTEL_SEMCONV_STABILITY_OPT_IN", "http, gen_ai_latest_experimental")
    reload_environment()
    serve(backend.handler())
    told = backend.metrics()
    assert "gen_ai.client.inference.duration" in told
    assert "gen_ai.client.token.usage" not in told
    counted = {
        name.removeprefix("gen_ai.client.inference.usage."): metric.data.data_points[0].value
        for name, metric in told.items()
        if name.startswith("gen_ai.client.inference.usage.")
    }
    assert counted == {
        "input_tokens": 100,
        "output_tokens": 20,
        "cache_read.input_tokens": 40,
        "cache_write.input_tokens": 10,
        "reasoning.output_tokens": 5,
    }
    attributes = backend.named("chat gpt-5").attributes
    assert attributes["gen_ai.usage.cache_write.input_tokens"] == 10
    assert "gen_ai.usage.cache_creation.input_tokens" not in attributes


def test_unknown_conventions_are_refused(backend):
    with pytest.raises(BadOptionError, match="'openllmetry'; accepted are genai"):
        backend.handler(conventions="openllmetry")


# OpenInference.


def test_openinference_tells_kinds_messages_documents_tokens_and_costs(backend):
    conventions = pytest.importorskip("openinference.semconv.trace")
    serve(backend.handler(conventions="openinference", prices=PRICES))
    spans = {span.name: dict(span.attributes) for span in backend.spans.get_finished_spans()}
    kinds = {name: told["openinference.span.kind"] for name, told in spans.items()}
    assert kinds == {
        "agent": "CHAIN",
        "shelf": "RETRIEVER",
        "ChatOpenAI": "LLM",
        "search": "TOOL",
    }
    assert set(kinds.values()) <= {each.value for each in conventions.OpenInferenceSpanKindValues}
    chat = spans["ChatOpenAI"]
    names = conventions.SpanAttributes
    assert chat[names.LLM_TOKEN_COUNT_PROMPT_DETAILS_CACHE_READ] == 40
    assert chat[names.LLM_TOKEN_COUNT_PROMPT_DETAILS_CACHE_WRITE] == 10
    assert chat[names.LLM_TOKEN_COUNT_COMPLETION_DETAILS_REASONING] == 5
    assert chat[names.LLM_COST_TOTAL] == 140.0
    assert chat[names.SESSION_ID] == "s-1"
    assert chat["llm.input_messages.1.message.role"] == "user"
    assert chat["llm.output_messages.0.message.content"] == "Tea."
    shelf = spans["shelf"]
    assert shelf["retrieval.documents.0.document.content"] == "On tea"
    assert shelf["retrieval.documents.0.document.score"] == 0.5
    assert spans["agent"][names.INPUT_VALUE] == "?"


def test_openinferences_names_are_its_packages_constants(backend):
    conventions = pytest.importorskip("openinference.semconv.trace")
    serve(backend.handler(conventions="openinference", prices=PRICES))
    known = {
        value
        for table in (
            conventions.SpanAttributes,
            conventions.MessageAttributes,
            conventions.DocumentAttributes,
            conventions.ToolCallAttributes,
        )
        for name, value in vars(table).items()
        if name.isupper()
    } | {"error.type"}

    def parts(name):
        """Take a name with numbers in it apart into the constants that it is made of."""
        part = ""
        for piece in name.split("."):
            if piece.isdigit():
                yield part
                part = ""
            else:
                part = f"{part}.{piece}".removeprefix(".")
        yield part

    for span in backend.spans.get_finished_spans():
        for name in span.attributes:
            assert set(parts(name)) <= known, name
