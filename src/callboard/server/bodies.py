"""Bodies of requests: read as they come, decompressed, and never more than may be."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from starlette.requests import Request

from callboard.errors import BadBodyError
from callboard.server.board import board_of
from callboard.wire import json
from callboard.wire.compression import Decompressor

__all__ = ["pour", "read_body", "read_json", "read_object"]

_MAX_JSON_DEPTH = 100


async def pour(request: Request, feed: Callable[[bytes], object]) -> None:
    """Give a request's body, decompressed, to what reads it, as it comes.

    Args:
        request: The request.
        feed: Takes the next bytes.

    Raises:
        BodyTooLargeError: There are more than may be.
        BadBodyError: They are compressed in a way that is not known, or wrongly.
    """
    limits = board_of(request).settings.limits
    take = feed
    encoding = request.headers.get("content-encoding", "identity").lower()
    if encoding == "zstd":
        take = Decompressor(feed, limits.body_bytes).feed
    elif encoding != "identity":
        raise BadBodyError(f"The Content-Encoding is {encoding!r}; accepted is zstd.")
    size = 0
    async for chunk in request.stream():
        size += len(chunk)
        limits.check_body(size)
        take(chunk)


async def read_body(request: Request) -> bytes:
    """Return a request's whole body, decompressed.

    Raises:
        BodyTooLargeError: It is bigger than it may be.
        BadBodyError: It is compressed in a way that is not known, or wrongly.
    """
    pieces: list[bytes] = []
    await pour(request, pieces.append)
    return b"".join(pieces)


async def read_json(request: Request) -> Any:
    """Return what a request's body says in JSON.

    Raises:
        BodyTooLargeError: It is bigger than it may be.
        BadBodyError: It is no JSON, or nested too deeply.
    """
    body = await read_body(request)
    if not body:
        return None
    try:
        return json.read_clean(body, _MAX_JSON_DEPTH)[1]
    except BadBodyError as error:
        raise BadBodyError(f"The body is refused: {error}") from None


async def read_object(request: Request) -> dict[str, Any]:
    """Return the JSON object that is a request's body; an empty one if there is no body.

    Raises:
        BodyTooLargeError: It is bigger than it may be.
        BadBodyError: It is no JSON object.
    """
    content = await read_json(request)
    if content is None:
        return {}
    if not isinstance(content, dict):
        raise BadBodyError("The body is refused: it is JSON, but no object.")
    return content
