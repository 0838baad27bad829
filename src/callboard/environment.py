"""What the environment says, read once.

Looking a variable up costs more than starting a run should, so each is looked up the first
time that it matters and remembered. A program that changes its environment while it runs
calls `reload_environment`.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from functools import cache
from typing import ParamSpec, TypeVar, cast

__all__ = [
    "also_forget",
    "asks_for_tracing",
    "is_on",
    "reload_environment",
    "remembered",
    "value_of",
]

P = ParamSpec("P")
T = TypeVar("T")

_OFF = frozenset({"", "0", "false"})
_TRACING = (
    "LANGSMITH_TRACING",
    "LANGSMITH_TRACING_V2",
    "LANGCHAIN_TRACING",
    "LANGCHAIN_TRACING_V2",
)


_caches: list[Callable[[], None]] = []


def remembered(read: Callable[P, T]) -> Callable[P, T]:
    """Have a function that reads the environment do so once, until that is read again.

    Args:
        read: The function; its arguments are hashable.
    """
    kept = cache(read)
    also_forget(kept.cache_clear)
    return cast("Callable[P, T]", kept)


def also_forget(clear: Callable[[], None]) -> None:
    """Have something forgotten whenever what the environment said is.

    Args:
        clear: Forgets it.
    """
    _caches.append(clear)


@remembered
def value_of(name: str) -> str | None:
    """Return a variable's value, or None if it is not set.

    Args:
        name: The variable's name.
    """
    return os.environ.get(name)


def is_on(name: str) -> bool:
    """Whether a variable is set to anything but the empty string, 0 or false.

    Args:
        name: The variable's name.
    """
    return (value_of(name) or "").lower() not in _OFF


@remembered
def asks_for_tracing() -> bool:
    """Whether one of the variables that turn tracing on is set to anything but off."""
    return any(map(is_on, _TRACING))


def reload_environment() -> None:
    """Forget what the environment said, so that it is read again."""
    for clear in _caches:
        clear()
