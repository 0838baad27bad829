"""OpenTelemetry on LangGraph as it is: tools at once, each of which makes an HTTP request."""

import asyncio
import threading
import urllib.request
from collections import Counter
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

pytest.importorskip("opentelemetry.sdk", reason="opentelemetry-sdk is not installed")

from langchain_core.language_models import FakeMessagesListChatModel
from langchain_core.messages import AIMessage, AIMessageChunk, HumanMessage, ToolMessage
from langchain_core.outputs import ChatGenerationChunk
from langchain_core.runnables import RunnableLambda
from langchain_core.tools import tool
from langgraph.graph import END, START, MessagesState, StateGraph
from langgraph.prebuilt import ToolNode
from opentelemetry import propagate, trace
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from callboard.integrations import OpenTelemetryCallbackHandler

CITIES = ("Assam", "Uji", "Darjeeling")


class Weather:
    """A server that notes which span each request comes from."""

    def __init__(self):
        asked = self.asked = {}

        class Answer(BaseHTTPRequestHandler):
            def do_GET(self):
                asked[self.path.strip("/")] = self.headers["traceparent"].split("-")[2]
                self.send_response(204)
                self.end_headers()

            def log_message(self, *args):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Answer)
        self.thread = threading.Thread(target=self.server.serve_forever)
        self.thread.start()
        self.url = f"http://127.0.0.1:{self.server.server_port}"

    def close(self):
        self.server.shutdown()
        self.server.server_close()
        self.thread.join()


class Streaming(FakeMessagesListChatModel):
    """Says its messages word by word."""

    def _stream(self, messages, stop=None, run_manager=None, **kwargs):
        message = self._generate(messages).generations[0].message
        for word in message.content.split():
            yield ChatGenerationChunk(message=AIMessageChunk(word))
        yield ChatGenerationChunk(message=AIMessageChunk("", tool_calls=message.tool_calls))


class Application:
    """A graph: a model asks for three tools, which run at once, and then answers."""

    def __init__(self, weather):
        self.weather = weather
        self.spans = InMemorySpanExporter()
        provider = TracerProvider(shutdown_on_exit=False)
        provider.add_span_processor(SimpleSpanProcessor(self.spans))
        self.http = provider.get_tracer("http")
        self.config = {
            "callbacks": [OpenTelemetryCallbackHandler(tracer_provider=provider)],
            "configurable": {"thread_id": "t-1"},
        }
        self.graph = self.made_graph()

    def get(self, city):
        """Ask the server as an instrumented client does: in a span, which the request names."""
        with self.http.start_as_current_span(f"GET {city}"):
            request = urllib.request.Request(f"{self.weather.url}/{city}")
            propagate.inject(request.headers)
            urllib.request.urlopen(request).close()

    def made_graph(self):
        @tool
        def forecast(city: str) -> str:
            """Say what the weather will be."""
            self.get(city)
            return "rain"

        async def aforecast(city: str) -> str:
            await asyncio.sleep(0)
            self.get(city)
            await asyncio.sleep(0)
            return "rain"

        forecast.coroutine = aforecast
        calls = [{"name": "forecast", "args": {"city": city}, "id": city} for city in CITIES]
        model = Streaming(
            responses=[AIMessage("I look.", tool_calls=calls), AIMessage("It rains.")],
            metadata={"ls_model_name": "gpt-5"},
        )

        def ask(state):
            return {"messages": [model.invoke(state["messages"])]}

        async def aask(state):
            return {"messages": [await model.ainvoke(state["messages"])]}

        def onwards(state):
            return END if isinstance(state["messages"][-2], ToolMessage) else "tools"

        graph = StateGraph(MessagesState)
        graph.add_node("model", RunnableLambda(ask, aask))
        graph.add_node("tools", ToolNode([forecast]))
        graph.add_edge(START, "model")
        graph.add_conditional_edges("model", onwards)
        graph.add_edge("tools", "model")
        return graph.compile(name="desk")

    def check(self):
        spans = {span.context.span_id: span for span in self.spans.get_finished_spans()}
        counted = Counter(span.name for span in spans.values())
        assert counted["invoke_workflow desk"] == 1
        assert counted["chat gpt-5"] == 2
        assert counted["execute_tool forecast"] == 3
        assert len({span.context.trace_id for span in spans.values()}) == 1
        assert set(self.weather.asked) == set(CITIES)
        tools = set()
        for city, sender in self.weather.asked.items():
            request = spans[int(sender, 16)]
            assert request.name == f"GET {city}"
            parent = spans[request.parent.span_id]
            assert parent.name == "execute_tool forecast"
            tools.add(parent.context.span_id)
        assert len(tools) == 3
        assert not trace.get_current_span().get_span_context().is_valid


@pytest.fixture
def weather():
    server = Weather()
    yield server
    server.close()


QUESTION = {"messages": [HumanMessage("Does it rain?")]}


def test_requests_of_tools_in_threads_are_under_their_tools(weather):
    application = Application(weather)
    assert application.graph.invoke(QUESTION, application.config)["messages"][-1].content
    application.check()


def test_requests_of_tools_are_under_their_tools_when_a_graph_is_streamed(weather):
    application = Application(weather)
    assert list(application.graph.stream(QUESTION, application.config, stream_mode="messages"))
    application.check()


async def test_requests_of_tools_in_tasks_are_under_their_tools(weather, caplog):
    application = Application(weather)
    await application.graph.ainvoke(QUESTION, application.config)
    application.check()
    assert not caplog.records


async def test_so_they_are_when_it_is_streamed_in_async_code(weather, caplog):
    application = Application(weather)
    async for _ in application.graph.astream(QUESTION, application.config, stream_mode="messages"):
        pass
    application.check()
    assert not caplog.records
