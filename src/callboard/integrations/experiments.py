"""Experiment trackers: what platforms have in common that plot figures and show tables.

Each model call is told in figures, under the same names everywhere, and as a row of a table that is
logged from time to time. What is counted, is counted for each of the tracker's objects, however
many handlers log to it: two handlers don't plot over each other's points.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Any
from uuid import UUID
from weakref import WeakKeyDictionary

from callboard.integrations.base import RunRecord, RunTreeHandler
from callboard.integrations.costs import ModelSpending
from callboard.integrations.holds import Hold
from callboard.integrations.names import Names
from callboard.integrations.rows import metrics_of, table_row
from callboard.usage import UNKNOWN_MODEL

__all__ = ["ExperimentHandler", "Ledger"]

_MAX_MODELS = 100


class Ledger:
    """What has been counted for a tracker's object: a run, a task, an experiment.

    Attributes:
        lock: Held while something is logged, so that numbers come in order.
        spent: What all calls have used that were answered.
        failed_calls: How many calls were not.
        tables: The tracker's own tables by name, if it has such a thing, to log to again.
    """

    def __init__(self) -> None:
        self.lock = Hold()
        self.spent = ModelSpending()
        self.failed_calls = 0
        self.tables: dict[str, Any] = {}
        self._models = Names()
        self._steps: Counter[str] = Counter()

    def step(self, series: str) -> int:
        """Return the number of the next point of a series, the first being 0.

        Args:
            series: The series.
        """
        step = self._steps[series]
        self._steps[series] += 1
        return step

    def model_of(self, record: RunRecord) -> str:
        """Return what a call's model is called, or ``other`` if too many are told apart already."""
        model = record.response_model or record.model or UNKNOWN_MODEL
        return self._models.known(model, _MAX_MODELS)

    def count(self, record: RunRecord) -> None:
        """Count a call that has ended, whichever way."""
        if record.status == "ok":
            self.spent.add(record)
        else:
            self.failed_calls += 1

    def totals(self) -> dict[str, float]:
        """Return what all calls have used, by name."""
        return {
            "llm/calls": self.spent.calls + self.failed_calls,
            "llm/failed_calls": self.failed_calls,
            "llm/unpriced_calls": self.spent.unpriced_calls,
            "llm/total_input_tokens": self.spent.prompt_tokens,
            "llm/total_output_tokens": self.spent.completion_tokens,
            "llm/total_known_cost_usd": self.spent.known_cost,
        }


class ExperimentHandler(RunTreeHandler):
    """Tells a tracker of each model call: override `log_call`, `log_rows`, `log_failure` and `end`.

    The first three are called while the ledger's lock is held.
    """

    max_rows = 500
    """How many rows are held before they are logged."""
    max_text = 10_000
    """How much is told of one prompt or answer, in characters."""

    def __init__(
        self, tracker: Any, begin: Callable[[], Any], *, table: str | None, **options: Any
    ) -> None:
        """Make a handler.

        Args:
            tracker: The tracker's object to log to; None if there is none yet.
            begin: Begins one, which is ended with the handler.
            table: What the table of calls is called; None to have none.
            **options: See `RunTreeHandler`.
        """
        super().__init__(**options)
        self._is_ours = tracker is None
        # None once it has been ended.
        self._tracker: Any = begin() if tracker is None else tracker
        self._ledger = _ledger_of(self._tracker)
        self._table_name = table
        self._rows: list[list[Any]] = []
        # The last error from inside a run, to know it by when the run only passes it on.
        self._passed_on: dict[UUID, str] = {}

    # What trackers override.

    def log_call(self, record: RunRecord, metrics: dict[str, float]) -> None:
        """Log the figures of a model call."""

    def log_rows(self, name: str, rows: list[list[Any]]) -> None:
        """Log rows of the table of calls: see `callboard.integrations.rows.TABLE_COLUMNS`."""

    def log_failure(self, record: RunRecord) -> None:
        """Log that a run has failed, where the error arose: not again for the runs around it."""

    def end(self, tracker: Any) -> None:
        """End the tracker's object, which the handler has begun."""

    # From the contract's methods to these.

    def run_ended(self, record: RunRecord) -> None:
        """Log a model call, and a failure."""
        with self._ledger.lock:
            if record.is_model:
                self._take_call(record)
            if record.error_message is not None:
                self._take_failure(record, record.error_message)
            self._passed_on.pop(record.id, None)

    def flush(self) -> None:
        """Log the rows of calls that have ended."""
        with self._ledger.lock:
            self._log_rows()

    def close(self) -> None:
        """Log what is unfinished, and end the tracker's object if the handler has begun it."""
        super().close()
        if self._is_ours and self._tracker is not None:
            tracker, self._tracker = self._tracker, None
            self.end(tracker)

    def _take_call(self, record: RunRecord) -> None:
        self._ledger.count(record)
        self.log_call(record, metrics_of(record))
        if self._table_name is not None:
            self._rows.append(table_row(record, self.max_text))
            if len(self._rows) >= self.max_rows:
                self._log_rows()

    def _log_rows(self) -> None:
        rows, self._rows = self._rows, []
        if rows and self._table_name is not None:
            self.log_rows(self._table_name, rows)

    def _take_failure(self, record: RunRecord, message: str) -> None:
        outer = record.parent
        if outer is not None and outer.status == "running":
            self._passed_on[outer.id] = message
        if self._passed_on.get(record.id) != message:
            self.log_failure(record)


_ledgers: WeakKeyDictionary[Any, Ledger] = WeakKeyDictionary()
_opening = Hold()


def _ledger_of(tracker: Any) -> Ledger:
    with _opening:
        return _ledgers.setdefault(tracker, Ledger())
