"""Door: what stands for ``langchain_core.tracers.base`` once Callboard is installed."""

from langchain_core.exceptions import TracerException

from callboard.tracers.base import AsyncBaseTracer, BaseTracer

__all__ = ["AsyncBaseTracer", "BaseTracer", "TracerException"]
