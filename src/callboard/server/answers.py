"""Answers as JSON."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import orjson
from starlette.responses import Response

__all__ = ["answer", "no_content"]


def answer(content: Any, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """Return a JSON answer.

    Args:
        content: Anything that orjson encodes; `orjson.Fragment` for JSON that is there already.
        status: The HTTP status.
        headers: More headers.
    """
    return Response(
        orjson.dumps(content),
        status,
        dict(headers) if headers else None,
        media_type="application/json",
    )


def no_content() -> Response:
    """Return the answer to what has nothing to say: 204."""
    return Response(status_code=204)
