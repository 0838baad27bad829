"""OpenTelemetry's SDK as a backend that keeps what it is told, for tests to read it back."""

from opentelemetry.sdk._logs import LoggerProvider
from opentelemetry.sdk._logs.export import InMemoryLogRecordExporter, SimpleLogRecordProcessor
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from callboard.integrations import OpenTelemetryCallbackHandler


class Backend:
    """OpenTelemetry's SDK with exporters that keep what they are given."""

    def __init__(self):
        self.spans = InMemorySpanExporter()
        self.provider = TracerProvider(shutdown_on_exit=False)
        self.provider.add_span_processor(SimpleSpanProcessor(self.spans))
        self.reader = InMemoryMetricReader()
        self.meters = MeterProvider([self.reader], shutdown_on_exit=False)
        self.logs = InMemoryLogRecordExporter()
        self.loggers = LoggerProvider(shutdown_on_exit=False)
        self.loggers.add_log_record_processor(SimpleLogRecordProcessor(self.logs))
        self.tracer = self.provider.get_tracer("another instrumentation")

    def handler(self, **options):
        return OpenTelemetryCallbackHandler(
            tracer_provider=self.provider,
            meter_provider=self.meters,
            logger_provider=self.loggers,
            **options,
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

    def events(self):
        """The events, as records."""
        return [each.log_record for each in self.logs.get_finished_logs()]

    def metrics(self):
        """Name of metric to its points, as attributes and value."""
        told = {}
        data = self.reader.get_metrics_data()
        for resource in data.resource_metrics if data else ():
            for scope in resource.scope_metrics:
                for metric in scope.metrics:
                    told[metric.name] = metric
        return told


def constants(module):
    return {value for name, value in vars(module).items() if name.startswith("GEN_AI")}
