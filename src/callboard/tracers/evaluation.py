"""Door: names of ``langchain_core.tracers.evaluation``."""

from callboard.langsmith.evaluation import EvaluatorCallbackHandler, wait_for_all_evaluators

__all__ = ["EvaluatorCallbackHandler", "wait_for_all_evaluators"]
