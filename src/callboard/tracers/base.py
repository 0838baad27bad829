"""Door: names of ``langchain_core.tracers.base``."""

from callboard.tracing.base import AsyncBaseTracer, BaseTracer

__all__ = ["AsyncBaseTracer", "BaseTracer"]
