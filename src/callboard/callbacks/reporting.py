"""Reporting: what becomes of an exception that a handler raises."""

from __future__ import annotations

import logging
from asyncio import CancelledError
from weakref import WeakSet

from callboard.callbacks.handlers import BaseCallbackHandler
from callboard.errors import RefusedError, UnknownRunError

__all__ = ["report"]

# Where applications look for it, and filter by.
logger = logging.getLogger("callboard.callbacks.dispatch")

_came_late: WeakSet[BaseCallbackHandler] = WeakSet()


def report(handler: BaseCallbackHandler, where: str, error: BaseException) -> None:
    """Judge what a handler raised: log it, and raise it if the handler wants that.

    A cancellation is never raised: the host would take it for its own. A refusal that is raised
    is not logged: that is what its handler is for, and no failure.

    Args:
        handler: Who raised it.
        where: What was called.
        error: What was raised.
    """
    if not (isinstance(error, RefusedError) and _raises(handler)):
        _log(handler, where, error)
    if not isinstance(error, (NotImplementedError, CancelledError)) and _raises(handler):
        raise error


def _raises(handler: BaseCallbackHandler) -> bool:
    try:
        return bool(getattr(handler, "raise_error", False))
    except Exception as unreadable:  # noqa: BLE001 - a property may raise anything
        _log(handler, "raise_error", unreadable)
        return False


def _log(handler: BaseCallbackHandler, where: str, error: BaseException) -> None:
    name = type(handler).__name__
    if not isinstance(error, UnknownRunError):
        logger.warning("%s.%s failed: %r", name, where, error, exc_info=error)
    elif _is_first(handler):
        # It joined while runs were under way. Each token of those is an event too.
        logger.warning(
            "%s passes over events of runs whose start it did not hear: %s This is said once.",
            name,
            error,
        )


def _is_first(handler: BaseCallbackHandler) -> bool:
    try:
        if handler in _came_late:
            return False
        _came_late.add(handler)
    except Exception:  # noqa: BLE001 - one that can't be hashed or referred to: said each time
        return True
    return True
