"""Custom events: an application's own, sent to whoever hears the run it is in."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from callboard.callbacks.managers import AsyncCallbackManager, CallbackManager
from callboard.callbacks.surroundings import surroundings
from callboard.errors import NoParentRunError

if TYPE_CHECKING:
    from uuid import UUID

    from callboard.callbacks.base_manager import BaseCallbackManager

__all__ = ["adispatch_custom_event", "dispatch_custom_event"]


def dispatch_custom_event(name: str, data: Any, *, config: Mapping[str, Any] | None = None) -> None:
    """Send an event of your own to the handlers of the run that this is called in.

    Args:
        name: The event's name.
        data: Whatever goes with it; JSON-serialisable, if it is to be traced.
        config: Names the run: ``{"callbacks": run.get_child()}``, or the config that a
            LangChain runnable was given. If None, the run of the group that surrounds the
            call, or of the LangChain runnable that does.

    Raises:
        NoParentRunError: There is no such run.
    """
    manager = surroundings().manager_for(config, CallbackManager)
    manager.on_custom_event(name, data, run_id=_run_of(manager, name))


async def adispatch_custom_event(
    name: str, data: Any, *, config: Mapping[str, Any] | None = None
) -> None:
    """Send an event of your own, from async code: see `dispatch_custom_event`.

    Raises:
        NoParentRunError: There is no run to send it from.
    """
    manager = surroundings().manager_for(config, AsyncCallbackManager)
    await manager.on_custom_event(name, data, run_id=_run_of(manager, name))


def _run_of(manager: BaseCallbackManager, name: str) -> UUID:
    if manager.parent_run_id is None:
        raise NoParentRunError(
            f"Custom event {name!r} was dispatched outside of any run; dispatch it inside one, "
            "or name the run: config={'callbacks': run.get_child()}."
        )
    return manager.parent_run_id
