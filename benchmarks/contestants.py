"""Who traces: Callboard, and those that do the same, each sending to the receiver for real.

All do the same work: a call, a chain or a chat model's run, whose inputs and outputs must
arrive. Each contestant says how to do it untraced, too: what tracing adds is the difference.
"""

import json
import urllib.request
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from importlib.util import find_spec
from typing import Any

import langsmith
from langchain_core.callbacks import CallbackManager as TheirManager
from langchain_core.tracers import LangChainTracer as TheirTracer

from benchmarks.case import Loop
from benchmarks.libraries import OURS, RIVAL
from benchmarks.receiver import SPANS, Receiver
from benchmarks.work import Work
from callboard.callbacks import CallbackManager
from callboard.export import Exporter, HttpSink
from callboard.tracers import LangChainTracer

__all__ = ["Contestant", "callboard", "decorated", "langchain", "opentelemetry", "their_decorated"]

TIMEOUT = 60.0
"""Seconds that sending may take before it is given up."""


@dataclass(frozen=True)
class Contestant:
    """One that traces.

    Attributes:
        name: What it is, and the key it sends with.
        traced: Does the work and traces it.
        bare: Does the work and does not.
        flush: Sends what is left.
        close: Ends its threads.
    """

    name: str
    traced: Loop
    bare: Loop
    flush: Callable[[], Any]
    close: Callable[[], Any]


def _runs(manager: Any, work: Work) -> Loop:
    """Tell a manager of runs."""

    def chain(times: Iterable[None]) -> None:
        for _ in times:
            manager.on_chain_start(None, work.inputs, name="answer").on_chain_end(work.outputs)

    def chat(times: Iterable[None]) -> None:
        for _ in times:
            [run] = manager.on_chat_model_start(work.serialized, [work.messages], **work.options)
            run.on_llm_end(work.result)

    return chat if work.messages else chain


def callboard(receiver: Receiver, work: Work) -> Contestant:
    """Return Callboard's tracer and exporter."""
    name = OURS.name
    exporter = Exporter(HttpSink(receiver.url, name))
    traced = CallbackManager([LangChainTracer(destination=exporter)])
    return Contestant(
        name,
        _runs(traced, work),
        _runs(CallbackManager([]), work),
        partial(exporter.flush, TIMEOUT),
        partial(exporter.shutdown, TIMEOUT),
    )


def langchain(receiver: Receiver, work: Work) -> Contestant:
    """Return langchain-core's tracer with langsmith's client."""
    name = RIVAL.name
    client = langsmith.Client(receiver.url, api_key=name)
    return Contestant(
        name,
        _runs(TheirManager([TheirTracer(client=client)]), work),
        _runs(TheirManager([]), work),
        client.flush,
        client.close,
    )


def _calls(function: Callable[[str], str], work: Work) -> Loop:
    question = work.question

    def loop(times: Iterable[None]) -> None:
        for _ in times:
            function(question)

    return loop


def _answering(work: Work) -> Callable[[str], str]:
    answer_text = work.answer

    def answer(question: str) -> str:  # noqa: ARG001 - it is recorded
        return answer_text

    return answer


def decorated(receiver: Receiver, work: Work) -> Contestant:
    """Return Callboard's ``@traceable``."""
    from callboard.instrument import traceable  # noqa: PLC0415 - it may not be there

    name = OURS.name
    exporter = Exporter(HttpSink(receiver.url, name))
    tracer = LangChainTracer(destination=exporter)
    return Contestant(
        name,
        _calls(traceable(callbacks=[tracer])(_answering(work)), work),
        _calls(_answering(work), work),
        partial(exporter.flush, TIMEOUT),
        partial(exporter.shutdown, TIMEOUT),
    )


def their_decorated(receiver: Receiver, work: Work) -> Contestant:
    """Return langsmith's ``@traceable``."""
    name = "langsmith"
    client = langsmith.Client(receiver.url, api_key=name)
    traced = langsmith.traceable(client=client, enabled=True)(_answering(work))
    return Contestant(
        name, _calls(traced, work), _calls(_answering(work), work), client.flush, client.close
    )


def opentelemetry(receiver: Receiver, work: Work) -> Contestant | None:
    """Return an OpenTelemetry span whose attributes are inputs and outputs as JSON.

    It sends from a batch processor, as it would in production; None if it is not installed.
    """
    if not find_spec("opentelemetry.sdk"):
        return None
    from opentelemetry.sdk.trace import ReadableSpan, TracerProvider  # noqa: PLC0415
    from opentelemetry.sdk.trace.export import (  # noqa: PLC0415
        BatchSpanProcessor,
        SpanExporter,
        SpanExportResult,
    )

    name = "opentelemetry"

    class Sender(SpanExporter):
        def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
            body = json.dumps([dict(span.attributes or {}) for span in spans]).encode()
            request = urllib.request.Request(receiver.url + SPANS, body, {"x-api-key": name})
            urllib.request.urlopen(request, timeout=TIMEOUT).close()
            return SpanExportResult.SUCCESS

    provider = TracerProvider()
    provider.add_span_processor(BatchSpanProcessor(Sender()))
    tracer = provider.get_tracer("benchmarks")

    def traced(times: Iterable[None]) -> None:
        for _ in times:
            with tracer.start_as_current_span("answer") as span:
                span.set_attribute("inputs", json.dumps(work.inputs))
                span.set_attribute("outputs", json.dumps(work.outputs))

    def bare(times: Iterable[None]) -> None:
        for _ in times:
            pass

    return Contestant(name, traced, bare, provider.force_flush, provider.shutdown)
