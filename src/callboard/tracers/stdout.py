"""Door: names of ``langchain_core.tracers.stdout``."""

from callboard.tracing.console import (
    ConsoleCallbackHandler,
    FunctionCallbackHandler,
    elapsed,
    try_json_stringify,
)

__all__ = ["ConsoleCallbackHandler", "FunctionCallbackHandler", "elapsed", "try_json_stringify"]
