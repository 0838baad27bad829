"""Door: names of ``langchain_core.tracers.log_stream``."""

from importlib import import_module

from callboard.tracing.log_stream import LogStreamCallbackHandler
from callboard.tracing.log_stream import standardized_inputs as _get_standardized_inputs
from callboard.tracing.log_stream import standardized_outputs as _get_standardized_outputs
from callboard.tracing.run_log import LogEntry, RunLog, RunLogPatch, RunState

__all__ = [
    "LogEntry",
    "LogStreamCallbackHandler",
    "RunLog",
    "RunLogPatch",
    "RunState",
    "_get_standardized_inputs",
    "_get_standardized_outputs",
]


def __getattr__(name: str) -> object:
    if name == "_astream_log_implementation":
        return import_module("callboard.langchain.log_stream").astream_log
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
