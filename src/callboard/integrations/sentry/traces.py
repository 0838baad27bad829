"""A trace as Sentry's events need it: whose it is, what happened before, and what it has used."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Generator
from contextlib import contextmanager
from typing import Any

import sentry_sdk
from sentry_sdk.scope import use_isolation_scope, use_scope

from callboard.integrations.records import RunRecord
from callboard.integrations.rows import figures_of
from callboard.integrations.sentry.consent import consent

__all__ = ["Trace"]


class Trace:
    """One outermost run and all in it.

    Threads of a pool have scopes of their own, or somebody else's. What is told of a trace is
    told with the scopes in which it began: those of the web request, the task or the job.

    Attributes:
        scope: The current scope there.
        consent: What content the client there tells.
        lock: Held while what belongs to the trace is changed.
    """

    def __init__(self, max_breadcrumbs: int) -> None:
        """Begin a trace, in the scopes that it belongs to.

        Args:
            max_breadcrumbs: How many of the last runs are remembered.
        """
        self._isolation = sentry_sdk.get_isolation_scope()
        self.scope = sentry_sdk.get_current_scope()
        self.consent = consent()
        self._breadcrumbs: deque[dict[str, Any]] = deque(maxlen=max_breadcrumbs)
        self._calls = self._given = self._returned = 0
        self._cost: float | None = 0.0
        self.lock = threading.RLock()

    @contextmanager
    def scopes(self) -> Generator[None]:
        """Have the block be in the trace's scopes."""
        with use_isolation_scope(self._isolation), use_scope(self.scope):
            yield

    def add(self, record: RunRecord) -> None:
        """Remember a run that has ended."""
        crumb = _breadcrumb(record)
        with self.lock:
            self._breadcrumbs.append(crumb)

    def count(self, record: RunRecord) -> None:
        """Count what a run that has ended has used, if it is a model's."""
        if not record.is_model:
            return
        tokens, cost = record.tokens, record.cost
        with self.lock:
            self._calls += 1
            if tokens is None:
                return  # A call that fails costs nothing that anybody is told.
            self._given += tokens.prompt or 0
            self._returned += tokens.completion or 0
            known = None if cost is None else cost.total
            self._cost = None if known is None or self._cost is None else self._cost + known

    def breadcrumbs(self) -> list[dict[str, Any]]:
        """Return the runs that have ended last, the oldest first."""
        with self.lock:
            return list(self._breadcrumbs)

    def usage(self) -> dict[str, Any]:
        """Return what its models have used so far; the cost only if all of it is known."""
        with self.lock:
            used = {
                "model_calls": self._calls,
                "input_tokens": self._given,
                "output_tokens": self._returned,
            }
            return used if self._cost is None else {**used, "cost_usd": self._cost}


def _breadcrumb(record: RunRecord) -> dict[str, Any]:
    failed = record.error_message
    return {
        "type": "default" if failed is None else "error",
        "category": f"callboard.{record.type}",
        "message": record.name if failed is None else f"{record.name}: {failed}",
        "level": "info" if failed is None else "error",
        "timestamp": record.end_time,
        "data": {"run_id": str(record.id), "status": record.status, **figures_of(record)},
    }
