"""Callboard's handlers and managers, where LangChain checks classes and nothing is installed.

LangChain asks little of a handler in a config. The constructors of its models, tools and chains,
and LangGraph's calls, insist on its own classes.
"""

from __future__ import annotations

from functools import cache
from importlib import import_module
from typing import Any

from callboard.callbacks.base_manager import BaseCallbackManager
from callboard.callbacks.checks import check_handler
from callboard.events import EVENTS
from callboard.langchain.installation import installed

__all__ = ["to_langchain"]


def to_langchain(callbacks: Any) -> Any:
    """Return callbacks as LangChain takes them everywhere, also where it checks classes.

    A handler comes back as one of LangChain's that passes all on to it, a manager as one of
    LangChain's with the same handlers, tags, metadata and parent. What is LangChain's own, and
    everything while Callboard is installed in LangChain's place, comes back as it is.

    Args:
        callbacks: A handler, a list of them, a manager, or None.

    Raises:
        BadHandlerError: It is none of these, or something in the list is no handler.
    """
    if callbacks is None or installed():
        return callbacks
    if isinstance(callbacks, list):
        return [_handler(each) for each in callbacks]
    if isinstance(callbacks, BaseCallbackManager):
        return _manager(callbacks)
    if isinstance(callbacks, _theirs("BaseCallbackManager")):
        return callbacks
    return _handler(callbacks)


def _theirs(name: str) -> Any:
    return getattr(import_module("langchain_core.callbacks"), name)


def _handler(handler: Any) -> Any:
    check_handler(handler)
    theirs = isinstance(handler, _theirs("BaseCallbackHandler"))
    return handler if theirs else _adapter_class()(handler)


def _manager(manager: BaseCallbackManager) -> Any:
    kind = _theirs("AsyncCallbackManager" if manager.is_async else "CallbackManager")
    return kind(
        handlers=[_handler(each) for each in manager.handlers],
        inheritable_handlers=[_handler(each) for each in manager.inheritable_handlers],
        parent_run_id=manager.parent_run_id,
        tags=list(manager.tags),
        inheritable_tags=list(manager.inheritable_tags),
        metadata=dict(manager.metadata),
        inheritable_metadata=dict(manager.inheritable_metadata),
    )


@cache
def _adapter_class() -> type[Any]:
    base: type[Any] = _theirs("BaseCallbackHandler")

    class Adapter(base):  # type: ignore[misc] # the class is known when it is running only
        """A handler of LangChain's that passes all on to one of Callboard's.

        It is equal to any other for the same handler, so that a manager has it once.
        """

        def __init__(self, handler: Any) -> None:
            self.handler = handler

        def __getattr__(self, name: str) -> Any:
            return getattr(self.handler, name)

        def __eq__(self, other: object) -> bool:
            return isinstance(other, Adapter) and other.handler is self.handler

        def __hash__(self) -> int:
            return id(self.handler)

        def __reduce__(self) -> tuple[Any, ...]:
            return to_langchain, (self.handler,)

        def __repr__(self) -> str:
            return f"to_langchain({self.handler!r})"

    flags = {row.ignore for row in EVENTS.values() if row.ignore}
    for name in {"raise_error", "run_inline", *EVENTS, *flags}:
        setattr(Adapter, name, _passed_on(name))
    return Adapter


def _passed_on(name: str) -> property:
    """Make an attribute that is the handler's; LangChain's for one that lacks it.

    It is the handler's very method that is found, so that LangChain sees whether it is async.
    """

    def read(self: Any) -> Any:
        try:
            return getattr(self.handler, name)
        except AttributeError:
            return getattr(super(type(self), self), name)

    def write(self: Any, value: Any) -> None:
        setattr(self.handler, name, value)

    return property(read, write)
