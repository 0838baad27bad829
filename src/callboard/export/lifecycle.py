"""The ends that a process can have, and forks: exporters outlive none and survive all.

Exporters that run are registered here. At the interpreter's exit each is shut down; in the child
of a fork each begins anew. Children that `multiprocessing` makes end without the interpreter's
exit, so there its own is used.
"""

from __future__ import annotations

import atexit
import os
import sys
from time import monotonic
from typing import Protocol

__all__ = ["Mortal", "ended", "flush_all", "shutdown_all", "started"]


class Mortal(Protocol):
    """What is shut down at the end of a process, and begins anew in a fork's child."""

    exit_timeout: float

    def close_intake(self) -> None:
        """Begin to shut down."""
        ...

    def flush(self, timeout: float) -> bool:
        """Send what there is."""
        ...

    def shutdown(self, timeout: float | None = None) -> bool:
        """Shut down."""
        ...

    def after_fork(self) -> None:
        """Begin anew, in the child of a fork."""
        ...


# Strong references: one that was started and forgotten still has something to send.
_running: set[Mortal] = set()


def started(exporter: Mortal) -> None:
    """Register an exporter that has begun to run."""
    _running.add(exporter)
    multiprocessing = sys.modules.get("multiprocessing.process")
    if multiprocessing is not None and multiprocessing.parent_process() is not None:
        from multiprocessing.util import Finalize  # noqa: PLC0415 - loaded there already

        # With a priority, as only those that have one are called.
        Finalize(None, exporter.shutdown, exitpriority=10)


def ended(exporter: Mortal) -> None:
    """Forget an exporter that has been shut down."""
    _running.discard(exporter)


def shutdown_all(timeout: float | None = None) -> None:
    """Shut every exporter down that runs, all at once.

    Args:
        timeout: How long at the most, in seconds; None: what each of them allows itself.
    """
    exporters = list(_running)
    begin = monotonic()
    for exporter in exporters:
        exporter.close_intake()
    for exporter in exporters:
        allowed = exporter.exit_timeout if timeout is None else timeout
        exporter.shutdown(max(0.0, begin + allowed - monotonic()))


def flush_all(timeout: float) -> bool:
    """Flush every exporter that runs, all in the same time.

    For programs that end without the interpreter's exit, and for those that are frozen: before
    they do.

    Args:
        timeout: How long at the most, in seconds.

    Returns:
        Whether all that was submitted before has left memory.
    """
    deadline = monotonic() + timeout
    flushed = [exporter.flush(max(0.0, deadline - monotonic())) for exporter in list(_running)]
    return all(flushed)


def _after_fork() -> None:
    exporters = list(_running)
    _running.clear()
    for exporter in exporters:
        exporter.after_fork()


atexit.register(shutdown_all)
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)
