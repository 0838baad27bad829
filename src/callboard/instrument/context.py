"""The run around this call, and blocks that say where and how what they surround is traced."""

from __future__ import annotations

from collections.abc import Generator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, TypedDict

from callboard.callbacks.base_manager import BaseCallbackManager
from callboard.callbacks.scope import child_scope
from callboard.callbacks.surroundings import surround_with_tracing
from callboard.callbacks.trace import Trace, current_trace, trace_var
from callboard.instrument.place import Place, current_tree, place_of, wishing
from callboard.instrument.run_tree import RunTree

if TYPE_CHECKING:
    from uuid import UUID

__all__ = ["TracingContext", "get_current_run_tree", "get_tracing_context", "tracing_context"]


def get_current_run_tree() -> RunTree | None:
    """Return the run around this call: that of the nearest traced function or block, if any."""
    return current_tree()


class TracingContext(TypedDict):
    """Where and how calls are traced, as `tracing_context` takes it."""

    parent: RunTree | None
    project_name: str | None
    tags: list[str] | None
    metadata: dict[str, Any] | None
    enabled: bool | None
    client: Any


def get_tracing_context() -> TracingContext:
    """Return where and how calls are traced here: ``tracing_context(**...)`` elsewhere."""
    trace = current_trace()
    scope = None if trace is None else trace.scope
    return {
        "parent": current_tree(),
        "project_name": None if trace is None else trace.project_name,
        "tags": None if scope is None else list(scope.inheritable_tags),
        "metadata": None if scope is None else dict(scope.inheritable_metadata),
        "enabled": None if trace is None else trace.enabled,
        "client": None if trace is None else trace.client,
    }


@contextmanager
def tracing_context(
    *,
    parent: Any = None,
    project_name: str | None = None,
    tags: list[str] | None = None,
    metadata: Mapping[str, Any] | None = None,
    enabled: bool | None = None,
    client: Any = None,
    reference_example_id: UUID | str | None = None,
) -> Generator[None]:
    """Say where and how what a block calls is traced. What is not given stays as it is.

    Args:
        parent: What its runs are part of: a run tree, a run manager, the headers of a request,
            or a dotted order; False for nothing. Headers that tell of no run say nothing.
        project_name: The project of traces that start here.
        tags: More tags for its runs.
        metadata: More metadata for its runs.
        enabled: True to send its runs whatever the environment says. False to trace nothing:
            what it calls is not part of the run around it, and is heard by nobody on its account.
        client: A ``langsmith.Client`` to send traces through that start here.
        reference_example_id: The dataset example that traces which start here run.

    Raises:
        BadTagsError: The tags are not a list of strings.
        BadMetadataError: The metadata is not a dictionary.
    """
    before = trace_var.get()
    place = Place() if enabled is False else _copied(place_of(parent) or current_trace())
    _override(
        place,
        enabled=enabled,
        project_name=project_name,
        client=client,
        example_id=reference_example_id,
    )
    place.outer = before
    place.scope = _extended(place, tags, metadata)
    if enabled:
        surround_with_tracing()
    trace_var.set(place)
    try:
        yield
    except GeneratorExit:
        # The event loop closes what was abandoned in a copy of the context that it began in.
        place.left_behind = True
        raise
    finally:
        if trace_var.get() is place:
            trace_var.set(before)
        else:
            place.left_behind = True


def _copied(place: Trace | None) -> Trace:
    return wishing(place)


def _override(place: Trace, **wishes: Any) -> None:
    for name, value in wishes.items():
        if value is not None:
            setattr(place, name, value)


def _extended(place: Trace, tags: list[str] | None, metadata: Mapping[str, Any] | None) -> Any:
    """Return what runs at a place inherit, with more tags and metadata."""
    if not tags and not metadata:
        return place.scope
    base = BaseCallbackManager([]) if place.scope is None else place.scope
    scope = child_scope(base, BaseCallbackManager, place.run_id)
    if tags:
        scope.add_tags(tags)
    if metadata:
        scope.add_metadata(dict(metadata))
    return scope
