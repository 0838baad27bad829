"""The verdict: what an HTTP status means for the operations that were sent.

=====================  ==========================================================
status                 verdict
=====================  ==========================================================
2xx                    accepted; but a web page is no answer of a server for traces
409                    accepted: they are there already
401, 403               the key is missing or refused
413                    too large, all at once
408, 425, 429, 503     not now; ``Retry-After`` is honoured
other 5xx              not now; or it fails over these operations, and not over others
3xx, 1xx, a web page   not now: somebody stands between, a portal or a proxy
other 4xx              never
=====================  ==========================================================
"""

from __future__ import annotations

import json
from typing import Any

from callboard.errors import (
    BatchRejectedError,
    BatchTooLargeError,
    KeyRefusedError,
    SinkError,
    SinkUnavailableError,
)
from callboard.export.retry import retry_after_seconds

__all__ = ["verdict_on"]

_ACCEPTED = 409
_LATER = frozenset({408, 425, 429, 503})
_KEY = frozenset({401, 403})
_TOO_LARGE = 413
_SENTENCE = 300


def verdict_on(
    status: int, body: bytes, retry_after: str | None, *, server: str, has_key: bool
) -> SinkError | None:
    """Return what is to be raised, or None if the operations were accepted.

    Args:
        status: The answer's status.
        body: Its body, as much as was read.
        retry_after: Its header of that name.
        server: What to call the server.
        has_key: Whether a key was sent.
    """
    is_page = body.lstrip()[:1] == b"<"
    if (200 <= status < 300 and not is_page) or status == _ACCEPTED:
        return None
    said = f"{server} answered {status}{_sentence(body)}"
    if status in _KEY:
        key = "The API key was refused" if has_key else "An API key is needed, and none was given"
        return KeyRefusedError(f"{key}: {said}. LANGSMITH_API_KEY is what to set.")
    if status == _TOO_LARGE:
        return BatchTooLargeError(f"{said}.")
    if status in _LATER or status >= 500 or status < 400:
        # Who is overloaded says so by one of these, and may do so to any request by chance.
        fails = status >= 500 and status not in _LATER
        seconds = retry_after_seconds(retry_after)
        return SinkUnavailableError(f"{said}.", retry_after=seconds, suspicious=fails)
    return BatchRejectedError(f"{said}. The operations are dropped: to repeat them won't help.")


def _sentence(body: bytes) -> str:
    """Return what a server said, for a log: its ``detail`` or ``error``, else its text."""
    text = body.decode("utf-8", "replace").strip()
    try:
        said = json.loads(text)
    except (ValueError, RecursionError):
        said = text
    if isinstance(said, dict):
        said = said.get("detail") or said.get("error") or said.get("message") or text
    if isinstance(said, list):
        said = [_told(each) for each in said]
    # One line, as logs have; and nothing that a terminal would obey.
    line = " ".join(str(said).split())
    shown = "".join(each for each in line if each.isprintable())[:_SENTENCE]
    return f": {shown}" if shown else ""


def _told(problem: Any) -> Any:
    """Return what FastAPI says of a problem, without the input: that is a trace's content."""
    if not isinstance(problem, dict):
        return problem
    return {name: each for name, each in problem.items() if name in ("type", "loc", "msg")}
