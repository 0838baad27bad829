"""The process's exporter: where tracers send that are not told otherwise."""

from __future__ import annotations

import threading
from typing import Any

from callboard.export import Exporter, HttpSink, Spool
from callboard.langsmith import settings

__all__ = ["default_exporter", "set_default_exporter"]

_lock = threading.Lock()
_exporter: Any = None


def default_exporter() -> Any:
    """Return the exporter of the process, made by what the environment says the first time."""
    global _exporter
    if _exporter is None:
        with _lock:
            if _exporter is None:
                _exporter = _made_by_environment()
    return _exporter


def _made_by_environment() -> Exporter:
    directory = settings.spool_directory()
    spool = None if directory is None else Spool(directory)
    return Exporter(HttpSink(settings.endpoint(), settings.api_key()), spool=spool)


def set_default_exporter(exporter: Any) -> Any:
    """Put another exporter in its place.

    Args:
        exporter: The exporter, or None to have one made anew when it is needed.

    Returns:
        The one that was there, if any; it is the caller's to shut down.
    """
    global _exporter
    with _lock:
        before, _exporter = _exporter, exporter
    return before
