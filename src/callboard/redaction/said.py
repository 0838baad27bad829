"""What is said of redaction: how many values, by rule, in the metadata of each run."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from callboard.wire.operations import Operation

__all__ = ["SAID_AS", "Said"]

SAID_AS = "callboard.redacted"
"""The key of the metadata that says what was redacted: how many values, by rule."""

# What an update tells again, as far as it is known by then; the others it leaves as they are.
_TOLD_AGAIN = frozenset({"events", "extra"})
_MAX_REMEMBERED = 10_000


class Said:
    """Says in an operation's metadata what was redacted of its run.

    A server puts the metadata of an update in place of a create's. So what was redacted of the
    inputs is remembered until the run has ended, of so many runs at the most. Safe between
    threads.
    """

    def __init__(self) -> None:
        # By number, of which each change of a dictionary is one step. A lock could be held by
        # another thread when the process forks, and would be for ever in the child.
        self._remembered: dict[int, Counter[str]] = {}

    def note(
        self, operation: Operation, parts: dict[str, Any], counts: Mapping[str, Counter[str]]
    ) -> None:
        """Add to an operation's parts what was redacted.

        Args:
            operation: As it was.
            parts: What is told of it.
            counts: How many values were redacted, by part and rule.
        """
        total = self._recalled(operation, counts)
        for each in counts.values():
            total.update(each)
        extra = parts.get("extra")
        if not total or (extra is None and operation.kind == "update"):
            return  # An update's extra would stand in place of what the server has.
        extra = dict(extra) if isinstance(extra, dict) else {}
        metadata = dict(extra.get("metadata") or {})
        before = metadata.get(SAID_AS)
        if isinstance(before, dict):  # Another redaction was here first.
            total.update(before)
        parts["extra"] = extra | {"metadata": metadata | {SAID_AS: dict(sorted(total.items()))}}

    def _recalled(self, operation: Operation, counts: Mapping[str, Counter[str]]) -> Counter[str]:
        """Return what was redacted of parts that a create has told, and this update does not."""
        before = self._remembered.pop(operation.run_id.int, Counter())
        recalled = Counter(before)
        if operation.kind == "create":
            recalled.clear()
            before = sum((counts[name] for name in counts.keys() - _TOLD_AGAIN), Counter())
        if before and operation.head.get("end_time") is None:
            self._remembered[operation.run_id.int] = before
            if len(self._remembered) > _MAX_REMEMBERED:
                with suppress(StopIteration, RuntimeError):  # Another thread makes room.
                    self._remembered.pop(next(iter(self._remembered)), None)
        return recalled
