"""What is monitored: each integration, and what does the same without Callboard."""

import io
import json
import logging
import os
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from typing import Any

from langchain_core.callbacks import UsageMetadataCallbackHandler

from benchmarks.case import Loop
from benchmarks.work import Work
from callboard.callbacks import CallbackManager
from callboard.integrations import (
    CostCallbackHandler,
    JsonLinesCallbackHandler,
    LoggingCallbackHandler,
)
from callboard.prices import PriceTable

__all__ = ["ENTRIES", "MODEL", "Monitored"]

MODEL = "gpt-5"
PRICES = PriceTable.load(
    [{"name": "GPT-5", "model": "gpt-5.*", "prompt": 1.25, "completion": 10.0}]
)


@dataclass(frozen=True)
class Monitored:
    """An integration, and its rival: a handler, or the platform's own calls.

    Attributes:
        name: The integration.
        handler: Its handler.
        rival: What is beside it.
        heard: The rival, if it is a handler.
        bare: The rival, if it is none: what it does for a run.
        closes: What is to be closed in the end.
    """

    name: str
    handler: Any
    rival: str
    heard: Any = None
    bare: Loop | None = None
    closes: tuple[Callable[[], Any], ...] = ()

    def close(self) -> None:
        """Close what was opened."""
        for close in self.closes:
            close()


def _told(handler: Any, work: Work) -> None:
    """Tell a handler of a run, for a rival to be given what the platform is told of it."""
    metadata = {"ls_model_name": MODEL, "ls_provider": "openai"}
    manager = CallbackManager.configure([handler], inheritable_metadata=metadata)
    [run] = manager.on_chat_model_start(work.serialized, [work.messages], **work.options)
    run.on_llm_end(work.result)


def json_lines(work: Work) -> Monitored:
    """Return the handler that writes a file; beside it, a row of the same content written."""
    first, nowhere = io.StringIO(), open(os.devnull, "w")  # noqa: SIM115, PTH123 - until the end
    _told(JsonLinesCallbackHandler(first, prices=PRICES), work)
    row = json.loads(first.getvalue())

    def bare(times: Iterable[None]) -> None:
        for _ in times:
            nowhere.write(json.dumps(row) + "\n")
            nowhere.flush()

    handler = JsonLinesCallbackHandler(nowhere, prices=PRICES)
    return Monitored("JSON Lines", handler, "json.dumps", bare=bare, closes=(nowhere.close,))


def log_records(work: Work) -> Monitored:
    """Return the handler that logs; beside it, the logger's own call with the same fields."""
    kept: list[logging.LogRecord] = []
    logger = logging.getLogger("benchmarks")
    logger.setLevel(logging.INFO)
    logger.propagate = False
    keeps = logging.Handler()
    keeps.emit = kept.append  # type: ignore[method-assign]
    logger.addHandler(keeps)
    _told(LoggingCallbackHandler(logger, prices=PRICES), work)
    sentence = kept[0].getMessage()
    fields = {name: each for name, each in vars(kept[0]).items() if name.startswith("run_")}
    logger.removeHandler(keeps)
    logger.addHandler(logging.NullHandler())

    def bare(times: Iterable[None]) -> None:
        for _ in times:
            logger.info("%s", sentence, extra=fields)

    return Monitored(
        "logging", LoggingCallbackHandler(logger, prices=PRICES), "logger.info", bare=bare
    )


def costs(_: Work) -> Monitored:
    """Return the handler that adds up costs; beside it, langchain-core's, which adds up tokens."""
    return Monitored(
        "costs",
        CostCallbackHandler(prices=PRICES),
        "UsageMetadataCallbackHandler",
        heard=UsageMetadataCallbackHandler(),
    )


def published_costs(work: Work) -> Monitored | None:
    """Return the same with the published prices; beside it, the package that has them."""
    if not find_spec("genai_prices"):
        return None
    from genai_prices import Usage, calc_price  # noqa: PLC0415

    assert work.result is not None
    [[answer]] = work.result.generations
    usage: Any = getattr(answer, "message").usage_metadata  # noqa: B009 - of a chat's generation
    given, returned = usage["input_tokens"], usage["output_tokens"]

    def bare(times: Iterable[None]) -> None:
        for _ in times:
            told = Usage(input_tokens=given, output_tokens=returned)
            calc_price(told, model_ref=MODEL, provider_id="openai")

    return Monitored("costs, published prices", CostCallbackHandler(), "calc_price", bare=bare)


