"""The handler that tells ClearML of model calls: scalars, tables, failures and totals."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

from callboard.integrations.base import RunRecord
from callboard.integrations.experiments import ExperimentHandler
from callboard.integrations.extras import load
from callboard.integrations.rows import TABLE_COLUMNS

__all__ = ["ClearMLCallbackHandler"]


class ClearMLCallbackHandler(ExperimentHandler):
    """Reports each model call's figures as scalars, a series a model, and the calls in tables.

    Failures go to the task's console log, and totals, when it is flushed, to its summary. A task
    that the application has opened stays open; one that the handler had to open is closed with it.
    Nothing is reported for a token.
    """

    # A table is a plot, and its page draws all of it.
    max_rows = 100
    max_text = 1_000

    def __init__(
        self,
        task: Any = None,
        *,
        init: Mapping[str, Any] | None = None,
        table: str | None = "llm/calls",
        tags: Sequence[str] = (),
        **options: Any,
    ) -> None:
        """Make a handler.

        Args:
            task: The task of ClearML's to report to; the current one, by default, or else a new
                one.
            init: What a new one is opened with, such as ``project_name``: see ``Task.init``.
            table: What the tables of calls are called; None to have none.
            tags: Tags to add to the task.
            **options: See `RunTreeHandler`: ``redaction``, ``prices``, ``content``, ``max_runs``.

        Raises:
            MissingExtraError: ClearML's client is not installed.
        """
        tasks = load("clearml", "clearml", "clearml").Task
        given = tasks.current_task() if task is None else task
        super().__init__(given, lambda: tasks.init(**(init or {})), table=table, **options)
        if tags:
            self._tracker.add_tags(list(tags))
        self._reports = self._tracker.get_logger()

    def log_call(self, record: RunRecord, metrics: dict[str, float]) -> None:
        """Report a call's figures, each as a point of its model's series."""
        model = self._ledger.model_of(record)
        for name, value in metrics.items():
            point = self._ledger.step(f"{name} {model}")
            self._reports.report_scalar(name, model, value, point)

    def log_rows(self, name: str, rows: list[list[Any]]) -> None:
        """Report a table of rows, which stays beside those before it."""
        shown = [[_shown(each) for each in row] for row in rows]
        self._reports.report_table(
            name, "calls", self._ledger.step("tables"), table_plot=[TABLE_COLUMNS, *shown]
        )

    def log_failure(self, record: RunRecord) -> None:
        """Write a failure to the task's console log."""
        said = f"{record.type} {record.name} failed: {record.error_message} (run {record.id})"
        self._reports.report_text(said, level=logging.ERROR, print_console=False)

    def flush(self) -> None:
        """Report the rows of calls that have ended, and the totals, and have all of it sent.

        ClearML does that in its own background; the first time, it may take it seconds to begin.
        """
        super().flush()
        if self._tracker is None:
            return
        with self._ledger.lock:
            for name, total in self._ledger.totals().items():
                self._reports.report_single_value(name, total)
        self._tracker.flush()

    def end(self, tracker: Any) -> None:
        """Close the task."""
        tracker.close()


def _shown(value: Any) -> Any:
    """Return a cell: what looks like HTML in it would be taken for that."""
    return escape(value, quote=False) if isinstance(value, str) else value
