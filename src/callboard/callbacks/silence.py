"""Which handler methods do nothing, so that dispatch can skip them without a call.

A handler that does not override an event inherits a no-op for it. Those no-ops are known
here, by identity: a look-up instead of a call, and in async code instead of a thread hop.
Looking at the method itself, not at the class once and for all, keeps mocks, patched methods
and methods set on one instance heard.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from callboard.callbacks.handlers import AsyncCallbackHandler, BaseCallbackHandler
from callboard.events import EVENTS

__all__ = ["SILENT", "learn_silence"]

SILENT: set[Callable[..., Any] | None] = set()
"""The no-ops themselves: plain functions, as a bound method's ``__func__`` has them."""

# Where LangChain's own handler classes, if they are loaded too, define their no-ops.
_FOREIGN_BASE = "langchain_core.callbacks.base"


def learn_silence(handler_class: type) -> None:
    """Learn the no-ops that a class has from LangChain's handler classes."""
    for base in handler_class.__mro__:
        if base.__module__ == _FOREIGN_BASE:
            _learn(base)


def _learn(base: type) -> None:
    SILENT.update(vars(base)[name] for name in EVENTS if name in vars(base))


for _base in (*BaseCallbackHandler.__mro__, AsyncCallbackHandler):
    _learn(_base)
