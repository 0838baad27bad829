"""How a server is to serve: where, from which file, and how much it takes."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass, field
from pathlib import Path

from callboard.errors import BadOptionError
from callboard.store.database import default_database
from callboard.wire.intake import Limits

__all__ = ["DEFAULT_HOST", "DEFAULT_PORT", "MAX_QUEUED_BYTES", "Settings"]

DEFAULT_HOST = "127.0.0.1"
DEFAULT_PORT = 1984
MAX_QUEUED_BYTES = 64 * 1024 * 1024
"""How much may wait to be written before requests are turned away."""


@dataclass(frozen=True, slots=True)
class Settings:
    """What a server is started with.

    Attributes:
        host: The address to listen at; a loopback one.
        port: The port to listen at; 0 takes one that is free.
        database: The file.
        limits: How much a request may be.
        max_queued_bytes: How much may wait to be written before requests are turned away.
        readers: How many reads go on at a time.
        full_sync: Whether what comes is on the disk before it is answered for, not just with the
            system: then power loss costs nothing that was acknowledged either.
    """

    host: str = DEFAULT_HOST
    port: int = DEFAULT_PORT
    database: Path = field(default_factory=default_database)
    limits: Limits = field(default_factory=Limits)
    max_queued_bytes: int = MAX_QUEUED_BYTES
    readers: int = 4
    full_sync: bool = False

    def __post_init__(self) -> None:
        if not is_loopback(self.host):
            raise BadOptionError(
                f"The server listens at loopback addresses only, such as {DEFAULT_HOST}, as it has "
                f"no keys yet to tell who may read traces; got {self.host!r}."
            )
        if not 0 <= self.port <= 65_535:
            raise BadOptionError(f"A port is a number from 0 to 65535, got {self.port}.")


def is_loopback(host: str) -> bool:
    """Whether a name or an address is this machine's, for this machine alone."""
    if host.lower().rstrip(".") == "localhost" or host.lower().endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False
