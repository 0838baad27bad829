"""The table of model calls: a row a call, logged in parts, never too long."""

from __future__ import annotations

from typing import Any

from callboard.integrations.messages import said_in, said_out
from callboard.integrations.records import RunRecord
from callboard.integrations.rows import figures_of
from callboard.wire import json

__all__ = ["CallTable"]

_COLUMNS = ["run_id", "model", "prompt", "answer", "status", "latency_s", "tokens", "cost_usd"]
_MAX_TEXT = 10_000
_PART = 500
_MAX_ROWS = 10_000
_MAX_PARTS = 100


class CallTable:
    """A table of W&B's that is logged part by part.

    W&B holds all rows of a table in memory, and shows the latest hundred parts: so after so many
    rows or parts a new table is begun, with a number after its name.
    """

    def __init__(self, client: Any, name: str) -> None:
        """Make an empty one.

        Args:
            client: The module ``wandb``.
            name: What it is called in the run.
        """
        self._client = client
        self._name = name
        self._tables = 0
        self._table: Any = None
        self._parts = 0
        self._waiting: list[list[Any]] = []

    def add(self, record: RunRecord, run: Any) -> None:
        """Add a call, and log the rows that wait if they are many.

        Args:
            record: The record of the call.
            run: The run of W&B's to log to.
        """
        self._waiting.append(_row(record))
        if len(self._waiting) >= _PART:
            self.log(run)

    def log(self, run: Any) -> None:
        """Log the rows that wait.

        Args:
            run: The run of W&B's to log to.
        """
        if not self._waiting:
            return
        if self._table is None or self._is_full():
            self._table = self._client.Table(columns=_COLUMNS, log_mode="INCREMENTAL")
            self._tables += 1
            self._parts = 0
        rows, self._waiting = self._waiting, []
        for row in rows:
            self._table.add_data(*row)
        self._parts += 1
        name = self._name if self._tables == 1 else f"{self._name}_{self._tables}"
        run.log({name: self._table})

    def _is_full(self) -> bool:
        return self._parts >= _MAX_PARTS or len(self._table.data) >= _MAX_ROWS


def _row(record: RunRecord) -> list[Any]:
    figures, tokens = figures_of(record), record.tokens
    prompt = json.encode([[said.role, said.text] for said in said_in(record)]).decode()
    return [
        str(record.id),
        figures.get("model"),
        _short(prompt),
        _short("\n\n".join(said.text for said in said_out(record))),
        record.status,
        figures.get("latency"),
        None if tokens is None else tokens.total,
        figures.get("cost"),
    ]


def _short(text: str) -> str:
    return text if len(text) <= _MAX_TEXT else f"{text[:_MAX_TEXT]}..."
