"""The handler that moves a tqdm bar on when runs end: one bar for a batch."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from callboard.integrations.base import RunRecord, RunTreeHandler
from callboard.integrations.costs import ModelSpending
from callboard.integrations.extras import load

__all__ = ["TqdmCallbackHandler"]


class TqdmCallbackHandler(RunTreeHandler):
    """Counts runs that end, and tells beside the bar what all runs used and how many failed.

    Outermost runs are counted, unless others are chosen. A cost with a ``+`` is that of the calls
    whose price is known; there were others. A bar in a notebook is drawn as one, if ipywidgets is
    installed.
    """

    def __init__(
        self,
        bar: Any = None,
        *,
        total: int | None = None,
        description: str | None = None,
        counts: str | Callable[[RunRecord], bool] | None = None,
        **options: Any,
    ) -> None:
        """Make a handler.

        Args:
            bar: A bar of tqdm's, which stays open; one is made otherwise, and closed with this.
            total: How many runs there will be, for a bar that is made; None if that is not known.
            description: What stands before a bar that is made.
            counts: Which runs move the bar: those of a type, such as ``"chat_model"``, or those
                for which a function of their record returns True; None for outermost runs.
            **options: See `RunTreeHandler`: ``redaction``, ``prices``, ``max_runs``.

        Raises:
            MissingExtraError: tqdm is not installed.
        """
        super().__init__(content=False, **options)
        self._owns_bar = bar is None
        if bar is None:
            bar = load("tqdm.auto", "tqdm", "tqdm").tqdm(total=total, desc=description, unit="run")
        self._bar = bar
        self._counts = _counter(counts)
        self._spent = ModelSpending()
        self._failed_runs = 0

    def run_ended(self, record: RunRecord) -> None:
        """Move the bar on, if the run counts; tqdm decides when to draw it."""
        counted = record.status != "unfinished" and self._counts(record)
        with self._lock:
            if record.is_model and record.status == "ok":
                self._spent.add(record)
            if counted and record.status == "error":
                self._failed_runs += 1
            if counted or record.is_model:
                self._bar.set_postfix(self._figures(), refresh=False)
                self._bar.update(int(counted))

    def flush(self) -> None:
        """Draw the bar as it is now."""
        with self._lock:
            self._bar.refresh()

    def close(self) -> None:
        """Draw the bar for good, and close it unless it is the application's."""
        super().close()
        if self._owns_bar:
            self._bar.close()

    def _figures(self) -> dict[str, str | int]:
        spent = self._spent
        told: dict[str, str | int] = {}
        if spent.total_tokens:
            told["tok"] = spent.total_tokens
        if spent.known_cost:
            told["usd"] = f"{spent.known_cost:.4f}{'+' if spent.unpriced_calls else ''}"
        if self._failed_runs:
            told["err"] = self._failed_runs
        return told


def _counter(counts: str | Callable[[RunRecord], bool] | None) -> Callable[[RunRecord], bool]:
    if counts is None:
        return lambda record: record.parent is None
    if isinstance(counts, str):
        return lambda record: record.type == counts
    return counts
