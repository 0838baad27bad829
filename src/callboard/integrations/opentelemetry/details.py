"""Events: what a model call was asked and answered, told through the logs API.

Apart from spans they may go to another place, be kept for another time, or be read by fewer.
"""

from __future__ import annotations

from typing import Any

from opentelemetry._logs import LoggerProvider, LogRecord, SeverityNumber, get_logger
from opentelemetry.context import Context

from callboard.integrations.opentelemetry.conventions import Attributes, as_json
from callboard.wire import json

__all__ = ["Details"]

_NAME = "gen_ai.client.inference.operation.details"


class Details:
    """Emits an event for each model call that has ended."""

    def __init__(
        self, logger_provider: LoggerProvider | None, version: str, schema_url: str | None
    ) -> None:
        """Take a logger.

        Args:
            logger_provider: Where events go; the global one, if it is None.
            version: Callboard's.
            schema_url: Where the conventions are written down.
        """
        self._logger = get_logger(
            "callboard", version, logger_provider=logger_provider, schema_url=schema_url
        )

    def emit(self, told: Attributes, at: int | None, context: Context) -> None:
        """Emit the event of a call.

        Args:
            told: Its attributes, content as data.
            at: When the call ended, in nanoseconds since 1970.
            context: One in which the call's span is current.
        """
        self._logger.emit(
            LogRecord(
                timestamp=at,
                context=context,
                severity_number=SeverityNumber.DEBUG,
                severity_text="DEBUG",
                event_name=_NAME,
                attributes={name: _plain(value) for name, value in told.items()},
            )
        )


def _plain(value: Any) -> Any:
    """Return data as JSON has it: an exporter may know of nothing else."""
    return json.decode(as_json(value).encode()) if isinstance(value, list | dict) else value
