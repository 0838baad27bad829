"""Faults as answers: one sentence for the client's developer, under ``detail``.

The statuses are those that LangSmith's clients know what to do with (LangSmith protocol:
transport, errors, retries): 429 and 503 are tried again, other 4xx are not.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from typing import Any

from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response

from callboard.errors import (
    BadBodyError,
    BadOptionError,
    BoardClosedError,
    BoardOverloadedError,
    BodyTooLargeError,
    FilterError,
    NameTakenError,
    StoreError,
)
from callboard.server.answers import answer

__all__ = ["HANDLERS", "Conflict", "Invalid", "Missing", "NotThereYet"]

logger = logging.getLogger(__name__)

RETRY_AFTER_SECONDS = 1
"""Short: clients multiply it with every attempt."""


class Missing(HTTPException):
    """404: there is no such thing."""

    def __init__(self, what: str) -> None:
        super().__init__(404, f"{what} not found")


class Invalid(HTTPException):
    """422: the request does not say what it must, or not in the form that is taken."""

    def __init__(self, detail: str) -> None:
        super().__init__(422, detail)


class Conflict(HTTPException):
    """409: there is another of the name."""

    def __init__(self, detail: str) -> None:
        super().__init__(409, detail)


class NotThereYet(HTTPException):
    """501: LangSmith has it, and this server has not."""

    def __init__(self, what: str) -> None:
        super().__init__(501, f"{what}: this server does not have that yet.")


_STATUSES: Mapping[type[Exception], int] = {
    BodyTooLargeError: 413,
    BadBodyError: 422,
    BadOptionError: 422,
    NameTakenError: 409,
    BoardOverloadedError: 429,
    BoardClosedError: 503,
    StoreError: 503,
}
_LATER = frozenset({429, 503})


def _explain_filter(_request: Request, error: FilterError) -> Response:
    return answer({"detail": str(error), "column": error.column, "at": error.pointer}, 400)


def _explain(request: Request, error: Exception) -> Response:
    status = next(_STATUSES[kind] for kind in type(error).__mro__ if kind in _STATUSES)
    if status == 503:
        logger.error("%s %s is answered 503: %s", request.method, request.url.path, error)
    headers = {"Retry-After": str(RETRY_AFTER_SECONDS)} if status in _LATER else None
    return answer({"detail": str(error)}, status, headers)


def _leave(_request: Request, _error: ClientDisconnect) -> Response:
    """Answer nobody: the client went away before it had said all, which is no fault of ours."""
    return answer({"detail": "The request ended before its body did."}, 400)


def _explain_http(_request: Request, error: HTTPException) -> Response:
    return answer({"detail": error.detail}, error.status_code, error.headers)


def _explain_fault(request: Request, error: Exception) -> Response:
    """Answer for a fault of our own; what it was is for the log, not for whoever asked."""
    logger.error(
        "%s %s failed; please report it.", request.method, request.url.path, exc_info=error
    )
    return answer({"detail": "The server failed at this; its log says how."}, 500)


HANDLERS: Mapping[Any, Callable[[Request, Any], Response]] = {
    **dict.fromkeys(_STATUSES, _explain),
    FilterError: _explain_filter,
    HTTPException: _explain_http,
    ClientDisconnect: _leave,
    Exception: _explain_fault,
}
"""What answers for each exception."""
