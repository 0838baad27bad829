"""Door: names of ``langchain_core.tracers.run_collector``."""

from callboard.tracing.collector import RunCollectorCallbackHandler

__all__ = ["RunCollectorCallbackHandler"]
