"""Integrations on LangChain as it is: its own managers, messages and models."""

import io
import json

import pytest

pytest.importorskip("opentelemetry.sdk", reason="opentelemetry-sdk is not installed")

from langchain_core.language_models import GenericFakeChatModel
from langchain_core.messages import AIMessage, HumanMessage, SystemMessage
from langchain_core.runnables import RunnableLambda, RunnableParallel
from langchain_core.tools import tool
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from callboard.integrations import (
    CostCallbackHandler,
    JsonLinesCallbackHandler,
    OpenTelemetryCallbackHandler,
)
from tests.contract.integrations.platforms import PRICES


class Application:
    """Two tools at once, each with a request in it, then a model."""

    def __init__(self):
        self.spans = InMemorySpanExporter()
        provider = TracerProvider(shutdown_on_exit=False)
        provider.add_span_processor(SimpleSpanProcessor(self.spans))
        http = provider.get_tracer("http")

        @tool
        def search(query: str) -> str:
            """Find something."""
            with http.start_as_current_span("HTTP"):
                return "tea"

        def ask(found):
            return [SystemMessage("Be brief."), HumanMessage(json.dumps(found))]

        usage = {"input_tokens": 3, "output_tokens": 2, "total_tokens": 5}
        said = {"model_name": "gpt-5", "finish_reason": "stop"}
        answer = AIMessage("It is tea.", usage_metadata=usage, response_metadata=said)
        model = GenericFakeChatModel(
            messages=iter([answer]), metadata={"ls_model_name": "gpt-5", "ls_provider": "openai"}
        )
        self.chain = RunnableParallel(a=search, b=search) | RunnableLambda(ask) | model
        self.lines = io.StringIO()
        self.costs = CostCallbackHandler(prices=PRICES)
        self.config = {
            "callbacks": [
                OpenTelemetryCallbackHandler(tracer_provider=provider, content=True),
                JsonLinesCallbackHandler(self.lines),
                self.costs,
            ]
        }

    def paths(self):
        """Each span with those around it."""
        spans = {span.context.span_id: span for span in self.spans.get_finished_spans()}

        def path(span):
            above = spans.get(span.parent.span_id) if span.parent else None
            return [*(path(above) if above else []), span.name]

        return sorted(" > ".join(path(span)) for span in spans.values())


PATHS = sorted(
    [
        "invoke_workflow RunnableSequence",
        "invoke_workflow RunnableSequence > ask",
        "invoke_workflow RunnableSequence > RunnableParallel<a,b>",
        *["invoke_workflow RunnableSequence > RunnableParallel<a,b> > execute_tool search"] * 2,
        *["invoke_workflow RunnableSequence > RunnableParallel<a,b> > execute_tool search > HTTP"]
        * 2,
        "invoke_workflow RunnableSequence > chat gpt-5",
    ]
)


def test_a_chain_is_one_tree_and_is_priced():
    application = Application()
    application.chain.invoke("x", application.config)
    assert application.paths() == PATHS
    assert application.costs.total_cost == 7.0
    assert len(application.lines.getvalue().splitlines()) == 6
    [chat] = [each for each in application.spans.get_finished_spans() if "chat" in each.name]
    [answer] = json.loads(chat.attributes["gen_ai.output.messages"])
    assert answer["parts"] == [{"type": "text", "content": "It is tea."}]
    [system] = json.loads(chat.attributes["gen_ai.system_instructions"])
    assert system["content"] == "Be brief."
    assert "gen_ai.response.id" not in chat.attributes  # The provider gave none.


async def test_so_it_is_in_async_code_and_leaves_no_span_behind():
    application = Application()
    await application.chain.ainvoke("x", application.config)
    assert application.paths() == PATHS
    assert application.costs.total_cost == 7.0
    assert not trace.get_current_span().get_span_context().is_valid


async def test_so_it_is_when_it_streams():
    application = Application()
    text = "".join(
        [chunk.content async for chunk in application.chain.astream("x", application.config)]
    )
    assert text == "It is tea."
    assert application.paths() == PATHS
    assert not trace.get_current_span().get_span_context().is_valid


def test_a_chain_of_langchains_that_fails_is_one_event_and_its_retries_are_none():
    """The model is asked twice; the chain around it, its retry and the model fail of the same."""
    pytest.importorskip("sentry_sdk", reason="sentry-sdk is not installed")
    import sentry_sdk

    from callboard.integrations import SentryCallbackHandler
    from tests.unit.integrations.sentry_transport import close_client, set_up_client

    def refuse(given):
        raise TimeoutError(f"no answer to {given}")

    step = RunnableLambda(refuse, name="ask").with_retry(
        stop_after_attempt=2, wait_exponential_jitter=False
    )
    chain = RunnableLambda(lambda given: given, name="prepare") | step
    kept = set_up_client()
    try:
        with sentry_sdk.isolation_scope(), pytest.raises(TimeoutError):
            chain.invoke("tea", {"callbacks": [SentryCallbackHandler()]})
        [event] = kept.events()
    finally:
        close_client()
    assert event["tags"]["callboard.run"] == "RunnableSequence"
    assert event["tags"]["callboard.failed_in"] == "ask"
    frames = event["exception"]["values"][-1]["stacktrace"]["frames"]
    assert frames[-1]["function"] == "refuse"
