"""Door: names of ``langchain_core.tracers.schemas``."""

from callboard.tracing.run import Run

__all__ = ["Run"]
