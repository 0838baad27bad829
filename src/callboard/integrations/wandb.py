"""The handler that tells Weights & Biases of runs: trace trees, metrics and a table of calls."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from callboard.clock import microseconds
from callboard.integrations.base import RunRecord
from callboard.integrations.experiments import ExperimentHandler
from callboard.integrations.extras import load
from callboard.integrations.rows import METRICS, TABLE_COLUMNS, figures_of

__all__ = ["WandbCallbackHandler"]

_MAX_SPANS = 1_000
_MAX_TABLE = 10_000
_MAX_PARTS = 100


class WandbCallbackHandler(ExperimentHandler):
    """Logs a trace tree for each outermost run, and for each model call its figures and a row.

    A run of W&B's that the application has started stays open; one that the handler had to start
    is finished when it closes, as failed if something failed in it. Nothing is logged for a token.
    """

    def __init__(
        self,
        run: Any = None,
        *,
        init: Mapping[str, Any] | None = None,
        table: str | None = "llm/calls",
        alert_on_error: bool = False,
        **options: Any,
    ) -> None:
        """Make a handler.

        Args:
            run: The run of W&B's to log to; the one under way, by default, or else a new one.
            init: What a new one is started with, such as ``project``: see ``wandb.init``.
            table: What the table of calls is called; None to have none. After 10,000 rows or a
                hundred parts another follows, with a number after the name.
            alert_on_error: Whether to send an alert when an outermost run fails: one every
                five minutes, at the most.
            **options: See `RunTreeHandler`: ``redaction``, ``prices``, ``content``, ``max_runs``.

        Raises:
            MissingExtraError: W&B's client is not installed.
        """
        self._wandb = load("wandb", "wandb", "wandb")
        self._trees = load("wandb.sdk.data_types.trace_tree", "wandb", "wandb")
        given = self._wandb.run if run is None else run
        super().__init__(given, lambda: self._wandb.init(**(init or {})), table=table, **options)
        self._alerts = alert_on_error
        self._exit_code = 0
        for metric in METRICS.values():
            self._tracker.define_metric(metric, summary="mean")

    def run_started(self, record: RunRecord) -> None:
        """Place a run's span in its parent's, if the tree is not too big."""
        span = self._trees.Span(span_id=str(record.id), name=record.name)
        outer = None if record.parent is None else record.parent.kept
        if outer is None:
            record.kept = _Node(span, _Count())
        elif outer.count.take():
            record.kept = _Node(span, outer.count)
            with self._ledger.lock:
                outer.span.add_child_span(span)

    def run_ended(self, record: RunRecord) -> None:
        """Log a call's figures, and an outermost run's tree."""
        node = record.kept
        if node is not None:
            self._fill(node.span, record)
        super().run_ended(record)
        if record.parent is None:
            with self._ledger.lock:
                self._log_tree(record)
            record.kept = None

    def log_call(self, record: RunRecord, metrics: dict[str, float]) -> None:
        """Log a call's figures."""
        self._tracker.log(metrics)

    def _log_tree(self, record: RunRecord) -> None:
        if record.kept is not None:
            self._tracker.log({"trace": self._trees.WBTraceTree(record.kept.span)})
        if record.status != "ok":
            self._exit_code = 1
        if record.status == "error" and self._alerts:
            self._tracker.alert(
                f"{record.name} failed",
                record.error_message or "",
                level="ERROR",
                wait_duration=300,
            )

    def _fill(self, span: Any, record: RunRecord) -> None:
        kinds = self._trees.SpanKind
        span.span_kind = {"tool": kinds.TOOL, "llm": kinds.LLM, "chat_model": kinds.LLM}.get(
            record.type, kinds.CHAIN
        )
        codes = self._trees.StatusCode
        span.status_code = codes.SUCCESS if record.status == "ok" else codes.ERROR
        span.status_message = record.error_message or record.status
        span.start_time_ms = microseconds(record.start_time) // 1000
        if record.end_time is not None:
            span.end_time_ms = microseconds(record.end_time) // 1000
        span.attributes = {**figures_of(record), "tags": record.tags, "metadata": record.metadata}
        span.results = [self._trees.Result(record.inputs or {}, record.outputs or {})]

    def log_rows(self, name: str, rows: list[list[Any]]) -> None:
        """Log rows as a part of the table."""
        if name not in self._ledger.tables:
            self._ledger.tables[name] = _Tables(self._wandb, name)
        self._ledger.tables[name].log(self._tracker, rows)

    def end(self, tracker: Any) -> None:
        """Finish the run of W&B's."""
        tracker.finish(exit_code=self._exit_code)


class _Tables:
    """The table of calls, and those that follow it when it is long.

    W&B shows the latest hundred parts of a table, and holds all of its rows in memory.
    """

    def __init__(self, client: Any, name: str) -> None:
        self._client = client
        self._name = name
        self._table: Any = None
        self._tables = 0
        self._parts = 0

    def log(self, run: Any, rows: list[list[Any]]) -> None:
        """Log rows, as a part of the table or of a new one."""
        if self._table is None or self._is_full():
            self._table = self._client.Table(columns=TABLE_COLUMNS, log_mode="INCREMENTAL")
            self._tables += 1
            self._parts = 0
        for row in rows:
            self._table.add_data(*row)
        self._parts += 1
        name = self._name if self._tables == 1 else f"{self._name}_{self._tables}"
        run.log({name: self._table})

    def _is_full(self) -> bool:
        return self._parts >= _MAX_PARTS or len(self._table.data) >= _MAX_TABLE


class _Node:
    """A run's span, and how many there are in its tree."""

    __slots__ = ("count", "span")

    def __init__(self, span: Any, count: _Count) -> None:
        self.span = span
        self.count = count


class _Count:
    """How many spans a tree may still have: a trace that goes on for days must not fill memory."""

    def __init__(self) -> None:
        self._left = _MAX_SPANS

    def take(self) -> bool:
        self._left -= 1
        return self._left > 0
