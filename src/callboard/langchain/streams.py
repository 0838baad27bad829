"""A handler for a runnable's call: put into its config, and the call made for what it hears."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from typing import Any

from callboard.errors import BadCallbacksError

__all__ = ["config_with"]


def config_with(config: Mapping[str, Any] | None, handler: Any) -> dict[str, Any]:
    """Return a runnable's config that has a handler too, for the call and all inside it.

    Args:
        config: The config; None for that of the runnable around the call, if any.
        handler: The handler.

    Raises:
        BadCallbacksError: The config's callbacks are neither a list nor a manager.
    """
    given = None if config is None else config.get("callbacks")
    if not (given is None or isinstance(given, list) or _is_manager(given)):
        raise BadCallbacksError(
            "A config's callbacks must be a list of handlers, a callback manager or None, "
            f"not {given!r}."
        )
    made: dict[str, Any] = import_module("langchain_core.runnables.config").ensure_config(config)
    callbacks: Any = made.get("callbacks")
    if _is_manager(callbacks):
        made["callbacks"] = callbacks.copy()
        made["callbacks"].add_handler(handler, inherit=True)
    else:
        made["callbacks"] = [*(callbacks or ()), handler]
    return made


def _is_manager(callbacks: Any) -> bool:
    return hasattr(callbacks, "inheritable_handlers")
