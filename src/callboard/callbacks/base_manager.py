"""The base of callback managers: who listens, and under which tags and metadata."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Self, TypeAlias, TypeVar

from callboard import ids
from callboard.callbacks.checks import (
    check_handler,
    check_handlers,
    check_keys,
    check_metadata,
    check_tags,
)
from callboard.callbacks.handlers import BaseCallbackHandler
from callboard.callbacks.mixins import CallbackManagerMixin
from callboard.callbacks.runs import BaseRunManager
from callboard.callbacks.scope import Scope, child_scope, joined, merged_metadata, twin_scope

if TYPE_CHECKING:
    from uuid import UUID

__all__ = [
    "BaseCallbackManager",
    "Callbacks",
    "finished_manager",
    "manager_of_children",
    "new_run",
]

Run = TypeVar("Run", bound=BaseRunManager)
Manager = TypeVar("Manager", bound="BaseCallbackManager")
T = TypeVar("T")


class BaseCallbackManager(Scope, CallbackManagerMixin):
    """Who listens to the runs to come, and under which tags and metadata."""

    def __init__(
        self,
        handlers: list[BaseCallbackHandler],
        inheritable_handlers: list[BaseCallbackHandler] | None = None,
        parent_run_id: UUID | None = None,
        *,
        tags: list[str] | None = None,
        inheritable_tags: list[str] | None = None,
        metadata: dict[str, Any] | None = None,
        inheritable_metadata: dict[str, Any] | None = None,
    ) -> None:
        """Make a manager.

        Args:
            handlers: Who hears of the runs it starts, in order.
            inheritable_handlers: Who hears of the runs inside those.
            parent_run_id: The run that its runs are part of, if any.
            tags: The tags of its runs.
            inheritable_tags: The tags of the runs inside those.
            metadata: The metadata of its runs.
            inheritable_metadata: The metadata of the runs inside those.

        Raises:
            BadCallbacksError: Handlers are not a list.
            BadHandlerError: Something among the handlers is no handler.
            BadTagsError: Tags are not a list of strings.
            BadMetadataError: Metadata is not a dictionary.
        """
        check_handlers(handlers, "handlers")
        if inheritable_handlers:
            check_handlers(inheritable_handlers, "inheritable_handlers")
        for given in (tags, inheritable_tags):
            if given:
                check_tags(given)
        for held in (metadata, inheritable_metadata):
            if held:
                check_metadata(held)
        self.handlers = _as_list(handlers)
        self.inheritable_handlers = _as_list(inheritable_handlers)
        self.parent_run_id = parent_run_id
        self.tags = _as_list(tags)
        self.inheritable_tags = _as_list(inheritable_tags)
        self.metadata = metadata or {}
        self.inheritable_metadata = inheritable_metadata or {}

    @property
    def is_async(self) -> bool:
        """Whether its methods are to be awaited."""
        return False

    def copy(self) -> Self:
        """Return a manager with the same handlers, tags and metadata, to be changed apart."""
        twin = twin_scope(self, type(self))
        twin.handlers = list(self.handlers)
        twin.inheritable_handlers = list(self.inheritable_handlers)
        twin.tags = list(self.tags)
        twin.inheritable_tags = list(self.inheritable_tags)
        twin.metadata = dict(self.metadata)
        twin.inheritable_metadata = dict(self.inheritable_metadata)
        return twin

    def merge(self, other: BaseCallbackManager) -> Self:
        """Return a manager of this one's kind, with what both have.

        Handlers and tags keep their order, this one's first, each once; metadata of the
        other wins; what is inheritable stays so, and nothing else becomes it.

        Args:
            other: Another manager, of either colour.
        """
        merged = twin_scope(self, type(self))
        merged.parent_run_id = self.parent_run_id or other.parent_run_id
        merged.handlers = joined(self.handlers, other.handlers)
        merged.inheritable_handlers = joined(self.inheritable_handlers, other.inheritable_handlers)
        merged.tags = joined(self.tags, other.tags)
        merged.inheritable_tags = joined(self.inheritable_tags, other.inheritable_tags)
        merged.metadata = merged_metadata(self.metadata, other.metadata)
        merged.inheritable_metadata = merged_metadata(
            self.inheritable_metadata, other.inheritable_metadata
        )
        return merged

    def add_handler(self, handler: BaseCallbackHandler, inherit: bool = True) -> None:
        """Add a handler, unless it is there.

        Args:
            handler: The handler.
            inherit: Whether it also hears of the runs inside this manager's.

        Raises:
            BadHandlerError: It is no handler.
        """
        check_handler(handler)
        if handler not in self.handlers:
            self.handlers.append(handler)
        if inherit and handler not in self.inheritable_handlers:
            self.inheritable_handlers.append(handler)

    def remove_handler(self, handler: BaseCallbackHandler) -> None:
        """Remove a handler, if it is there.

        Args:
            handler: The handler.
        """
        if handler in self.handlers:
            self.handlers.remove(handler)
        if handler in self.inheritable_handlers:
            self.inheritable_handlers.remove(handler)

    def set_handlers(self, handlers: list[BaseCallbackHandler], inherit: bool = True) -> None:
        """Put handlers in the place of those that are there.

        Args:
            handlers: The handlers.
            inherit: Whether they also hear of the runs inside this manager's.

        Raises:
            BadCallbacksError: They are not a list.
            BadHandlerError: Something among them is no handler.
        """
        check_handlers(handlers, "handlers")
        self.handlers = []
        self.inheritable_handlers = []
        for handler in handlers:
            self.add_handler(handler, inherit=inherit)

    def set_handler(self, handler: BaseCallbackHandler, inherit: bool = True) -> None:
        """Put one handler in the place of those that are there.

        Args:
            handler: The handler.
            inherit: Whether it also hears of the runs inside this manager's.

        Raises:
            BadHandlerError: It is no handler.
        """
        self.set_handlers([handler], inherit=inherit)

    def add_tags(self, tags: list[str], inherit: bool = True) -> None:
        """Add tags; those that are there already move to the end.

        Args:
            tags: The tags.
            inherit: Whether the runs inside this manager's have them too. If not, those of
                them that are inheritable stay so.

        Raises:
            BadTagsError: They are not a list of strings.
        """
        check_tags(tags)
        self.tags = joined([tag for tag in self.tags if tag not in tags], tags)
        if inherit:
            kept = [tag for tag in self.inheritable_tags if tag not in tags]
            self.inheritable_tags = joined(kept, tags)

    def remove_tags(self, tags: list[str]) -> None:
        """Remove tags, those that are there.

        Args:
            tags: The tags.

        Raises:
            BadTagsError: They are not a list of strings.
        """
        check_tags(tags)
        self.tags = [tag for tag in self.tags if tag not in tags]
        self.inheritable_tags = [tag for tag in self.inheritable_tags if tag not in tags]

    def add_metadata(self, metadata: dict[str, Any], inherit: bool = True) -> None:
        """Add metadata; of equal keys the new one's value holds.

        Args:
            metadata: The metadata.
            inherit: Whether the runs inside this manager's have it too.

        Raises:
            BadMetadataError: It is not a dictionary.
        """
        check_metadata(metadata)
        self.metadata = merged_metadata(self.metadata, metadata)
        if inherit:
            self.inheritable_metadata = merged_metadata(self.inheritable_metadata, metadata)

    def remove_metadata(self, keys: list[str]) -> None:
        """Remove metadata, what is there of it.

        Args:
            keys: The keys to remove.

        Raises:
            BadMetadataError: They are a lone string.
        """
        check_keys(keys)
        # In new dictionaries: whoever gave the old ones keeps them as they are.
        gone = set(keys)
        self.metadata = {key: value for key, value in self.metadata.items() if key not in gone}
        self.inheritable_metadata = {
            key: value for key, value in self.inheritable_metadata.items() if key not in gone
        }

    def _each_started(
        self, kind: type[Run], subjects: Sequence[Any], run_id: UUID | None
    ) -> list[tuple[Any, Run]]:
        """Make the managers of several new runs; the id given is the first one's."""
        return [
            (subject, new_run(self, kind, None if index else run_id))
            for index, subject in enumerate(subjects)
        ]


