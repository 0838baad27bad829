"""The process's exporter: where tracers send that are not told otherwise."""

from __future__ import annotations

import logging
import threading
from collections.abc import Mapping, Sequence
from hashlib import sha256
from typing import TypeAlias

from callboard.errors import BadOptionError, MissingExtraError
from callboard.export import Counters, Exporter, Spool, open_sink
from callboard.export.counters import Fate, Ledger
from callboard.langsmith import settings
from callboard.redaction import Redaction
from callboard.wire.operations import Operation

__all__ = ["DefaultExporter", "Nowhere", "default_exporter", "made_for", "set_default_exporter"]

logger = logging.getLogger(__name__)


class Nowhere:
    """Takes operations and drops them: where tracing is asked for, but can't be done."""

    def __init__(self) -> None:
        self._ledger = Ledger()

    @property
    def counters(self) -> Counters:
        """How many operations were dropped."""
        return self._ledger.counters

    def submit(
        self, operation: Operation, *, urgent: bool = False, redactions: Sequence[Redaction] = ()
    ) -> None:
        """Drop an operation, and count it."""
        with self._ledger.lock:
            self._ledger.emitted += 1
            self._ledger.settle(Fate.DROPPED, 1)

    def flush(self, timeout: float) -> bool:
        """Return at once: there is nothing to wait for."""
        return True

    def shutdown(self, timeout: float) -> bool:
        """Return at once: there is nothing to end."""
        return True


DefaultExporter: TypeAlias = Exporter | Nowhere

_lock = threading.Lock()
_exporter: DefaultExporter | None = None


def default_exporter() -> DefaultExporter:
    """Return the exporter of the process, made by what the environment says the first time.

    If it can't be made, that is logged, once, and nothing is sent: the application goes on.
    """
    global _exporter
    if _exporter is None:
        with _lock:
            if _exporter is None:
                _exporter = _made_by_environment()
    return _exporter


def _made_by_environment() -> DefaultExporter:
    workspace = settings.workspace()
    # LangSmith protocol: transport and authentication.
    headers = {} if workspace is None else {"X-Tenant-Id": workspace}
    return made_for(settings.endpoint(), settings.api_key(), headers=headers)


def made_for(endpoint: str, api_key: str | None, *, headers: Mapping[str, str]) -> DefaultExporter:
    """Make an exporter to a server; if that can't be done, it is logged, and nothing is sent.

    Args:
        endpoint: The server's URL.
        api_key: The key to send; None for none.
        headers: More headers for each request.
    """
    try:
        sink = open_sink(endpoint, api_key, headers=headers or None)
    except (BadOptionError, MissingExtraError) as error:
        logger.warning("Tracing is on, but nothing can be sent: %s", error)
        return Nowhere()
    spool = _spool_for(endpoint, api_key, headers)
    return Exporter(sink, spool=spool, redaction=settings.redaction())


def _spool_for(endpoint: str, api_key: str | None, headers: Mapping[str, str]) -> Spool | None:
    """Return a spool for one destination alone.

    What one program could not send to one server, another program, with another server or key,
    must not send there: it would show to others what is none of theirs.
    """
    directory = settings.spool_directory()
    if directory is None:
        return None
    told = (endpoint.rstrip("/"), headers.get("X-Tenant-Id", ""), api_key or "")
    return Spool(directory / sha256("\n".join(told).encode()).hexdigest()[:16])


def set_default_exporter(exporter: DefaultExporter | None) -> DefaultExporter | None:
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
