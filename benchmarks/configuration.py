"""Configuring a manager, which every call of a runnable does."""

from collections.abc import Iterable
from typing import Any

from benchmarks.case import Case, Loop
from benchmarks.libraries import Library
from callboard.ids import uuid7

__all__ = ["CASES"]

PARENT = uuid7()
LABELS: dict[str, Any] = {
    "inheritable_tags": ["production"],
    "local_tags": ["fast"],
    "inheritable_metadata": {"tenant": "a", "thread": 7},
    "local_metadata": {"step": 1},
}


def nothing(library: Library) -> Loop:
    """Configure a manager with no callbacks."""
    configure = library.callbacks.CallbackManager.configure

    def loop(times: Iterable[None]) -> None:
        for _ in times:
            configure()

    return loop


def one_handler(library: Library) -> Loop:
    """Configure a manager with one handler."""
    configure, callbacks = library.callbacks.CallbackManager.configure, [library.heard()]

    def loop(times: Iterable[None]) -> None:
        for _ in times:
            configure(callbacks)

    return loop


def labelled(library: Library) -> Loop:
    """Configure a manager with one handler, tags and metadata."""
    configure, callbacks = library.callbacks.CallbackManager.configure, [library.heard()]

    def loop(times: Iterable[None]) -> None:
        for _ in times:
            configure(callbacks, **LABELS)

    return loop


def of_a_manager(library: Library) -> Loop:
    """Configure a manager from another, and a handler for the call alone: a step of a chain."""
    manager_class = library.callbacks.CallbackManager
    handlers = [library.heard()]
    manager = manager_class(
        handlers, handlers, PARENT, tags=["seq:step:1"], inheritable_metadata={"tenant": "a"}
    )
    local = [library.heard()]

    def loop(times: Iterable[None]) -> None:
        for _ in times:
            manager_class.configure(manager, local)

    return loop


CASES = [
    Case("configure, 1 handler", one_handler, target=4),
    Case("configure, 1 handler, tags, metadata", labelled),
    Case("configure, a manager and 1 handler", of_a_manager),
    Case("configure, nothing", nothing),
]
