"""What a traced function or block is told of itself: by its decorator, and for one call."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, TypedDict
from uuid import UUID

from callboard.callbacks.base_manager import BaseCallbackManager
from callboard.callbacks.checks import check_handlers, check_metadata, check_tags
from callboard.errors import BadOptionError
from callboard.instrument.kinds import Kind, kind_of

if TYPE_CHECKING:
    from callboard.callbacks.base_manager import Callbacks
    from callboard.instrument.run_tree import RunTree

__all__ = ["LangSmithExtra", "Settings", "handled_in", "handlers_in", "metadata_in"]


class LangSmithExtra(TypedDict, total=False):
    """What a single call of a traced function may be told, as ``langsmith_extra``."""

    name: str | None
    """The run's name, instead of the function's."""
    run_id: UUID | str | None
    """The run's id."""
    parent: Any
    """The run's parent: a run tree, a run manager, headers, or a dotted order."""
    run_tree: Any
    """The same, by its older name."""
    callbacks: Any
    """Who hears the run and what runs inside it: handlers, or a manager with its parent."""
    tags: list[str] | None
    """Tags of the run and of those inside it."""
    metadata: dict[str, Any] | None
    """Metadata of the run and of those inside it."""
    project_name: str | None
    """The project, if the run is the root of its trace."""
    reference_example_id: UUID | str | None
    """The dataset example that it runs, if it is the root of its trace."""
    client: Any
    """A ``langsmith.Client`` to send through, if it is the root of its trace."""
    on_end: Callable[[RunTree], Any] | None
    """Called with the run when it has ended."""


@dataclass(frozen=True, slots=True)
class Settings:
    """How a run is to be named, told and placed.

    Attributes:
        name: Its name.
        run_type: Its type.
        tags: Tags of the run and of those inside it.
        metadata: Metadata of the run and of those inside it.
        handlers: Who hears the run and those inside it, besides others.
        callbacks: The callbacks passed on to the call.
        parent: What the run is part of, if not of what surrounds it: see `place_of`.
        run_id: Its id, if it is given one.
        project_name: The project, if it is a root.
        client: A ``langsmith.Client`` to send through, if it is a root.
        example_id: The dataset example that it runs, if it is a root.
        enabled: Whether to trace it whatever the environment says, or never to.
        handled: Exceptions that are not recorded as failures.
        on_end: Called with the run when it has ended.
        kind: How runs of its type are told.
        has_wishes: Whether it asks for another place than where it is called, or for a
            project, client or example of its own, or says whether to trace it.
    """

    name: str
    run_type: str = "chain"
    tags: list[str] | None = None
    metadata: dict[str, Any] | None = None
    handlers: tuple[Any, ...] = ()
    callbacks: Callbacks = None
    parent: Any = None
    run_id: UUID | None = None
    project_name: str | None = None
    client: Any = None
    example_id: UUID | str | None = None
    enabled: bool | None = None
    handled: tuple[type[BaseException], ...] = ()
    on_end: Callable[[RunTree], Any] | None = None
    kind: Kind = field(init=False)
    has_wishes: bool = field(init=False, default=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "kind", kind_of(self.run_type))
        wishes = (self.parent, self.project_name, self.client, self.example_id, self.enabled)
        object.__setattr__(self, "has_wishes", any(wish is not None for wish in wishes))

    @property
    def is_heard_by_itself(self) -> bool:
        """Whether somebody hears the run though nobody around it listens."""
        return bool(self.handlers or self.callbacks or self.enabled) or self.parent is not None

    def check(self) -> None:
        """Tell mistakes at once.

        Raises:
            BadOptionError: There is no such run type.
            BadTagsError: The tags are not a list of strings.
            BadMetadataError: The metadata is not a dictionary.
            BadCallbacksError: The callbacks are neither a list of handlers nor a manager.
            BadHandlerError: Something among them is no handler.
        """
        if self.tags is not None:
            check_tags(self.tags)
        if self.metadata is not None:
            check_metadata(self.metadata)
        check_handlers(list(self.handlers), "callbacks")

    def for_call(self, extra: Mapping[str, Any], config: Any = None) -> Settings:
        """Return the settings of one call.

        Args:
            extra: What the call is told: see `LangSmithExtra`.
            config: A LangChain config that it is given, if any.
        """
        told = config if isinstance(config, Mapping) else {}
        run_id = extra.get("run_id")
        return replace(
            self,
            name=extra.get("name") or self.name,
            parent=extra.get("parent") or extra.get("run_tree"),
            callbacks=extra.get("callbacks") or told.get("callbacks"),
            run_id=UUID(run_id) if isinstance(run_id, str) else run_id,
            tags=[*(self.tags or ()), *(told.get("tags") or ()), *(extra.get("tags") or ())],
            metadata={
                **(self.metadata or {}),
                **(told.get("metadata") or {}),
                **(extra.get("metadata") or {}),
            },
            project_name=extra.get("project_name") or self.project_name,
            client=extra.get("client") or self.client,
            example_id=extra.get("reference_example_id"),
            on_end=extra.get("on_end"),
        )


def handled_in(exceptions: Any) -> tuple[type[BaseException], ...]:
    """Return the exceptions that are not recorded as failures.

    Args:
        exceptions: Classes in a tuple, or one alone, or None.

    Raises:
        BadOptionError: Something among them is no class of exceptions.
    """
    told = exceptions or ()
    told = told if isinstance(told, tuple | list) else (told,)
    for each in told:
        if not (isinstance(each, type) and issubclass(each, BaseException)):
            raise BadOptionError(
                f"exceptions_to_handle is {exceptions!r}, and takes a tuple of exceptions."
            )
    return tuple(told)


def metadata_in(metadata: Any) -> dict[str, Any] | None:
    """Return a copy of metadata.

    Raises:
        BadMetadataError: It is no dictionary.
    """
    if metadata is None:
        return None
    check_metadata(metadata)
    return dict(metadata)


def handlers_in(callbacks: Callbacks) -> tuple[Any, ...]:
    """Return the handlers of callbacks.

    Raises:
        BadCallbacksError: They are neither a list of handlers nor a manager.
        BadHandlerError: Something among them is no handler.
    """
    if isinstance(callbacks, BaseCallbackManager):
        return tuple(callbacks.handlers)
    if callbacks:
        check_handlers(callbacks, "callbacks")
    return tuple(callbacks or ())
