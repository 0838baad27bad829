"""What a server says of itself at ``/info``, and what follows from it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from callboard.export.sinks.base import Limits

__all__ = ["Server"]

_STANDARD = Limits()


@dataclass(frozen=True, slots=True)
class Server:
    """What a server takes; the defaults are for one that did not say.

    Attributes:
        multipart: Whether ``/runs/multipart`` is there; if not, ``/runs/batch`` is used.
        zstd: Whether it takes compressed bodies.
        limits: How much it takes at once.
        is_callboard: Whether it is Callboard, and so takes progress too.
    """

    multipart: bool = True
    zstd: bool = False
    limits: Limits = _STANDARD
    is_callboard: bool = False

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
            is_callboard=bool(said.get("callboard")),
        )


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _positive(value: Any, otherwise: int) -> int:
    return value if isinstance(value, int) and value > 0 else otherwise
