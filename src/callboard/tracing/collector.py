"""The tracer that collects traces in a list."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from callboard.tracing.base import BaseTracer
from callboard.tracing.run import Run

__all__ = ["RunCollectorCallbackHandler"]


class RunCollectorCallbackHandler(BaseTracer):
    """Collects traces as they end.

    Attributes:
        traced_runs: The roots of the traces, each with the runs inside it as its tree.
        example_id: The dataset example that they are said to have run, if any.
    """

    name: str = "run-collector_callback_handler"

    def __init__(self, example_id: UUID | str | None = None, **kwargs: Any) -> None:
        """Make a handler that has collected nothing yet.

        Args:
            example_id: The dataset example that the traces run, if any.
            **kwargs: See `TracerCore`.
        """
        super().__init__(**kwargs)
        self.example_id = UUID(example_id) if isinstance(example_id, str) else example_id
        self.traced_runs: list[Run] = []

    def _persist_run(self, run: Run) -> None:
        self.traced_runs.append(run.copy({"reference_example_id": self.example_id}))
