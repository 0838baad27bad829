"""Door: names of ``langchain_core.tracers.core``."""

from callboard.tracing.core import TracerCore

__all__ = ["TracerCore"]
