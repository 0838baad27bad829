"""Door: names of ``langchain_core.tracers.stdout``."""

from callboard.tracing.console import (
    MILLISECONDS_IN_SECOND,
    ConsoleCallbackHandler,
    FunctionCallbackHandler,
    elapsed,
    try_json_stringify,
)

__all__ = [
    "MILLISECONDS_IN_SECOND",
    "ConsoleCallbackHandler",
    "FunctionCallbackHandler",
    "elapsed",
    "try_json_stringify",
]
