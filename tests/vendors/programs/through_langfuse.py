"""Langfuse's handler, with its spans in memory."""

import sys

if "callboard" in sys.argv:
    import callboard.langchain

    callboard.langchain.install()

from langfuse import Langfuse
from langfuse.langchain import CallbackHandler
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from workload import print_otel, work

exporter = InMemorySpanExporter()
client = Langfuse(public_key="pk", secret_key="sk", span_exporter=exporter)
work(lambda: {"callbacks": [CallbackHandler()], "tags": ["tagged"]})
client.flush()
print_otel(exporter.get_finished_spans(), without=("langfuse.observation.completion_start_time",))
