"""The handler that logs runs as they end, with the standard library's logging or structlog."""

from __future__ import annotations

import logging
from typing import Any

from callboard.integrations.base import RunRecord, RunTreeHandler
from callboard.integrations.rows import figures_of, used

__all__ = ["LoggingCallbackHandler"]


class LoggingCallbackHandler(RunTreeHandler):
    """Logs each run when it ends: what it was, how long it took, its tokens and cost.

    Figures go with the record as fields of their own: as ``extra`` to a logger of the standard
    library, as keywords to one of structlog, each with ``run_`` before its name. What runs were
    given and returned is not logged.
    """

    def __init__(
        self,
        logger: Any = None,
        *,
        level: int = logging.INFO,
        error_level: int = logging.ERROR,
        **options: Any,
    ) -> None:
        """Make a handler.

        Args:
            logger: A logger or logger adapter of the standard library, or one of structlog's;
                by default the logger ``callboard.runs``.
            level: What runs are logged with that end well.
            error_level: What others are logged with.
            **options: See `RunTreeHandler`: ``redaction``, ``prices``, ``max_runs``.
        """
        super().__init__(content=False, **options)
        self._logger: Any = logging.getLogger("callboard.runs") if logger is None else logger
        self._is_standard = isinstance(self._logger, (logging.Logger, logging.LoggerAdapter))
        self._level, self._error_level = level, error_level

    def run_ended(self, record: RunRecord) -> None:
        """Log a run."""
        level = self._level if record.status == "ok" else self._error_level
        told = {
            "id": str(record.id),
            "trace_id": str(record.trace_id),
            "name": record.name,
            "type": record.type,
            "status": record.status,
            **figures_of(record),
            "error": record.error_message,
        }
        fields: dict[str, Any] = {
            f"run_{name}": value for name, value in told.items() if value is not None
        }
        if not self._is_standard:
            self._logger.log(level, "run ended", **fields)
        elif self._logger.isEnabledFor(level):
            self._logger.log(level, "%s", _sentence(record), extra=fields)


def _sentence(record: RunRecord) -> str:
    what = f"{record.type} {record.name}: {_outcome(record)} in {record.latency or 0.0:.3f} s"
    return ", ".join([what, *used(record)])


def _outcome(record: RunRecord) -> str:
    if record.error_message is None:
        return record.status
    # On one line, whoever chose the text: lines of a log are told apart by their ends.
    return f"failed with {' '.join(record.error_message.split())}"
