"""What stands for ``langchain_core.tracers.evaluation`` once Callboard is installed."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager
from typing import Any

from callboard.langchain.tracers.context import tracing_v2_enabled
from callboard.langchain.tracers.langchain import LangChainTracer, get_client
from callboard.langsmith import evaluation as alone
from callboard.langsmith.evaluation import wait_for_all_evaluators

__all__ = ["EvaluatorCallbackHandler", "wait_for_all_evaluators"]


class EvaluatorCallbackHandler(alone.EvaluatorCallbackHandler):
    """Gives each trace that ends to evaluators; what they find goes to the SDK's server."""

    def __init__(
        self, evaluators: Sequence[Any], client: Any | None = None, *args: Any, **kwargs: Any
    ) -> None:
        """Make a handler.

        Args:
            evaluators: What evaluates.
            client: The ``langsmith.Client`` to send feedback by; if not given, the one that
                runs go by.
            *args: See `callboard.tracers.EvaluatorCallbackHandler`.
            **kwargs: See there.
        """
        super().__init__(evaluators, client or get_client(), *args, **kwargs)

    def _traced(self) -> AbstractContextManager[LangChainTracer]:
        return tracing_v2_enabled(self.project_name, tags=["eval"], client=self.client)
