"""Where in a trace a call is made: the run around it, and what runs that start there inherit.

Whoever traces functions or blocks notes the place in `trace_var`, for the length of each. A
manager that is configured there starts runs inside that run.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextvars import ContextVar
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from uuid import UUID

    from callboard.callbacks.scope import Scope

__all__ = ["Trace", "current_trace", "trace_var"]


class Trace:
    """A run that was started by other means and surrounds the code that configures a manager.

    Attributes:
        run_id: That run's id; None if there are tags, metadata or wishes only.
        ancestry: Contains the ids of its ancestors and its own, as text (its dotted order).
        tags: Tags for what runs inside it.
        metadata: Metadata for the tracers of what runs inside it.
        source: The run as its own system has it, if tracers here have not heard its start.
        scope: What the runs inside it inherit: the inheritable handlers, tags and metadata.
        enabled: Whether to trace here, whatever the environment says; None to go by that.
        project_name: The project that traces which start here belong to, if one is named.
        client: A ``langsmith.Client`` to send them through, if one is named.
        example_id: The dataset example that they run, if one is named.
        outer: The trace that surrounds this one, if any.
        left_behind: Whether its block has ended where it could not be taken out of the
            context that it began in. What is found there is `outer` again.
    """

    run_id: UUID | None = None
    ancestry: str = ""
    tags: list[str] | None = None
    metadata: Mapping[str, Any] = MappingProxyType({})
    source: Any = None
    scope: Scope | None = None
    enabled: bool | None = None
    project_name: str | None = None
    client: Any = None
    example_id: UUID | str | None = None
    outer: Trace | None = None
    left_behind: bool = False

    def __init__(
        self,
        run_id: UUID | None,
        ancestry: str = "",
        tags: list[str] | None = None,
        metadata: Mapping[str, Any] | None = None,
        source: Any = None,
    ) -> None:
        self.run_id = run_id
        self.ancestry = ancestry
        self.tags = tags
        if metadata is not None:
            self.metadata = metadata
        self.source = source

    def is_within(self, run_id: UUID) -> bool:
        """Whether the run around this place is that run, or inside it.

        Args:
            run_id: A run.
        """
        return str(run_id) in self.ancestry


trace_var: ContextVar[Trace | None] = ContextVar("callboard_trace", default=None)
"""The place of the function or block around this one; read it with `current_trace`."""


def current_trace() -> Trace | None:
    """Return the place that surrounds this call, if one does."""
    trace = trace_var.get()
    while trace is not None and trace.left_behind:
        trace = trace.outer
    return trace
