"""Tracing in LangChain, as what surrounds a call: what Callboard's managers are equipped with.

LangChain and the ``langsmith`` SDK say what that is: the tracer if tracing is on, the run of a
``@traceable`` function as the parent, the console handler if debugging is on.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping
from functools import cache
from importlib import import_module
from typing import TYPE_CHECKING, Any, TypeVar

from callboard.callbacks.base_manager import BaseCallbackManager
from callboard.callbacks.managers import AsyncCallbackManager, CallbackManager
from callboard.callbacks.surroundings import Surroundings
from callboard.callbacks.trace import Trace
from callboard.environment import is_on

if TYPE_CHECKING:
    from uuid import UUID

    from callboard.callbacks.base_manager import Callbacks
    from callboard.callbacks.handlers import BaseCallbackHandler

__all__ = ["LangChainSurroundings"]

logger = logging.getLogger(__name__)

Manager = TypeVar("Manager", CallbackManager, AsyncCallbackManager)

# The functions in langchain_core.runnables.config that make a manager of a config.
_CONFIG_READER: dict[type[BaseCallbackManager], str] = {
    CallbackManager: "get_callback_manager_for_config",
    AsyncCallbackManager: "get_async_callback_manager_for_config",
}


@cache
def _module(name: str) -> Any:
    """Import a module that LangChain has, or the SDK, when it is first needed.

    Some import ``langchain_core.callbacks``, which stands for ours, in their turn. Their
    attributes are looked up at each use, so that what a program patches there is honoured.
    """
    return import_module(name)


class LangChainSurroundings(Surroundings):
    """What LangChain and the LangSmith SDK add to managers."""

    def debugging(self) -> bool:
        """Whether LangChain's global debug flag is set."""
        return bool(_module("langchain_core.globals").get_debug())

    def trace(self) -> Trace | None:
        """Return the nearer of our own trace and the SDK's, if there is one."""
        ours, theirs = super().trace(), self._sdk_trace()
        if ours is None or theirs is None:
            return ours or theirs
        is_inside = ours.run_id is not None and theirs.is_within(ours.run_id)
        return theirs if is_inside else ours

    def _sdk_trace(self) -> Trace | None:
        """Return the SDK's tracing context, if it holds anything."""
        context = _module("langsmith.run_helpers")
        # `get_tracing_context` would read six more, at each start of a run.
        parent = context.get_current_run_tree()
        tags, metadata = context._TAGS.get(), context._METADATA.get()
        if parent is None and not tags and not metadata:
            return None
        return Trace(
            run_id=None if parent is None else parent.id,
            ancestry="" if parent is None else parent.dotted_order,
            tags=list(tags or ()),
            metadata=metadata or {},
            source=parent,
        )

    def callbacks(self) -> Callbacks:
        """Return the callbacks of the runnable that surrounds this call, or of the group."""
        config = _module("langchain_core.runnables.config").var_child_runnable_config.get()
        callbacks: Callbacks = None if config is None else config.get("callbacks")
        return super().callbacks() if callbacks is None else callbacks

    def may_listen(self) -> bool:
        """Whether a manager that is configured here, with nothing given, may have handlers."""
        return bool(
            super().may_listen()
            or self.trace() is not None
            or self.debugging()
            or _module("callboard.langchain.tracers.context")._tracing_v2_is_enabled()
        )

    def equip(self, manager: BaseCallbackManager, trace: Trace | None) -> None:
        """Add the console handler if debugging is on, and the tracer if tracing is."""
        if self.debugging():
            console = _module("callboard.tracers.stdout").ConsoleCallbackHandler
            if not _has(manager.handlers, console):
                manager.add_handler(console())
        tracer_class = _module("callboard.langchain.tracers.langchain").LangChainTracer
        # Where there is a tracer, whether to trace is no question: it takes long to answer.
        if not _has(manager.handlers, tracer_class):
            if _is_traced(trace):
                _add_tracer(manager, trace)
            elif is_on("LANGCHAIN_HANDLER"):
                _warn_of_first_tracing()
        if trace is not None and trace.source is not None:
            for handler in manager.handlers:
                if isinstance(handler, tracer_class):
                    _make_known(handler, trace.source)

    def label(
        self,
        manager: BaseCallbackManager,
        trace: Trace | None,
        tags: list[str] | None,
        metadata: Mapping[str, Any] | None,
    ) -> None:
        """Put tracers that know these tags and metadata in the place of the manager's."""
        surrounding = trace.metadata if trace is not None else {}
        if not (tags or metadata or surrounding):
            return
        metadata = {**surrounding, **(metadata or {})}
        for handlers in (manager.handlers, manager.inheritable_handlers):
            handlers[:] = [_labelled(handler, tags, metadata) for handler in handlers]

    def group_callbacks(
        self,
        manager: BaseCallbackManager | None,
        *,
        project_name: str | None,
        example_id: UUID | str | None,
        address: Any,
    ) -> Callbacks:
        """Return the caller's manager, with a tracer for the project if tracing is on."""
        trace = self.trace()
        tracer_class = _module("callboard.langchain.tracers.langchain").LangChainTracer
        if (
            trace is not None
            and trace.scope is not None
            and _has(trace.scope.inheritable_handlers, tracer_class)
        ):
            return manager  # The run around has the tracer, and hands it on.
        traced: Callbacks = _module("callboard.langchain.tracers.context")._get_trace_callbacks(
            project_name,
            example_id,
            callback_manager=None if manager is None else manager.copy(),
            address=address,
        )
        return manager if traced is None else traced

    def manager_for(self, config: Mapping[str, Any] | None, kind: type[Manager]) -> Manager:
        """Return the manager of a runnable's config, or of the runnable around this call."""
        configs = _module("langchain_core.runnables.config")
        manager: Manager = getattr(configs, _CONFIG_READER[kind])(configs.ensure_config(config))
        if manager.parent_run_id is None and config is None:
            return super().manager_for(None, kind)
        return manager


