"""Surroundings: what the place where a manager is configured adds to it.

Callbacks know nothing of tracing. Whoever traces (our LangSmith tracer, or LangChain when
Callboard is installed in it) describes itself as `Surroundings` and is asked when managers
are configured, groups opened and custom events dispatched. Alone, Callboard uses the class
as it is here: no trace, nothing to add.
"""

from __future__ import annotations

from collections.abc import Generator, Iterable, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING, Any, TypeVar

from callboard.callbacks.hooks import Hook, anything_held, registered_hooks
from callboard.callbacks.trace import Trace, current_trace
from callboard.environment import asks_for_tracing

if TYPE_CHECKING:
    from uuid import UUID

    from callboard.callbacks.base_manager import BaseCallbackManager, Callbacks
    from callboard.callbacks.managers import AsyncCallbackManager, CallbackManager

    Manager = TypeVar("Manager", CallbackManager, AsyncCallbackManager)

__all__ = [
    "Surroundings",
    "surround_with",
    "surround_with_tracing",
    "surroundings",
    "within",
]


@dataclass(slots=True)
class _Around:
    """A manager that surrounds a block, and whether the block is still under way."""

    manager: BaseCallbackManager
    open: bool = True


# The blocks around a call, outermost first. A context may keep one that has ended: a generator
# that is abandoned, or closed by another task, can't take its block out of the context that it
# began in. So whoever reads this leaves out what is not open.
_around: ContextVar[tuple[_Around, ...]] = ContextVar("callboard_around", default=())


def _still_open() -> tuple[_Around, ...]:
    around = _around.get()
    return tuple(each for each in around if each.open) if around else around


class Surroundings:
    """What the place where a manager is configured adds to it: nothing, unless overridden."""

    def debugging(self) -> bool:
        """Whether every event is printed anyway, so that `verbose` adds nothing."""
        return False

    def hooks(self) -> Iterable[Hook]:
        """Return the configure hooks in force, in order."""
        return registered_hooks()

    def trace(self) -> Trace | None:
        """Return the trace that surrounds this call, if one does."""
        return current_trace()

    def callbacks(self) -> Callbacks:
        """Return the callbacks of the group that surrounds this call, if one does."""
        around = _still_open()
        return around[-1].manager if around else None

    def may_listen(self) -> bool:
        """Whether a manager that is configured here, with nothing given, may have handlers.

        A function that asks this first need not configure one to learn that nobody listens.
        """
        return bool(current_trace() is not None or self.callbacks() or anything_held(self.hooks()))

    def equip(self, manager: BaseCallbackManager, trace: Trace | None) -> None:
        """Add tracers to a manager that is being configured.

        Args:
            manager: Has the caller's handlers, tags and metadata by now.
            trace: What `trace` returned.
        """

    def label(
        self,
        manager: BaseCallbackManager,
        trace: Trace | None,
        tags: list[str] | None,
        metadata: Mapping[str, Any] | None,
    ) -> None:
        """Give a configured manager's tracers the tags and metadata that are for them alone.

        Args:
            manager: Has all its handlers by now.
            trace: What `trace` returned.
            tags: The caller's tags for tracers.
            metadata: The caller's metadata for tracers.
        """

    def group_callbacks(
        self,
        manager: BaseCallbackManager | None,
        *,
        project_name: str | None,
        example_id: UUID | str | None,
        address: Any,
    ) -> Callbacks:
        """Return the callbacks of a chain group.

        Args:
            manager: The manager that the caller passed, if any.
            project_name: The project to trace into.
            example_id: The dataset example that the group runs.
            address: The agent address to trace to, instead of a project.
        """
        return manager

    def manager_for(self, config: Mapping[str, Any] | None, kind: type[Manager]) -> Manager:
        """Return the manager to dispatch a custom event with.

        Args:
            config: ``callbacks``, ``tags`` and ``metadata``; if None, those of the group
                that surrounds this call.
            kind: The manager's class.
        """
        if config is None:
            return kind.configure(self.callbacks())
        return kind.configure(
            config.get("callbacks"),
            inheritable_tags=config.get("tags"),
            inheritable_metadata=config.get("metadata"),
        )


_surroundings = Surroundings()


def surroundings() -> Surroundings:
    """Return the surroundings in force.

    Where the environment asks for tracing, and nobody else surrounds us, that is our tracer's.
    """
    if type(_surroundings) is Surroundings and asks_for_tracing():
        surround_with_tracing()
    return _surroundings


def surround_with_tracing() -> None:
    """Let our LangSmith tracer surround us, if nobody else does.

    The one place where callbacks reach up to what is built on them: by name, when it is needed.
    """
    if type(_surroundings) is Surroundings:
        surround_with(import_module("callboard.langsmith.surroundings").LangSmithSurroundings())


def surround_with(new: Surroundings) -> Surroundings:
    """Put other surroundings in force, for the whole process.

    Returns:
        Those that were in force, to be put back.
    """
    global _surroundings
    before, _surroundings = _surroundings, new
    return before


@contextmanager
def within(manager: BaseCallbackManager) -> Generator[None]:
    """Let custom events that are dispatched in a block belong to a manager's parent run.

    Args:
        manager: That manager.
    """
    block = _Around(manager)
    blocks = (*_still_open(), block)
    _around.set(blocks)
    try:
        yield
    finally:
        block.open = False
        # What else is held, another block has put there, which may be open.
        if _around.get() is blocks:
            _around.set(_still_open())
