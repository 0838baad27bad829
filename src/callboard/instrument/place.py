"""Where in a trace code is: made of what surrounds it, what it is given as a parent, and wishes."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from callboard.callbacks.runs import BaseRunManager
from callboard.callbacks.trace import Trace, current_trace
from callboard.instrument.headers import read_headers
from callboard.instrument.run_tree import RunTree

if TYPE_CHECKING:
    from uuid import UUID

    from callboard.callbacks.scope import Scope

__all__ = ["Place", "current_tree", "place_of", "wishing"]


class Place(Trace):
    """A place in a trace.

    A tree is made when it is asked for: hardly any function asks.
    """

    _tree: RunTree | None = None

    def __init__(
        self,
        run_id: UUID | None = None,
        scope: Scope | None = None,
        tree: RunTree | None = None,
        outer: Trace | None = None,
    ) -> None:
        """Make one.

        Args:
            run_id: The run around it.
            scope: What its runs inherit.
            tree: The run around it, as far as it is known here.
            outer: The place around it.
        """
        super().__init__(run_id)
        self.scope = scope
        self._tree = tree
        self.outer = outer

    @property
    def tree(self) -> RunTree | None:
        """The run around it, as far as it is known here."""
        return self._tree

    def is_within(self, run_id: UUID) -> bool:
        """Whether the run around this place is that run, or inside it."""
        tree = self.tree
        return tree is not None and tree.is_within(run_id)


def tree_at(place: Trace | None) -> RunTree | None:
    """Return the run around a place, if it is a traced function or block."""
    return place.tree if isinstance(place, Place) else None


def current_tree() -> RunTree | None:
    """Return the run around this call, if it is a traced function or block."""
    return tree_at(current_trace())


def place_of(parent: Any) -> Trace | None:
    """Return the place inside a run; None if there is no such run.

    Args:
        parent: A run tree, ours or the LangSmith SDK's; a run manager or callback manager; the
            headers of a request; a dotted order; or None, for the run around this call.
            ``False`` or ``"ignore"`` is for none.
    """
    if parent is None:
        return current_trace()
    if parent is False or parent == "ignore":
        return Place()
    if hasattr(parent, "inheritable_handlers"):  # A manager, of ours or of LangChain's.
        return Place(getattr(parent, "run_id", None) or parent.parent_run_id, parent)
    return _inside(parent) if isinstance(parent, RunTree) else _elsewhere(parent)


def _inside(tree: RunTree) -> Place:
    if not tree.is_heard:
        return Place()
    place = Place(tree.id, tree.run_manager, tree)
    place.project_name = tree.session_name
    place.source = tree if tree.is_elsewhere else None
    return place


def _elsewhere(parent: Any) -> Place | None:
    """Return the place inside a run of another process, or of another library."""
    if isinstance(parent, Mapping) or hasattr(parent, "items"):  # Werkzeug's are no Mapping.
        carried = read_headers(parent)
    else:
        carried = read_headers({"langsmith-trace": getattr(parent, "dotted_order", parent)})
    if carried is None:
        return None
    known = [None, *carried.ancestry]
    manager = BaseRunManager(
        run_id=carried.ancestry[-1],
        handlers=[],
        inheritable_handlers=[],
        parent_run_id=known[-2],
        tags=carried.tags,
        inheritable_tags=carried.tags.copy(),
        metadata=carried.metadata,
        inheritable_metadata=carried.metadata.copy(),
    )
    tree = RunTree(manager, "parent", "chain", {}, dotted_order=carried.dotted_order)
    tree.is_elsewhere = True
    project = carried.project_name or getattr(parent, "session_name", None)
    tree.session_name = project if isinstance(project, str) else None
    return _inside(tree)


def wishing(place: Trace | None, **wishes: Any) -> Trace:
    """Return the same place, with wishes where it has none of its own.

    Args:
        place: A place.
        **wishes: ``enabled``, ``project_name``, ``client`` or ``example_id``; None says nothing.
    """
    tree_at(place)  # Made now, or the two would each make their own.
    twin = Place() if place is None else copy.copy(place)
    for name, value in wishes.items():
        if value is not None and getattr(twin, name) is None:
            setattr(twin, name, value)
    return twin
