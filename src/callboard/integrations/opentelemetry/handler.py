"""The handler that makes a span of each run, and records the metrics of it."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from opentelemetry import context, metrics, trace
from opentelemetry._logs import LoggerProvider
from opentelemetry.context import Context
from opentelemetry.trace import Span, SpanKind, Status, StatusCode

import callboard
from callboard.clock import microseconds
from callboard.integrations.base import RunRecord, RunTreeHandler
from callboard.integrations.opentelemetry.ambient import Ambient, surrounding_context
from callboard.integrations.opentelemetry.conventions import Convention, as_attributes, as_json
from callboard.integrations.opentelemetry.details import Details
from callboard.integrations.opentelemetry.genai import GenAI
from callboard.integrations.opentelemetry.metrics import Metrics
from callboard.integrations.opentelemetry.openinference import OpenInference
from callboard.integrations.opentelemetry.switches import (
    ContentPlace,
    ConventionName,
    content_told,
    convention_chosen,
)
from callboard.prices import NO_PRICES

__all__ = ["OpenTelemetryCallbackHandler"]

# What turns other instrumentations off for a while turns this one off, too.
_SUPPRESSED = "suppress_instrumentation"


class OpenTelemetryCallbackHandler(RunTreeHandler):
    """Makes a span of each run, under that of its parent run, and records metrics.

    A root run's span is under the span that is current where the run starts, such as that of a web
    request, in this process or, through a propagator, in another. While a chain, tool or retriever
    runs, its span is the current one, so that what other instrumentations record inside of it, such
    as HTTP requests, is under it.

    Spans, metrics and events go where the application's providers send them. The handler neither
    sets providers up nor shuts them down.
    """

    def __init__(
        self,
        *,
        tracer_provider: trace.TracerProvider | None = None,
        meter_provider: metrics.MeterProvider | None = None,
        logger_provider: LoggerProvider | None = None,
        conventions: ConventionName | None = None,
        content: bool | ContentPlace | None = None,
        attach: bool = True,
        **options: Any,
    ) -> None:
        """Make a handler.

        Args:
            tracer_provider: Where spans go; the global one, by default.
            meter_provider: Where metrics go; the global one, by default.
            logger_provider: Where events go; the global one, by default.
            conventions: What spans and metrics are called: as instrumentations emit them today
                (``"genai"``), as they are to become (``"genai-latest"``), or as Phoenix and Arize
                read them (``"openinference"``, whose metrics are those of today). By default
                today's, or the next if ``OTEL_SEMCONV_STABILITY_OPT_IN`` asks for
                ``gen_ai_latest_experimental``.
            content: Whether spans tell what runs are given and return, or where it goes:
                ``"no_content"``, ``"span_only"``, ``"event_only"`` or ``"span_and_event"``. By
                default what ``OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT`` says, which is
                nowhere if it is not set; of OpenInference, to spans.
            attach: Whether runs are the current span while they run.
            **options: See `RunTreeHandler`: ``redaction``, ``prices``, ``max_runs``.

        Raises:
            BadOptionError: There are no such conventions, or no such place for content.
        """
        chosen = convention_chosen(conventions)
        self._told = content_told(content, chosen)
        if chosen != "openinference":
            options.setdefault("prices", NO_PRICES)  # The GenAI conventions have no costs.
        super().__init__(content=self._told.in_spans or self._told.in_events, **options)
        latest = chosen == "genai-latest"
        self._convention: Convention = (
            OpenInference() if chosen == "openinference" else GenAI(latest=latest)
        )
        name, version, schema = "callboard", callboard.__version__, self._convention.schema_url
        self._tracer = trace.get_tracer(name, version, tracer_provider, schema)
        self._metrics = Metrics(
            metrics.get_meter(name, version, meter_provider, schema), latest=latest
        )
        self._details = (
            Details(logger_provider, version, schema) if self._told.emits_events else None
        )
        self._attach = attach

    def run_started(self, record: RunRecord) -> None:
        """Start a run's span, and make it the current one if the application's code runs in it."""
        around = surrounding_context()
        if context.get_value(_SUPPRESSED, around):
            return
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
        self._metrics.start(record)

    def run_noted(self, record: RunRecord, name: str, data: Any) -> None:
        """Add an event to a run's span."""
        if (span := _span_of(record)) is not None:
            # What is content is not for spans if events alone are to tell it.
            told = None if self._content and not self._told.in_spans else data
            span.add_event(name, None if told is None else {"callboard.data": as_json(told)})

    def run_ended(self, record: RunRecord) -> None:
        """End a run's span, emit its event and record its metrics."""
        if not isinstance(record.kept, Ambient):
            return
        span = record.kept.span
        record.kept.detach()
        within = trace.set_span_in_context(span, surrounding_context())
        at = None if record.end_time is None else _nanoseconds(record.end_time)
        try:
            self._describe(record, span, within, at)
        finally:  # Whatever can't be told of it, it has ended.
            span.end(at)
            self._metrics.end(record, within)

    def _describe(self, record: RunRecord, span: Span, within: Context, at: int | None) -> None:
        """Tell what is known of a run now, in its span and in an event."""
        ended = self._convention.at_end(record)
        is_wanted = span.is_recording() or self._told.in_events
        has_content = is_wanted and record.inputs is not None
        content = self._convention.content(record) if has_content else {}
        if span.is_recording():
            span.set_attributes(ended | (as_attributes(content) if self._told.in_spans else {}))
            _tell_status(span, record)
        if self._details is not None and record.is_model:
            told = self._convention.at_start(record) | ended
            self._details.emit(told | content if self._told.in_events else told, at, within)


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
