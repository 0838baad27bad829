"""Clients of the ``langsmith`` SDK that are given nothing but what may leave the process."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from callboard.langsmith.attachments import read_attachments
from callboard.redaction import Redaction, redacted
from callboard.tracing.capture import capture
from callboard.wire.heads import FIELDS
from callboard.wire.operations import PARTS, Kind, Operation

__all__ = ["RedactingClient", "operation_of"]

# What of a head redaction may change.
_TOLD = ("name", "tags")


class RedactingClient:
    """Stands before a client while runs are sent by it: redacts them, and hands them on."""

    def __init__(self, client: Any, redactions: Sequence[Redaction]) -> None:
        """Stand before a client.

        Args:
            client: The program's.
            redactions: What is taken out of runs before the client has them.
        """
        self._client = client
        self._redactions = redactions

    def create_run(self, **told: Any) -> None:
        """Hand on what tells of a run that has started."""
        self._client.create_run(**self._safe("create", told))

    def update_run(self, *, run_id: Any, **told: Any) -> None:
        """Hand on what tells of a run that has ended."""
        safe = self._safe("update", {"id": run_id, **told})
        self._client.update_run(run_id=safe.pop("id"), **safe)

    def _safe(self, kind: Kind, told: Mapping[str, Any]) -> dict[str, Any]:
        safe = redacted(operation_of(kind, told), self._redactions)
        changed = {name: safe.head[name] for name in _TOLD if name in safe.head}
        files = {"attachments": safe.attachments} if told.get("attachments") else {}
        return {**told, **changed, **safe.parts, **files}


def operation_of(kind: Kind, told: Mapping[str, Any]) -> Operation:
    """Return what the SDK would send as an operation, which keeps nothing of the program's.

    Args:
        kind: Whether it tells of a start or of what came after.
        told: What its client is told of the run.
    """
    return Operation(
        kind,
        told["id"],
        {name: told[name] for name in FIELDS if told.get(name) is not None},
        {name: capture(told[name]) for name in PARTS if told.get(name) is not None},
        read_attachments(told.get("attachments") or {}),
    )
