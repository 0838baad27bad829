"""Sending through somebody's ``langsmith.Client``, with its queue, settings and server."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from callboard.redaction import Redaction, redacted
from callboard.wire.operations import Operation

__all__ = ["ClientDestination"]


class ClientDestination:
    """Hands operations to a ``langsmith.Client``."""

    def __init__(self, client: Any) -> None:
        """Make a destination.

        Args:
            client: The client; it is its owner's to close.
        """
        self._client = client

    def submit(
        self, operation: Operation, *, urgent: bool = False, redactions: Sequence[Redaction] = ()
    ) -> None:
        """Hand an operation on, as the client's own tracer would; redacted, for it may send it."""
        operation = redacted(operation, redactions)
        told = {**operation.head, **operation.parts}
        if operation.attachments:
            told["attachments"] = operation.attachments
        if operation.kind == "create":
            # What the client calls the project is not what the protocol does.
            project = told.pop("session_name", None)
            name, run_type = told.pop("name"), told.pop("run_type")
            inputs = told.pop("inputs", {})
            self._client.create_run(
                name=name, run_type=run_type, inputs=inputs, project_name=project, **told
            )
        else:
            self._client.update_run(told.pop("id"), **told)

    def flush(self, timeout: float | None = None) -> bool:
        """Wait until the client has sent what it has."""
        self._client.flush()
        return True
