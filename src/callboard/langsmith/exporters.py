"""The process's exporter: where tracers send that are not told otherwise."""

from __future__ import annotations

import logging
import threading
from collections.abc import Mapping, Sequence
from hashlib import sha256
from typing import TypeAlias

from callboard.environment import remembered
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

    def __repr__(self) -> str:
        return f"<Nowhere: {self.counters}>"

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
_put: DefaultExporter | None = None
_made: dict[tuple[str | None, ...], DefaultExporter] = {}
_generation = 0


def default_exporter() -> DefaultExporter:
    """Return the exporter of the process, made by what the environment says the first time.

    If it can't be made, that is logged, once, and nothing is sent: the application goes on.
    After `callboard.reload_environment` it may be another one. The one before it sends what it
    has, and is shut down with the process.
    """
    return _put or _environments(_generation)


@remembered
def _environments(_: int) -> DefaultExporter:
    """Return the exporter to where the environment says; for each such place there is one."""
    # LangSmith protocol: transport and authentication.
    endpoint, key, workspace = settings.endpoint(), settings.api_key(), settings.workspace()
    headers = {} if workspace is None else {"X-Tenant-Id": workspace}
    where = (endpoint, key, workspace)
    with _lock:
        # The last one is the one in use.
        exporter = _made.pop(where, None) or made_for(endpoint, key, headers=headers)
        _made[where] = exporter
    if isinstance(exporter, Exporter):
        exporter.redaction = settings.redaction()
    return exporter


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
    try:
        spool = _spool_for(endpoint, api_key, headers)
    except BadOptionError as error:
        logger.warning("What can't be sent will wait in memory only. %s", error)
        spool = None
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
    global _put, _generation
    with _lock:
        made = list(_made.values())
        before = _put or (made[-1] if made else None)
        _put = None if exporter in made else exporter
        if exporter is None:
            _made.clear()
            _generation += 1
    return before
