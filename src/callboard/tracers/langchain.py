"""Door: the tracer of ``langchain_core.tracers.langchain``."""

from callboard.langsmith.tracer import LangChainTracer

__all__ = ["LangChainTracer"]