def _has(handlers: Iterable[BaseCallbackHandler], kind: type) -> bool:
    return any(isinstance(handler, kind) for handler in handlers)


def _is_traced(trace: Trace | None) -> bool:
    if trace is not None and trace.enabled is not None:
        return trace.enabled
    return bool(_module("callboard.langchain.tracers.context")._tracing_v2_is_enabled())


def _add_tracer(manager: BaseCallbackManager, trace: Trace | None) -> None:
    """Add the tracer of the context, or a new one."""
    context = _module("callboard.langchain.tracers.context")
    tracer_class = _module("callboard.langchain.tracers.langchain").LangChainTracer
    try:
        manager.add_handler(
            context.tracing_v2_callback_var.get()
            or tracer_class(**{**context._get_tracer_kwargs(), **_wishes(trace)})
        )
    except Exception as error:  # noqa: BLE001 - tracing must not break what is traced
        logger.warning(
            "Tracing is on, but the tracer can't be made: %r. Unset LANGSMITH_TRACING "
            "and LANGCHAIN_TRACING_V2 to do without.",
            error,
        )


def _wishes(trace: Trace | None) -> dict[str, Any]:
    """Return where the traces that start at a place want to be sent."""
    wished = {} if trace is None else vars(trace)
    return {
        name: wished[name]
        for name in ("project_name", "client", "example_id")
        if wished.get(name) is not None
    }


def _labelled(handler: Any, tags: list[str] | None, metadata: Mapping[str, Any]) -> Any:
    """Return a copy of a tracer that has these tags and metadata; other handlers as they are."""
    if isinstance(handler, _module("callboard.langchain.tracers.langchain").LangChainTracer):
        return handler.copy_with_metadata_defaults(metadata=metadata, tags=tags)
    return handler


def _make_known(tracer: Any, parent: Any) -> None:
    """Tell a tracer of a run that the SDK started, so that it can be the parent of its runs."""
    key = str(parent.id)
    known = tracer.run_map.get(key)
    if known is parent:
        return
    tracer.order_map[parent.id] = (parent.trace_id, parent.dotted_order)
    if known is None and hasattr(parent, "child_runs"):
        tracer.run_map[key] = parent
        tracer._external_run_ids.setdefault(key, 0)


@cache
def _warn_of_first_tracing() -> None:
    """Say, once, that a variable asks for tracing that no longer exists."""
    logger.warning(
        "LANGCHAIN_HANDLER asks for LangChain's first tracing, which is gone; set "
        "LANGSMITH_TRACING=true instead."
    )
