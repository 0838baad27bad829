"""Servers besides the one that the environment names: where replicas of runs go."""

from __future__ import annotations

import threading
from typing import NamedTuple

from callboard.export import Exporter
from callboard.langsmith import settings
from callboard.langsmith.exporters import DefaultExporter, default_exporter, made_for

__all__ = ["Server", "exporter_to", "flush_servers"]


class Server(NamedTuple):
    """A server, and how it knows us.

    Attributes:
        endpoint: Its URL; None for the one that the environment names.
        api_key: The key to send; None for none.
        headers: More headers for each request, as pairs.
    """

    endpoint: str | None = None
    api_key: str | None = None
    headers: tuple[tuple[str, str], ...] = ()


_lock = threading.Lock()
_exporters: dict[Server, DefaultExporter] = {}


def exporter_to(server: Server) -> DefaultExporter:
    """Return the exporter to a server, made the first time; it has a spool of its own.

    Args:
        server: Which one; one that says nothing stands for the environment's.
    """
    if server == Server():
        return default_exporter()
    # The environment may name another server, or redact otherwise, since it was asked last.
    endpoint = server.endpoint or settings.endpoint()
    server = server._replace(endpoint=endpoint)
    exporter = _exporters.get(server)
    if exporter is None:
        with _lock:
            exporter = _exporters.get(server)
            if exporter is None:
                headers = dict(server.headers)
                exporter = made_for(endpoint, server.api_key, headers=headers)
                _exporters[server] = exporter
    if isinstance(exporter, Exporter):
        exporter.redaction = settings.redaction()
    return exporter


def flush_servers(timeout: float) -> bool:
    """Wait until what was sent to these servers so far has arrived.

    Args:
        timeout: How long at the most for each, in seconds.

    Returns:
        Whether it has.
    """
    flushed = [exporter.flush(timeout) for exporter in list(_exporters.values())]
    return all(flushed)
