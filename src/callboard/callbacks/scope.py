"""Scope: who listens to a run and to its children, and under which tags and metadata.

Each of the three comes in two lists: what holds for the run itself, and what its children
inherit. Callback managers and run managers are scopes that can also send events.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from uuid import UUID

    from callboard.callbacks.handlers import BaseCallbackHandler

__all__ = ["Scope", "child_scope", "joined", "merged_metadata", "twin_scope"]

S = TypeVar("S", bound="Scope")
T = TypeVar("T")


class Scope:
    """Handlers, tags and metadata, each with the part that children inherit.

    Attributes:
        handlers: Who hears this scope's events, in order.
        inheritable_handlers: Who hears its children's.
        parent_run_id: The run that its runs are part of, if any.
        tags: Tags of its runs.
        inheritable_tags: Tags of its children.
        metadata: Metadata of its runs.
        inheritable_metadata: Metadata of its children.
    """

    handlers: list[BaseCallbackHandler]
    inheritable_handlers: list[BaseCallbackHandler]
    parent_run_id: UUID | None
    tags: list[str]
    inheritable_tags: list[str]
    metadata: dict[str, Any]
    inheritable_metadata: dict[str, Any]


def child_scope(scope: Scope, kind: type[S], run_id: UUID | None) -> S:
    """Make the scope of a run's children: what is inheritable of its own, under the run's id.

    Args:
        scope: The run's own.
        kind: What to make.
        run_id: The run.
    """
    child = kind.__new__(kind)
    handlers = scope.inheritable_handlers
    # A handler that was passed twice, on two ways, hears its run twice; the children just once.
    child.handlers = joined(handlers, ()) if len(handlers) > 1 else handlers.copy()
    child.inheritable_handlers = child.handlers.copy()
    child.parent_run_id = run_id
    child.tags = scope.inheritable_tags.copy()
    child.inheritable_tags = scope.inheritable_tags.copy()
    child.metadata = scope.inheritable_metadata.copy()
    child.inheritable_metadata = scope.inheritable_metadata.copy()
    return child


def twin_scope(scope: Scope, kind: type[S]) -> S:
    """Make a scope, of another kind perhaps, that shares all that this one has."""
    twin = kind.__new__(kind)
    twin.__dict__.update(scope.__dict__)
    return twin


def joined(first: Iterable[T], second: Iterable[T]) -> list[T]:
    """Return the items of both, in order, each once.

    Handlers are compared as they compare themselves, and need not be hashable.
    """
    items: list[T] = []
    for item in (*first, *second):
        if item not in items:
            items.append(item)
    return items


def merged_metadata(base: Mapping[str, Any], incoming: Mapping[str, Any]) -> dict[str, Any]:
    """Merge metadata: later keys win, but for ``lc_versions``, which adds up.

    Each package that takes part in a LangChain run writes its version under that key.
    """
    merged = {**base, **incoming}
    versions = [
        part["lc_versions"]
        for part in (base, incoming)
        if isinstance(part.get("lc_versions"), Mapping)
    ]
    if versions and isinstance(merged["lc_versions"], Mapping):
        merged["lc_versions"] = {key: part[key] for part in versions for key in part}
    return merged