# Subclasses may have another, and so may this class: instrumentation wraps it, to see every
# manager that is made.
_PLAIN_INIT = BaseCallbackManager.__init__


def finished_manager(manager: Manager) -> Manager:
    """Return a manager that was filled by hand, made anew if its class has an own way to be made.

    Filling one by hand takes a third of the time, and managers are made for every call.
    """
    kind = type(manager)
    return manager if kind.__init__ is _PLAIN_INIT else kind(**vars(manager))


def new_run(manager: BaseCallbackManager, kind: type[Run], run_id: UUID | None) -> Run:
    """Make the manager of a new run, with the id given or a new one.

    Handlers are shared, so that one added later hears the rest of the run. Tags and metadata
    are the run's own, so that a handler that changes them can't reach the next.

    Args:
        manager: Who listens to the run.
        kind: The class of the run's manager.
        run_id: The run's id, if it has one.
    """
    run = kind.__new__(kind)
    run.run_id = ids.new_id() if run_id is None else run_id
    run.handlers = manager.handlers
    run.inheritable_handlers = manager.inheritable_handlers
    run.parent_run_id = manager.parent_run_id
    run.tags = manager.tags.copy()
    run.inheritable_tags = manager.inheritable_tags
    run.metadata = manager.metadata.copy()
    run.inheritable_metadata = manager.inheritable_metadata
    return run


def _as_list(given: Sequence[T] | None) -> list[T]:
    """Return a list that was given as it is, for its owner may add to it; a tuple as a list."""
    return given if isinstance(given, list) else list(given or ())


def manager_of_children(kind: type[Manager], run: BaseRunManager, tag: str | None) -> Manager:
    """Make the manager for the runs that are part of a run.

    Args:
        kind: The manager's class.
        run: The run.
        tag: A tag for them, which their own children don't inherit.
    """
    manager = finished_manager(child_scope(run, kind, run.run_id))
    if tag is not None:
        check_tags((tag,))
        manager.tags = [*(each for each in manager.tags if each != tag), tag]
    return manager


Callbacks: TypeAlias = list[BaseCallbackHandler] | BaseCallbackManager | None
"""What calls take as their callbacks: handlers, or a manager that has them, or none."""
