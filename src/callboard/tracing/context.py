"""Collecting runs for the length of a block."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager, suppress
from contextvars import ContextVar

from callboard.callbacks.hooks import register_configure_hook
from callboard.tracing.collector import RunCollectorCallbackHandler

__all__ = ["collect_runs", "run_collector_var"]

run_collector_var: ContextVar[RunCollectorCallbackHandler | None] = ContextVar(
    "run_collector", default=None
)
register_configure_hook(run_collector_var, inheritable=False)


@contextmanager
def collect_runs() -> Generator[RunCollectorCallbackHandler]:
    """Collect the traces of what is called in a block.

    Yields:
        The handler, with the traces in ``traced_runs``.
    """
    collector = RunCollectorCallbackHandler()
    token = run_collector_var.set(collector)
    try:
        yield collector
    finally:
        # A generator that is abandoned, or closed by another task, ends in another context
        # than it began in; there the variable was never set.
        with suppress(ValueError):
            run_collector_var.reset(token)
