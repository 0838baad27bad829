"""The handler that makes a span of each run, and records the metrics of it."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal, TypeAlias

from opentelemetry import metrics, trace
from opentelemetry.trace import Span, SpanKind, Status, StatusCode

from callboard.clock import microseconds
from callboard.environment import value_of
from callboard.errors import BadOptionError
from callboard.integrations.base import RunRecord, RunTreeHandler
from callboard.integrations.opentelemetry.ambient import Ambient, surrounding_context
from callboard.integrations.opentelemetry.conventions import Convention, as_json
from callboard.integrations.opentelemetry.genai import GenAI
from callboard.integrations.opentelemetry.metrics import Metrics
from callboard.integrations.opentelemetry.openinference import OpenInference

__all__ = ["ConventionName", "OpenTelemetryCallbackHandler"]

ConventionName: TypeAlias = Literal["genai", "genai-latest", "openinference"]

_CONVENTIONS = ("genai", "genai-latest", "openinference")
_OPT_IN = "gen_ai_latest_experimental"
_CAPTURE = frozenset({"span_only", "span_and_event", "true"})


class OpenTelemetryCallbackHandler(RunTreeHandler):
    """Makes a span of each run, under that of its parent run, and records metrics.

    A root run's span is under the span that is current where the run starts, such as that of a web
    request. While a chain, tool or retriever runs, its span is the current one, so that what other
    instrumentations record inside of it, such as HTTP requests, is under it.

    Spans and metrics go where the application's providers send them. The handler neither sets
    providers up nor shuts them down.
    """

    def __init__(
        self,
        *,
        tracer_provider: trace.TracerProvider | None = None,
        meter_provider: metrics.MeterProvider | None = None,
        conventions: ConventionName | None = None,
        content: bool | None = None,
        attach: bool = True,
        **options: Any,
    ) -> None:
        """Make a handler.

        Args:
            tracer_provider: Where spans go; the global one, by default.
            meter_provider: Where metrics go; the global one, by default.
            conventions: What spans and metrics are called: as instrumentations emit them today
                (``"genai"``), as they are to become (``"genai-latest"``), or as Phoenix and Arize
                read them (``"openinference"``, whose metrics are those of today). By default
                today's, or the next if ``OTEL_SEMCONV_STABILITY_OPT_IN`` asks for
                ``gen_ai_latest_experimental``.
            content: Whether spans tell what runs are given and return. By default what
                ``OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT`` says, which is no if it is
                not set; of OpenInference, yes.
            attach: Whether runs are the current span while they run.
            **options: See `RunTreeHandler`: ``redaction``, ``prices``, ``max_runs``.

        Raises:
            BadOptionError: There are no such conventions.
        """
        chosen = _chosen(conventions)
        wanted = _wants_content(chosen) if content is None else content
        super().__init__(content=wanted, **options)
        latest = chosen == "genai-latest"
        self._convention: Convention = (
            OpenInference() if chosen == "openinference" else GenAI(latest=latest)
        )
        schema_url = self._convention.schema_url
        self._tracer = trace.get_tracer(
            "callboard", tracer_provider=tracer_provider, schema_url=schema_url
        )
        self._metrics = Metrics(
            metrics.get_meter("callboard", meter_provider=meter_provider, schema_url=schema_url),
            latest=latest,
        )
        self._attach = attach

    def run_started(self, record: RunRecord) -> None:
        """Start a run's span, and make it the current one if the application's code runs in it."""
        around = surrounding_context()
        outer = _span_of(record.parent)
        span = self._tracer.start_span(
            self._convention.name(record),
            around if outer is None else trace.set_span_in_context(outer, around),
            SpanKind.CLIENT if record.is_model else SpanKind.INTERNAL,
            self._convention.at_start(record),
            start_time=_nanoseconds(record.start_time),
        )
        record.kept = Ambient(span)
        if self._attach and not record.is_model:
            record.kept.attach()

    def run_noted(self, record: RunRecord, name: str, data: Any) -> None:
        """Add an event to a run's span."""
        if (span := _span_of(record)) is not None:
            span.add_event(name, None if data is None else {"callboard.data": as_json(data)})

    def run_ended(self, record: RunRecord) -> None:
        """End a run's span, and record its metrics."""
        if not isinstance(record.kept, Ambient):
            return
        span = record.kept.span
        record.kept.detach()
        if span.is_recording():
            span.set_attributes(self._convention.at_end(record))
            _tell_status(span, record)
        span.end(None if record.end_time is None else _nanoseconds(record.end_time))
        if record.status != "unfinished":
            self._metrics.record(record)


def _chosen(conventions: str | None) -> str:
    if conventions is None:
        asked = (value_of("OTEL_SEMCONV_STABILITY_OPT_IN") or "").split(",")
        return "genai-latest" if _OPT_IN in map(str.strip, asked) else "genai"
    if conventions not in _CONVENTIONS:
        raise BadOptionError(
            f"Unknown conventions {conventions!r}; accepted are {', '.join(_CONVENTIONS)}."
        )
    return conventions


def _wants_content(conventions: str) -> bool:
    asked = value_of("OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT")
    if asked is None:
        return conventions == "openinference"
    return asked.strip().lower() in _CAPTURE


def _span_of(record: RunRecord | None) -> Span | None:
    """Return the span of a run, or of the nearest around it that has one."""
    while record is not None:
        if isinstance(record.kept, Ambient):
            return record.kept.span
        record = record.parent
    return None


def _tell_status(span: Span, record: RunRecord) -> None:
    if record.status == "unfinished":
        span.set_attribute("callboard.unfinished", value=True)
    elif record.status == "error":
        message = (record.error_message or "").removeprefix(f"{record.error_type}: ")
        span.set_status(Status(StatusCode.ERROR, message))
        span.add_event(
            "exception",
            {
                "exception.type": record.error_type or "unknown",
                "exception.message": message,
                "exception.stacktrace": record.error or "",
            },
        )


def _nanoseconds(moment: datetime) -> int:
    return microseconds(moment) * 1000
