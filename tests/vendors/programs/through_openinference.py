"""OpenInference's instrumentation, with its spans in memory."""

import sys

if "callboard" in sys.argv:
    import callboard.langchain

    callboard.langchain.install()

from openinference.instrumentation.langchain import LangChainInstrumentor
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from workload import print_otel, work

exporter = InMemorySpanExporter()
provider = TracerProvider()
provider.add_span_processor(SimpleSpanProcessor(exporter))
LangChainInstrumentor().instrument(tracer_provider=provider)
work(lambda: {"tags": ["tagged"], "metadata": {"session_id": "s"}})
print_otel(exporter.get_finished_spans())
