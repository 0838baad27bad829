"""LangSmith tracing, as what surrounds a call: managers get the tracer that ships runs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from callboard.callbacks.surroundings import Surroundings, Trace
from callboard.langsmith import settings
from callboard.langsmith.context import tracing_v2_callback_var
from callboard.langsmith.tracer import LangChainTracer

if TYPE_CHECKING:
    from uuid import UUID

    from callboard.callbacks.base_manager import BaseCallbackManager, Callbacks

__all__ = ["LangSmithSurroundings"]


class LangSmithSurroundings(Surroundings):
    """Adds the tracer of the block that surrounds a call, or one if the environment asks for it."""

    def equip(self, manager: BaseCallbackManager, trace: Trace | None) -> None:
        """Add the tracer, unless the manager has one."""
        tracer = tracing_v2_callback_var.get()
        if tracer is None and not settings.tracing_enabled():
            return
        if not any(isinstance(handler, LangChainTracer) for handler in manager.handlers):
            manager.add_handler(tracer or LangChainTracer())

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
        if tracer is None and not settings.tracing_enabled():
            return manager
        if tracer is None:
            tracer = LangChainTracer(example_id, project_name, address=address)
        if manager is None:
            return [tracer]
        traced = manager.copy()
        if not any(isinstance(handler, LangChainTracer) for handler in traced.handlers):
            traced.add_handler(tracer)
        return traced
