"""How a manager is configured, from all who have a say in it.

They are the caller's callbacks, tags and metadata, the configure hooks, and what surrounds
the call.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache
from importlib import import_module
from typing import TYPE_CHECKING, Any, TypeAlias, TypeVar

from callboard.callbacks.base_manager import BaseCallbackManager, finished_manager
from callboard.callbacks.checks import check_handlers
from callboard.callbacks.hooks import hooked_handlers
from callboard.callbacks.scope import child_scope, joined, merged_metadata
from callboard.callbacks.surroundings import surroundings
from callboard.callbacks.trace import Trace

if TYPE_CHECKING:
    from uuid import UUID

    from callboard.callbacks.base_manager import Callbacks
    from callboard.callbacks.handlers import BaseCallbackHandler
    from callboard.callbacks.scope import Scope

    Manager = TypeVar("Manager", bound=BaseCallbackManager)

__all__ = ["configure_function", "configured", "enlist"]

Tags: TypeAlias = list[str] | None
Metadata: TypeAlias = dict[str, Any] | None


@cache
def _door() -> Any:
    return import_module("callboard.callbacks.manager")


def configure_function() -> Callable[..., Any]:
    """Return the function that configures managers.

    It is looked up at each use in the module that stands for LangChain's, under the name that
    it has there: instrumentation such as Sentry's replaces it.
    """
    function: Callable[..., Any] = _door()._configure  # noqa: SLF001 - see above
    return function


def configured(
    kind: type[Manager],
    inheritable_callbacks: Callbacks = None,
    local_callbacks: Callbacks = None,
    inheritable_tags: Tags = None,
    local_tags: Tags = None,
    inheritable_metadata: Metadata = None,
    local_metadata: Metadata = None,
    *,
    verbose: bool = False,
    langsmith_inheritable_metadata: Mapping[str, Any] | None = None,
    langsmith_inheritable_tags: Tags = None,
) -> Manager:
    """Make the manager for a call: see `CallbackManager.configure`.

    Args:
        kind: The manager's class.
        inheritable_callbacks: Callbacks for the call and what runs inside it.
        local_callbacks: Callbacks for the call alone.
        inheritable_tags: Tags for the call and what runs inside it.
        local_tags: Tags for the call alone.
        inheritable_metadata: Metadata for the call and what runs inside it.
        local_metadata: Metadata for the call alone.
        verbose: Whether to print what happens, too.
        langsmith_inheritable_metadata: Metadata for tracers alone.
        langsmith_inheritable_tags: Tags for tracers alone.
    """
    around = surroundings()
    trace = around.trace()
    manager = _begun(kind, inheritable_callbacks, trace)
    if local_callbacks is not None:
        for handler in _handlers_of(local_callbacks, "local_callbacks"):
            enlist(manager, handler, inherit=False)
    if inheritable_tags or inheritable_metadata:
        _add_labels(manager, inherit=True, tags=inheritable_tags, metadata=inheritable_metadata)
    if local_tags or local_metadata:
        _add_labels(manager, inherit=False, tags=local_tags, metadata=local_metadata)
    if trace is not None and trace.tags:
        manager.add_tags(trace.tags)
    if verbose and not around.debugging():
        _print_too(manager)
    around.equip(manager, trace)
    for hook in around.hooks():
        for handler in hooked_handlers(hook, manager.handlers):
            enlist(manager, handler, hook[1])
    around.label(manager, trace, langsmith_inheritable_tags, langsmith_inheritable_metadata)
    return manager


def _begun(kind: type[Manager], callbacks: Callbacks, trace: Trace | None) -> Manager:
    """Make a manager that has what the inheritable callbacks have, and what it inherits here."""
    around = None if trace is None else trace.scope
    if callbacks is not None and _is_manager(callbacks):
        manager = _taken_over(kind, callbacks, trace)
        if around is not None and trace is not None and manager.parent_run_id == trace.run_id:
            _add_inherited(manager, around)
        return finished_manager(manager)
    handlers = [] if callbacks is None else _handlers_of(callbacks, "inheritable_callbacks")
    if around is not None and trace is not None:
        manager = child_scope(around, kind, trace.run_id)
        for handler in handlers:
            enlist(manager, handler, inherit=True)
    else:
        manager = kind.__new__(kind)
        manager.parent_run_id = None if trace is None else trace.run_id
        manager.handlers = handlers
        manager.inheritable_handlers = handlers.copy()
        manager.tags = []
        manager.inheritable_tags = []
        manager.metadata = {}
        manager.inheritable_metadata = {}
    return finished_manager(manager)


def _taken_over(kind: type[Manager], given: Any, trace: Trace | None) -> Manager:
    """Make a manager that has what another has."""
    manager = kind.__new__(kind)
    manager.parent_run_id = _nearer(given.parent_run_id, trace)
    manager.handlers = list(given.handlers)
    manager.inheritable_handlers = list(given.inheritable_handlers)
    manager.tags = list(given.tags)
    manager.inheritable_tags = list(given.inheritable_tags)
    manager.metadata = dict(given.metadata)
    manager.inheritable_metadata = dict(given.inheritable_metadata)
    return manager


def _add_inherited(manager: BaseCallbackManager, around: Scope) -> None:
    """Add what a manager that was passed on inherits from the run around it besides."""
    for handler in around.inheritable_handlers:
        enlist(manager, handler, inherit=True)
    manager.tags = joined(around.inheritable_tags, manager.tags)
    manager.inheritable_tags = joined(around.inheritable_tags, manager.inheritable_tags)
    inherited = around.inheritable_metadata
    manager.metadata = merged_metadata(inherited, manager.metadata)
    manager.inheritable_metadata = merged_metadata(inherited, manager.inheritable_metadata)


def _nearer(parent_run_id: UUID | None, trace: Trace | None) -> UUID | None:
    """Choose between the parent that was passed on and the run that surrounds the call.

    If the surrounding run is, or is inside, the one passed on, it is the nearer one.
    Otherwise the callbacks have gone further than the surrounding trace knows.
    """
    if trace is None or trace.run_id is None or trace.run_id is parent_run_id:
        return parent_run_id
    if parent_run_id is None or trace.is_within(parent_run_id):
        return trace.run_id
    return parent_run_id


_NO_MANAGERS = frozenset({type(None), list, tuple})


def _is_manager(callbacks: Any) -> bool:
    """Tell managers, LangChain's too, from lists of handlers, which are what most calls have."""
    return type(callbacks) not in _NO_MANAGERS and hasattr(callbacks, "inheritable_handlers")


