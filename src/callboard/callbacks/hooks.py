"""Configure hooks: context variables whose handlers join every manager that is configured.

This is how a ``with`` block adds a handler to all that is called inside it, without anybody
passing it on.
"""

from __future__ import annotations

from collections.abc import Iterable
from contextvars import ContextVar
from typing import Any, NamedTuple

from callboard.callbacks.handlers import BaseCallbackHandler
from callboard.environment import is_on
from callboard.errors import BadOptionError

__all__ = [
    "Hook",
    "anything_held",
    "hooked_handlers",
    "register_configure_hook",
    "registered_hooks",
]


class Hook(NamedTuple):
    """One configure hook.

    Attributes:
        context_var: Holds a handler, a tuple of handlers, or None.
        inheritable: Whether they also hear of what runs inside the call.
        handler_class: One handler of this class is enough: none is added to a manager that
            has one. None if only the very same handler is not to be added twice.
        env_var: Where this variable is on, a handler of that class is made if none is held.
    """

    context_var: ContextVar[Any]
    inheritable: bool
    handler_class: type[BaseCallbackHandler] | None
    env_var: str | None


_hooks: list[Hook] = []


def register_configure_hook(
    context_var: ContextVar[Any | None],
    inheritable: bool,
    handle_class: type[BaseCallbackHandler] | None = None,
    env_var: str | None = None,
) -> None:
    """Have every manager that is configured look for handlers in a context variable.

    Register a hook once, when your module is imported: it stays for good.

    Args:
        context_var: Holds a handler, a tuple of handlers, or None.
        inheritable: Whether they also hear of what runs inside the call.
        handle_class: Add none to a manager that has a handler of this class.
        env_var: Make a handler of that class where this environment variable is on.

    Raises:
        BadOptionError: There is an `env_var`, but no class to make a handler of.
    """
    if env_var is not None and handle_class is None:
        raise BadOptionError(f"env_var={env_var!r} needs a handle_class to make a handler of.")
    _hooks.append(Hook(context_var, inheritable, handle_class, env_var))


def registered_hooks() -> Iterable[Hook]:
    """Return the hooks registered so far, in order."""
    return _hooks


def anything_held(hooks: Iterable[Hook]) -> bool:
    """Whether any hook may add a handler here.

    Args:
        hooks: The hooks in force.
    """
    for context_var, _, _, env_var in hooks:
        try:
            if context_var.get() is not None:
                return True
        except LookupError:
            pass
        if env_var is not None and is_on(env_var):
            return True
    return False


def hooked_handlers(
    hook: tuple[ContextVar[Any], bool, type[BaseCallbackHandler] | None, str | None],
    present: list[BaseCallbackHandler],
) -> list[BaseCallbackHandler]:
    """Find what a hook adds to a manager.

    Args:
        hook: The hook.
        present: The manager's handlers.
    """
    context_var, _, handler_class, env_var = hook
    held = _held_by(context_var)
    if held is None:
        if handler_class is None or env_var is None or not is_on(env_var):
            return []
        held = handler_class()
    handlers = held if isinstance(held, tuple) else (held,)
    if handler_class is None:
        return [each for each in handlers if not any(each is other for other in present)]
    if any(isinstance(other, handler_class) for other in present):
        return []
    return list(handlers[:1])


def _held_by(context_var: ContextVar[Any]) -> Any:
    """Return a variable's value, its default included; None if it has neither."""
    try:
        return context_var.get()
    except LookupError:
        return None
