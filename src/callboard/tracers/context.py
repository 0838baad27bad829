"""Door: names of ``langchain_core.tracers.context``."""

from importlib import import_module

from callboard.callbacks.hooks import register_configure_hook, registered_hooks
from callboard.langsmith.context import tracing_v2_callback_var, tracing_v2_enabled
from callboard.tracing.context import collect_runs, run_collector_var

__all__ = [
    "_configure_hooks",
    "collect_runs",
    "register_configure_hook",
    "run_collector_var",
    "tracing_v2_callback_var",
    "tracing_v2_enabled",
]

_configure_hooks = registered_hooks()

# What asks the SDK.
_IN_LANGCHAIN = frozenset(
    {
        "_get_trace_callbacks",
        "_get_tracer_kwargs",
        "_tracing_v2_is_enabled",
        "tracing_callback_var",
    }
)


def __getattr__(name: str) -> object:
    if name in _IN_LANGCHAIN:
        return getattr(import_module("callboard.langchain.tracers.context"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
