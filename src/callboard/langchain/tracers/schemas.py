"""Door: what stands for ``langchain_core.tracers.schemas`` once Callboard is installed."""

from callboard.langchain.runs import LangChainRun as Run

__all__ = ["Run"]
