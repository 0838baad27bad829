"""The handler that tells MLflow of runs, as traces."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from callboard.clock import microseconds
from callboard.integrations.base import RunRecord, RunTreeHandler
from callboard.integrations.extras import load
from callboard.integrations.mlflow.forms import (
    belongs_of,
    exception_of,
    figures_of,
    inputs_of,
    known,
    outputs_of,
    tools_of,
)
from callboard.wire import json

__all__ = ["MlflowCallbackHandler"]

_TYPES = {
    "agent": "AGENT",
    "chat_model": "CHAT_MODEL",
    "embedding": "EMBEDDING",
    "llm": "LLM",
    "parser": "PARSER",
    "retriever": "RETRIEVER",
    "tool": "TOOL",
}


class MlflowCallbackHandler(RunTreeHandler):
    """Makes a trace of each outermost run, and a span of each run in it, with tokens and costs.

    Traces go to the tracking server and experiment that the application has set
    (``mlflow.set_tracking_uri``, ``mlflow.set_experiment``), in MLflow's own background. Nothing is
    sent before a trace ends.
    """

    def __init__(self, *, experiment_id: str | None = None, **options: Any) -> None:
        """Make a handler.

        Args:
            experiment_id: The experiment that traces belong to; the one that is set, by default.
            **options: See `RunTreeHandler`: ``redaction``, ``prices``, ``content``, ``max_runs``.

        Raises:
            MissingExtraError: MLflow is not installed.
        """
        self._mlflow = load("mlflow", "mlflow", "mlflow")
        self._entities = load("mlflow.entities", "mlflow", "mlflow")
        managers = load("mlflow.tracing.trace_manager", "mlflow", "mlflow")
        self._traces = managers.InMemoryTraceManager.get_instance()
        super().__init__(**options)
        # What the calls in each trace have cost so far, by the id of its outermost run.
        self._spent: dict[UUID, dict[str, float]] = {}
        self._experiment_id = experiment_id

    def run_started(self, record: RunRecord) -> None:
        """Start a run's span; that of an outermost run starts a trace."""
        outer = None if record.parent is None else record.parent.kept
        record.kept = self._mlflow.start_span_no_context(
            record.name,
            span_type="AGENT" if _is_agent(record) else _TYPES.get(record.type, "CHAIN"),
            parent_span=outer,
            inputs=inputs_of(record),
            attributes=known(
                {
                    "callboard.run_id": str(record.id),
                    "tags": record.tags or None,
                    "mlflow.chat.tools": tools_of(record) or None,
                }
            ),
            metadata=belongs_of(record) if outer is None else None,
            experiment_id=self._experiment_id if outer is None else None,
            start_time_ns=_nanoseconds(record.start_time),
        )
        if outer is None:
            self._spent[record.id] = {}

    def run_noted(self, record: RunRecord, name: str, data: Any) -> None:
        """Add an event to a run's span."""
        if record.kept is not None:
            told = {} if data is None else {"data": str(data)}
            record.kept.add_event(self._entities.SpanEvent(name, attributes=told))

    def run_ended(self, record: RunRecord) -> None:
        """End a run's span, and with an outermost run's the trace."""
        span = record.kept
        if span is None:
            return
        if record.first_token_time is not None:
            self._add_event(span, "first_token", record.first_token_time, {})
        if record.error is not None:
            self._add_event(span, "exception", record.end_time, exception_of(record))
        figures = figures_of(record)
        self._spend(record, figures.get("mlflow.llm.cost") or {})
        span.end(
            outputs=outputs_of(record),
            attributes=figures,
            status=self._status(record),
            end_time_ns=_nanoseconds(record.end_time),
        )

    def flush(self) -> None:
        """Wait until MLflow has sent the traces that have ended."""
        self._mlflow.flush_trace_async_logging()

    def _spend(self, record: RunRecord, cost: dict[str, float]) -> None:
        """Add what a run cost to what its trace did, and with the outermost run tell that.

        MLflow's own sum over the spans lacks some of them at times: they are stored in parts, and
        what it has summed when the trace ends stays.
        """
        root = _outermost(record)
        with self._lock:
            spent = self._spent.get(root.id, {})
            for name, dollars in cost.items():
                spent[name] = spent.get(name, 0.0) + dollars
            if record is root:
                self._spent.pop(root.id, None)
        if record is root and spent:
            told = json.encode(spent).decode()
            self._traces.set_trace_metadata(record.kept.trace_id, "mlflow.trace.cost", told)

    def _add_event(
        self, span: Any, name: str, moment: datetime | None, attributes: dict[str, str]
    ) -> None:
        at = _nanoseconds(moment)
        span.add_event(self._entities.SpanEvent(name, timestamp=at, attributes=attributes))

    def _status(self, record: RunRecord) -> Any:
        if record.status == "ok":
            return "OK"
        return self._entities.SpanStatus("ERROR", record.error_message or record.status)


def _nanoseconds(moment: datetime | None) -> int | None:
    return None if moment is None else microseconds(moment) * 1000


def _outermost(record: RunRecord) -> RunRecord:
    while record.parent is not None:
        record = record.parent
    return record


def _is_agent(record: RunRecord) -> bool:
    return record.type == "chain" and record.metadata.get("lc_agent_name") == record.name
