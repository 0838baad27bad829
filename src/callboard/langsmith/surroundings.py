"""LangSmith tracing, as what surrounds a call: managers get the tracer that ships runs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from callboard.callbacks.surroundings import Surroundings
from callboard.callbacks.trace import Trace
from callboard.langsmith import settings
from callboard.langsmith.context import tracing_v2_callback_var
from callboard.langsmith.tracer import LangChainTracer

if TYPE_CHECKING:
    from uuid import UUID

    from callboard.callbacks.base_manager import BaseCallbackManager, Callbacks
    from callboard.callbacks.handlers import BaseCallbackHandler

__all__ = ["LangSmithSurroundings"]


class LangSmithSurroundings(Surroundings):
    """Adds the tracer of the block that surrounds a call, or one if the environment asks for it."""

    def may_listen(self) -> bool:
        """Whether a manager that is configured here, with nothing given, may have handlers."""
        return (
            settings.tracing_enabled()
            or tracing_v2_callback_var.get() is not None
            or super().may_listen()
        )

    def equip(self, manager: BaseCallbackManager, trace: Trace | None) -> None:
        """Add the tracer, unless the manager has one, and tell it of a run from elsewhere."""
        tracer = tracing_v2_callback_var.get()
        if _is_traced(tracer, trace) and not _has_tracer(manager.handlers):
            manager.add_handler(tracer or _tracer_for(trace))
        if trace is not None and trace.source is not None:
            for handler in manager.handlers:
                if isinstance(handler, LangChainTracer):
                    place = (trace.source.trace_id, trace.source.dotted_order)
                    handler.order_map.setdefault(trace.source.id, place)

    def label(
        self,
        manager: BaseCallbackManager,
        trace: Trace | None,
        tags: list[str] | None,
        metadata: Mapping[str, Any] | None,
    ) -> None:
        """Put tracers that know these tags and metadata in the place of the manager's."""
        if tags or metadata:
            for handlers in (manager.handlers, manager.inheritable_handlers):
                handlers[:] = [
                    handler.copy_with_metadata_defaults(metadata=metadata, tags=tags)
                    if isinstance(handler, LangChainTracer)
                    else handler
                    for handler in handlers
                ]

    def group_callbacks(
        self,
        manager: BaseCallbackManager | None,
        *,
        project_name: str | None,
        example_id: UUID | str | None,
        address: Any,
    ) -> Callbacks:
        """Return the caller's manager, with a tracer for the project if tracing is on."""
        tracer = tracing_v2_callback_var.get()
        if not _is_traced(tracer, self.trace()):
            return manager
        if tracer is None:
            tracer = LangChainTracer(example_id, project_name, address=address)
        if self._inherits_tracer():
            return manager
        if manager is None:
            return [tracer]
        traced = manager.copy()
        if not _has_tracer(traced.handlers):
            traced.add_handler(tracer)
        return traced

    def _inherits_tracer(self) -> bool:
        """Whether the runs that start here are heard already by the tracer of the run around."""
        trace = self.trace()
        scope = None if trace is None else trace.scope
        return scope is not None and _has_tracer(scope.inheritable_handlers)


def _has_tracer(handlers: list[BaseCallbackHandler]) -> bool:
    return any(isinstance(handler, LangChainTracer) for handler in handlers)


def _is_traced(tracer: LangChainTracer | None, trace: Trace | None) -> bool:
    if trace is None or trace.enabled is None:
        return tracer is not None or settings.tracing_enabled()
    return trace.enabled


def _tracer_for(trace: Trace | None) -> LangChainTracer:
    if trace is None:
        return LangChainTracer()
    return LangChainTracer(trace.example_id, trace.project_name, client=trace.client)
