"""Door: names of ``langchain_core.tracers.context``."""

from callboard.callbacks.hooks import register_configure_hook
from callboard.langsmith.context import tracing_v2_callback_var, tracing_v2_enabled
from callboard.tracing.context import collect_runs, run_collector_var

__all__ = [
    "collect_runs",
    "register_configure_hook",
    "run_collector_var",
    "tracing_v2_callback_var",
    "tracing_v2_enabled",
]