def _handlers_of(callbacks: Any, what: str) -> list[BaseCallbackHandler]:
    if callbacks is None:
        return []
    if _is_manager(callbacks):
        return list(callbacks.handlers)
    check_handlers(callbacks, what)
    return list(callbacks)


def enlist(manager: BaseCallbackManager, handler: BaseCallbackHandler, inherit: bool) -> None:
    """Add a handler that has been checked already, or comes from a hook, unless it is there.

    Args:
        manager: The manager to add it to.
        handler: The handler.
        inherit: Whether it also hears of the runs inside the manager's.
    """
    if handler not in manager.handlers:
        manager.handlers.append(handler)
    if inherit and handler not in manager.inheritable_handlers:
        manager.inheritable_handlers.append(handler)


def _add_labels(
    manager: BaseCallbackManager, inherit: bool, tags: Tags, metadata: Metadata
) -> None:
    if tags:
        manager.add_tags(tags, inherit)
    if metadata:
        manager.add_metadata(metadata, inherit)


def _print_too(manager: BaseCallbackManager) -> None:
    """Add the handler that prints, unless the manager has one."""
    # The one place where callbacks reach up to a ready-made handler: verbose means this one.
    from callboard.callbacks.stdout import StdOutCallbackHandler  # noqa: PLC0415

    if not any(isinstance(handler, StdOutCallbackHandler) for handler in manager.handlers):
        enlist(manager, StdOutCallbackHandler(), inherit=False)
