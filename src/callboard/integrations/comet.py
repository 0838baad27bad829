"""The handler that tells Comet of model calls: metrics, tables, failures and totals."""

from __future__ import annotations

import csv
import io
from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from callboard.integrations.base import RunRecord
from callboard.integrations.experiments import ExperimentHandler
from callboard.integrations.extras import load
from callboard.integrations.rows import TABLE_COLUMNS

__all__ = ["CometCallbackHandler"]


class CometCallbackHandler(ExperimentHandler):
    """Logs each model call's figures as metrics, a step a call, and the calls in CSV files.

    Failures are logged as text, and totals, when it is flushed, as other values. An experiment that
    the application has opened stays open; one that the handler had to open is ended with it.
    Nothing is logged for a token.
    """

    def __init__(
        self,
        experiment: Any = None,
        *,
        init: Mapping[str, Any] | None = None,
        table: str | None = "llm-calls",
        tags: Sequence[str] = (),
        **options: Any,
    ) -> None:
        """Make a handler.

        Args:
            experiment: The experiment of Comet's to log to, online or offline; the one under way,
                by default, or else a new one.
            init: What a new one is opened with, such as ``project_name``: see ``comet_ml.start``.
            table: What the files of calls are called, without number and ending; None to have
                none.
            tags: Tags to add to the experiment.
            **options: See `RunTreeHandler`: ``redaction``, ``prices``, ``content``, ``max_runs``.

        Raises:
            MissingExtraError: Comet's client is not installed.
        """
        comet = load("comet_ml", "comet-ml", "comet")
        given = _under_way(comet) if experiment is None else experiment
        super().__init__(given, lambda: comet.start(**(init or {})), table=table, **options)
        if tags:
            self._tracker.add_tags(list(tags))

    def log_call(self, record: RunRecord, metrics: dict[str, float]) -> None:
        """Log a call's figures, under its number."""
        with self._steps_kept():
            self._tracker.log_metrics(metrics, step=self._ledger.step("calls"))

    def log_rows(self, name: str, rows: list[list[Any]]) -> None:
        """Log rows as a file of their own, which Comet shows as a table."""
        file = io.StringIO()
        csv.writer(file).writerows([TABLE_COLUMNS, *rows])
        number = self._ledger.step("tables") + 1
        self._tracker.log_asset_data(file.getvalue(), name=f"{name}-{number}.csv")

    def log_failure(self, record: RunRecord) -> None:
        """Log a failure as text, with the run's name and ids."""
        self._tracker.log_text(
            f"{record.type} {record.name} failed: {record.error_message}",
            metadata={
                "run_id": str(record.id),
                "trace_id": str(record.trace_id),
                "type": record.type,
                "name": record.name,
                "error_type": record.error_type,
            },
        )

    def flush(self) -> None:
        """Log the rows of calls that have ended, and the totals, and have all of it sent."""
        super().flush()
        if self._tracker is None:
            return
        with self._ledger.lock:
            self._tracker.log_others(self._ledger.totals())
        self._tracker.flush()

    def end(self, tracker: Any) -> None:
        """End the experiment."""
        tracker.end()

    @contextmanager
    def _steps_kept(self) -> Generator[None]:
        """Leave the experiment's current step as it was: what else is logged goes by it."""
        before = self._tracker.curr_step
        try:
            yield
        finally:
            self._tracker.curr_step = before


def _under_way(comet: Any) -> Any:
    """Return the experiment under way; Comet names one that has ended, too."""
    running = comet.get_running_experiment()
    return running if running is not None and running.alive else None