def prometheus(_: Work) -> Monitored | None:
    """Return Prometheus's handler; beside it, the client's calls for the same samples."""
    if not find_spec("prometheus_client"):
        return None
    from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram  # noqa: PLC0415

    from callboard.integrations import PrometheusCallbackHandler  # noqa: PLC0415

    registry, labels = CollectorRegistry(), ("model", "provider")
    requests = Counter("requests", "-", (*labels, "status"), registry=registry)
    in_flight = Gauge("in_flight", "-", labels, registry=registry)
    duration = Histogram("duration_seconds", "-", labels, registry=registry)
    tokens = Counter("tokens", "-", (*labels, "type"), registry=registry)
    cost = Counter("cost", "-", labels, registry=registry)

    def bare(times: Iterable[None]) -> None:
        for _ in times:
            exemplar = {"trace_id": "0123456789abcdef0123456789abcdef"}
            in_flight.labels(MODEL, "openai").inc()
            in_flight.labels(MODEL, "openai").dec()
            requests.labels(MODEL, "openai", "ok").inc(1, exemplar)
            duration.labels(MODEL, "openai").observe(0.1, exemplar)
            tokens.labels(MODEL, "openai", "input").inc(500)
            tokens.labels(MODEL, "openai", "output").inc(50)
            cost.labels(MODEL, "openai").inc(0.1)

    handler = PrometheusCallbackHandler(CollectorRegistry(), prices=PRICES)
    return Monitored("Prometheus", handler, "the client's calls", bare=bare)


def opentelemetry(work: Work, *, content: bool = False) -> Monitored | None:
    """Return OpenTelemetry's handler; beside it, a span and its metrics with the same content."""
    if not find_spec("opentelemetry.sdk"):
        return None
    from opentelemetry.sdk.metrics import MeterProvider  # noqa: PLC0415
    from opentelemetry.sdk.trace import ReadableSpan, TracerProvider  # noqa: PLC0415
    from opentelemetry.sdk.trace.export import (  # noqa: PLC0415
        BatchSpanProcessor,
        SpanExporter,
        SpanExportResult,
    )
    from opentelemetry.trace import SpanKind, set_span_in_context  # noqa: PLC0415

    from callboard.integrations import OpenTelemetryCallbackHandler  # noqa: PLC0415

    last: list[ReadableSpan] = []

    class Nowhere(SpanExporter):
        def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
            last[:] = spans[-1:]
            return SpanExportResult.SUCCESS

    traces, meters = TracerProvider(shutdown_on_exit=False), MeterProvider(shutdown_on_exit=False)
    traces.add_span_processor(BatchSpanProcessor(Nowhere()))
    handler = OpenTelemetryCallbackHandler(
        tracer_provider=traces, meter_provider=meters, content=content, prices=PRICES
    )
    _told(handler, work)
    traces.force_flush()
    name, attributes = last[0].name, dict(last[0].attributes or {})
    tracer, meter = traces.get_tracer("benchmarks"), meters.get_meter("benchmarks")
    duration, tokens = meter.create_histogram("duration"), meter.create_histogram("tokens")
    measured = {key: each for key, each in attributes.items() if key.endswith((".name", ".model"))}

    def bare(times: Iterable[None]) -> None:
        for _ in times:
            span = tracer.start_span(name, kind=SpanKind.CLIENT)
            span.set_attributes(attributes)
            span.end()
            within = set_span_in_context(span)
            duration.record(0.1, measured, within)
            tokens.record(500, {**measured, "gen_ai.token.type": "input"}, within)
            tokens.record(50, {**measured, "gen_ai.token.type": "output"}, within)

    told = "OpenTelemetry, content" if content else "OpenTelemetry"
    closes = (traces.shutdown, meters.shutdown)
    return Monitored(told, handler, "a bare span", bare=bare, closes=closes)


def opentelemetry_with_content(work: Work) -> Monitored | None:
    """Return the same, with what is asked and answered in the span."""
    return opentelemetry(work, content=True)


def openinference(_: Work) -> Monitored | None:
    """Return the handler in OpenInference's convention; beside it, OpenInference's own tracer."""
    if not find_spec("opentelemetry.sdk"):
        return None
    try:
        from openinference.instrumentation import OITracer, TraceConfig  # noqa: PLC0415
        from openinference.instrumentation.langchain._tracer import (  # noqa: PLC0415
            OpenInferenceTracer,
        )
    except ImportError:
        return None
    from opentelemetry.sdk.trace import TracerProvider  # noqa: PLC0415

    from callboard.integrations import OpenTelemetryCallbackHandler  # noqa: PLC0415

    ours, theirs = TracerProvider(shutdown_on_exit=False), TracerProvider(shutdown_on_exit=False)
    tracer = OITracer(theirs.get_tracer("benchmarks"), config=TraceConfig())
    return Monitored(
        "OpenInference",
        OpenTelemetryCallbackHandler(
            tracer_provider=ours, conventions="openinference", prices=PRICES
        ),
        "OpenInference's tracer",
        heard=OpenInferenceTracer(tracer, separate_trace_from_runtime_context=False),
        closes=(ours.shutdown, theirs.shutdown),
    )


ENTRIES: tuple[Callable[[Work], Monitored | None], ...] = (
    opentelemetry,
    opentelemetry_with_content,
    openinference,
    prometheus,
    costs,
    published_costs,
    json_lines,
    log_records,
)
