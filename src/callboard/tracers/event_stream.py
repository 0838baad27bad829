"""Door: names of ``langchain_core.tracers.event_stream``, and our own beside them."""

from importlib import import_module

from callboard.tracing.event_stream import EventStream
from callboard.tracing.run_events import Event, RunInfo
from callboard.tracing.sse import as_sse
from callboard.tracing.streamed_calls import stream_events

__all__ = ["Event", "EventStream", "RunInfo", "as_sse", "stream_events"]

# What knows runnables.
_IN_LANGCHAIN = {
    "_AstreamEventsCallbackHandler": "AstreamEventsCallbackHandler",
    "_astream_events_implementation_v1": "astream_events_v1",
    "_astream_events_implementation_v2": "astream_events_v2",
}


def __getattr__(name: str) -> object:
    if name in _IN_LANGCHAIN:
        return getattr(import_module("callboard.langchain.event_stream"), _IN_LANGCHAIN[name])
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
