"""Texts: how values print that are recorded as text, and no longer than is bearable."""

from __future__ import annotations

from enum import Enum
from functools import lru_cache
from typing import Any, overload

from callboard.tracing.constructors import CLASSES

__all__ = ["MAX_LENGTH", "beginning", "described", "key_text", "mask_of", "printed"]

MAX_LENGTH = 10_000_000
"""How many characters of a text are recorded, or bytes of a binary value."""
_MAX_PRINTED = 10_000
_MASKS = {"LangSmithSecret": "[LANGSMITH SECRET]"}
_NAMED_KEYS = {None: "null", True: "true", False: "false"}


def described(value: Any, error: Exception | None = None) -> str:
    """Return a value's type and repr, or what stood in the way of reading it.

    Args:
        value: Anything.
        error: What was raised when it was read, if anything was.
    """
    name = type(value).__qualname__
    try:
        text = beginning(str.__str__(repr(value)), _MAX_PRINTED)
    except Exception as unprintable:  # noqa: BLE001 - any repr may raise anything
        return f"<{name}: unreadable, {type(error or unprintable).__name__}>"
    return text if text.startswith("<") else f"<{name}: {text}>"


@overload
def beginning(value: str, length: int) -> str: ...
@overload
def beginning(value: str | bytes, length: int) -> str | bytes: ...
def beginning(value: str | bytes, length: int) -> str | bytes:
    """Return a text or bytes, no longer than that and what says how much is missing.

    Args:
        value: Text or bytes.
        length: How many characters or bytes.
    """
    missing = len(value) - length
    if missing <= 0:
        return value
    if isinstance(value, str):
        return f"{value[:length]}<{missing} more characters are not recorded>"
    return value[:length] + f"<{missing} more bytes are not recorded>".encode()


def key_text(key: Any) -> str:
    """Return a key as text: as JSON writes it, if that has a form for it.

    Args:
        key: Any key.
    """
    if isinstance(key, str):
        # The text itself, whatever its class makes of it.
        return mask_of(type(key)) or str.__str__(key)
    if key is None or key is True or key is False:
        return _NAMED_KEYS[key]
    try:
        return key_text(key.value) if isinstance(key, Enum) else printed(key)
    except Exception:  # noqa: BLE001 - a key may raise anything when it is printed
        return f"<{type(key).__qualname__}>"


def printed(value: Any) -> str:
    """Return what a value prints as.

    Args:
        value: Anything; it may raise when it is printed.
    """
    return beginning(str.__str__(str(value)), _MAX_PRINTED)


@lru_cache(CLASSES)
def mask_of(kind: type) -> str | None:
    """Return what is told instead of texts of a class that are secrets; None if they are not.

    Args:
        kind: The class.
    """
    for each in kind.__mro__:
        if each.__name__ in _MASKS and each.__module__.startswith("langsmith."):
            return _MASKS[each.__name__]
    return None
