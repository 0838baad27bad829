"""What a server says of itself at ``/info``, and what follows from it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from callboard.export.sinks.base import Limits

__all__ = ["ProgressOffer", "Server"]

_STANDARD = Limits()
_PATH = re.compile(r"(/[A-Za-z0-9_-]+){1,8}")
_INTERVALS = range(20, 60_001)
_INTERVAL = 100


class ProgressOffer(NamedTuple):
    """How a server takes what running models say.

    Attributes:
        path: Where, below the endpoint.
        interval: How many seconds should lie between two requests.
    """

    path: str
    interval: float


@dataclass(frozen=True, slots=True)
class Server:
    """What a server takes; the defaults are for one that did not say.

    Attributes:
        multipart: Whether ``/runs/multipart`` is there; if not, ``/runs/batch`` is used.
        zstd: Whether it takes compressed bodies.
        limits: How much it takes at once.
        progress: How it takes progress, if it does: only Callboard's own server does.
    """

    multipart: bool = True
    zstd: bool = False
    limits: Limits = _STANDARD
    progress: ProgressOffer | None = None

    @classmethod
    def from_info(cls, info: Any) -> Server:
        """Read the answer of ``/info`` (LangSmith protocol: info).

        Args:
            info: What its JSON says; whatever is missing or odd there counts as not said.
        """
        said = _mapping(info)
        config = _mapping(said.get("batch_ingest_config"))
        flags = _mapping(said.get("instance_flags"))
        return cls(
            multipart=config.get("use_multipart_endpoint") is not False,
            zstd=flags.get("zstd_compression_enabled") is True,
            limits=Limits(
                _positive(config.get("size_limit"), _STANDARD.operations),
                _positive(config.get("size_limit_bytes"), _STANDARD.bytes),
            ),
            progress=_offer(_mapping(_mapping(said.get("callboard")).get("progress"))),
        )


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _positive(value: Any, otherwise: int) -> int:
    return value if isinstance(value, int) and value > 0 else otherwise


def _offer(said: Mapping[str, Any]) -> ProgressOffer | None:
    path, interval = said.get("path"), said.get("interval_ms")
    if not isinstance(path, str) or not _PATH.fullmatch(path):
        return None
    if not isinstance(interval, int) or interval not in _INTERVALS:
        interval = _INTERVAL
    return ProgressOffer(path, interval / 1000)
