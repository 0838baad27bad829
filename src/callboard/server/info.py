"""What the server says of itself, which clients read before they send anything."""

from __future__ import annotations

from typing import Any

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

import callboard
from callboard.server.answers import answer

__all__ = ["ROUTES"]

LANGSMITH_VERSION = "0.18.20"
"""The version of LangSmith whose protocol this is: clients leave out what older ones lack."""

# A client that finds `batch_ingest_config` expects all of its keys (LangSmith protocol: info).
_BATCHES = {
    "use_multipart_endpoint": True,
    "size_limit": 100,
    "size_limit_bytes": 20 * 1024 * 1024,
    "scale_up_qsize_trigger": 1000,
    "scale_up_nthreads_limit": 16,
    "scale_down_nempty_trigger": 4,
}
# Both query APIs: the old one, and that which replaces it.
_FLAGS = {
    "zstd_compression_enabled": True,
    "dataset_examples_multipart_enabled": True,
    "examples_multipart_enabled": True,
    "ch_query_enabled": True,
    "sdb_query_enabled": True,
}


def _described() -> dict[str, Any]:
    return {
        "version": LANGSMITH_VERSION,
        "license_expiration_time": None,
        "batch_ingest_config": _BATCHES,
        "instance_flags": _FLAGS,
        "callboard": {"version": callboard.__version__},
    }


async def _info(_request: Request) -> Response:
    return answer(_described())


async def _health(_request: Request) -> Response:
    return PlainTextResponse("ok")


ROUTES = [
    Route("/info", _info, methods=["GET"]),
    Route("/ok", _health, methods=["GET"]),
    Route("/health", _health, methods=["GET"]),
]
