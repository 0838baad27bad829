"""A destination that keeps what it is sent."""

from __future__ import annotations

from callboard.redaction import redacted


class Recording:
    """Keeps operations, in order."""

    def __init__(self):
        self.operations = []
        self.urgent = []
        self.flushed = []

    def submit(self, operation, *, urgent=False, redactions=()):
        self.operations.append(redacted(operation, redactions))
        self.urgent.append(urgent)

    def flush(self, timeout=None):
        self.flushed.append(timeout)
        return True

    def told(self):
        """Return the kinds of operations with the names of their runs."""
        return [f"{each.kind} {each.head['name']}" for each in self.operations]

    def of(self, name, kind="create"):
        """Return the one operation of a kind of the run of that name."""
        (found,) = [
            each for each in self.operations if (each.kind, each.head["name"]) == (kind, name)
        ]
        return found
