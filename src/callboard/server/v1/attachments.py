"""Files of runs.

They are what somebody sent, of any type; so browsers are told to save them, not to show them,
but for pictures, sound and film of the usual kinds.
"""

from __future__ import annotations

import re
from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from callboard.server.arguments import Arguments
from callboard.server.board import board_of
from callboard.server.faults import Missing

__all__ = ["ROUTES"]

# Others, which somebody sent, are no header that a client could read.
_MIME_TYPE = re.compile(r"[\w.+-]+/[\w.+-]+ *(?:;[ -~]*)?", re.ASCII)
_UNKNOWN = "application/octet-stream"
_SHOWN = re.compile(r"image/(?:png|jpeg|gif|webp)|audio/[\w.+-]+|video/[\w.+-]+")


async def _read(request: Request) -> Response:
    board = board_of(request)
    run_id = Arguments(request.path_params).required_id("run_id")
    name = request.path_params["name"]
    attachment = await board.read(board.store.read_attachment, run_id, name)
    if attachment is None:
        raise Missing("Attachment")
    is_mime_type = _MIME_TYPE.fullmatch(attachment.mime_type)
    mime_type = attachment.mime_type if is_mime_type else _UNKNOWN
    kind = mime_type.partition(";")[0].strip().lower()
    how = "inline" if _SHOWN.fullmatch(kind) else "attachment"
    return Response(
        attachment.data,
        media_type=mime_type,
        headers={
            "Content-Disposition": f"{how}; filename*=UTF-8''{quote(name, safe='')}",
            "Content-Security-Policy": "default-src 'none'; sandbox",
            "X-Content-Type-Options": "nosniff",
        },
    )


ROUTES = [Route("/runs/{run_id}/attachments/{name:path}", _read, methods=["GET"])]
