"""Capture: a value as it is at the moment of an event, safe from what happens to it later.

The value is walked once, on the thread of the application, and comes out as a structure of
dictionaries, lists and leaves that nobody else holds. Strings, bytes, numbers and other values
that can't change are leaves, taken by reference: a prompt of a megabyte costs as much as one of
ten bytes. To encode the structure is somebody else's work, on another thread.

Capture never raises into the application. What it can't read is recorded as its type and repr,
what is endless or very deep is cut, and either says so where it stands.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import fields, is_dataclass
from datetime import date, datetime, time, timedelta, timezone
from decimal import Decimal
from enum import Enum
from fractions import Fraction
from pathlib import PurePath
from types import BuiltinFunctionType, FunctionType, MethodType, ModuleType
from typing import Any, TypeAlias
from uuid import UUID

from callboard.tracing.constructors import constructor_of

__all__ = ["MAX_DEPTH", "Captured", "capture", "fields_of"]

Captured: TypeAlias = Any
"""Dictionaries with string keys, lists, and leaves that can't change."""

MAX_DEPTH = 64
"""How many containers deep a value is followed."""

_LEAVES = frozenset(
    {
        str,
        int,
        float,
        bool,
        type(None),
        bytes,
        complex,
        UUID,
        datetime,
        date,
        time,
        timedelta,
        timezone,
        Decimal,
        Fraction,
    }
)
# What prints well enough, and holds too much to be walked.
_OPAQUE = (type, FunctionType, BuiltinFunctionType, MethodType, ModuleType, PurePath)


def capture(value: Any) -> Captured:
    """Return a value as it is now.

    Args:
        value: Anything.

    Returns:
        Leaves as they are; mappings as dictionaries with string keys; sequences and sets as
        lists; LangChain's objects in their serialised form (``{"lc": 1, ...}``); dataclasses,
        pydantic models and other objects as dictionaries of their fields; exceptions, and
        what can't be read, as text.
    """
    return _walk(value, ())


def _walk(value: Any, above: tuple[int, ...]) -> Captured:
    kind = type(value)
    if kind in _LEAVES:
        return value
    if id(value) in above:
        return f"<cycle: {kind.__qualname__}>"
    if len(above) >= MAX_DEPTH:
        return f"<too deep: {kind.__qualname__}>"
    try:
        return _container(value, kind, (*above, id(value)))
    except Exception as error:  # noqa: BLE001 - a value may raise anything when it is read
        return described(value, error)


def _container(value: Any, kind: type, above: tuple[int, ...]) -> Captured:  # noqa: PLR0911 - a list
    if kind is dict:
        # Of a copy, made in one step: reading an item, or another thread, may change it.
        return {
            key if type(key) is str else _key(key): _walk(item, above)
            for key, item in value.copy().items()
        }
    if kind is list or kind is tuple:
        return [_walk(item, above) for item in value]
    if isinstance(value, Enum):
        return _walk(value.value, above)
    if isinstance(value, str | bytes | int | float):
        return value  # A subclass of a leaf; its own attributes, if any, are not recorded.
    if isinstance(value, bytearray | memoryview):
        return bytes(value)
    if isinstance(value, Mapping):
        return {_key(key): _walk(item, above) for key, item in list(value.items())}
    if isinstance(value, list | tuple | AbstractSet | deque):
        return [_walk(item, above) for item in list(value)]
    return _object(value, kind, above)


def _object(value: Any, kind: type, above: tuple[int, ...]) -> Captured:
    if isinstance(value, _OPAQUE):
        return str(value) if isinstance(value, PurePath) else described(value)
    if isinstance(value, BaseException):
        return repr(value)
    for read in _READERS:
        state = read(value, kind)
        if state is not None:
            return _walk(state, above)
    return described(value)


def _key(key: Any) -> str:
    if isinstance(key, str):
        return str.__str__(key)  # The text itself, whatever its class makes of it.
    try:
        return str(key)
    except Exception:  # noqa: BLE001 - a key may raise anything when it is printed
        return f"<{type(key).__qualname__}>"


def described(value: Any, error: Exception | None = None) -> str:
    """Return a value's type and repr, or what stood in the way of reading it."""
    name = type(value).__qualname__
    try:
        text = repr(value)
    except Exception as unprintable:  # noqa: BLE001 - any repr may raise anything
        return f"<{name}: unreadable, {type(error or unprintable).__name__}>"
    return text if text.startswith("<") else f"<{name}: {text}>"


# How objects are read, in this order; each returns None for what it does not know.


def _pydantic(value: Any, kind: type) -> Any:
    names = getattr(kind, "model_fields", None)
    if names is None:
        return None
    held = vars(value)
    more = getattr(value, "__pydantic_extra__", None) or {}
    told = {name: held[name] for name, info in names.items() if name in held and not info.exclude}
    return told | more


def _dataclass(value: Any, _: type) -> Any:
    if not is_dataclass(value):
        return None
    return {each.name: getattr(value, each.name, None) for each in fields(value)}


def _array(value: Any, kind: type) -> Any:
    """Read numpy's arrays and scalars, and what behaves like them."""
    if not kind.__module__.startswith(("numpy", "torch")):
        return None
    return value.tolist() if hasattr(value, "tolist") and value.ndim < MAX_DEPTH else repr(value)


def _plain(value: Any, kind: Any) -> Any:
    """Read plain objects that have no repr of their own; others say it better themselves."""
    if kind.__repr__ is not object.__repr__ or not hasattr(value, "__dict__"):
        return None
    return dict(vars(value)) or None


_READERS: tuple[Callable[[Any, type], Any], ...] = (
    constructor_of,
    _pydantic,
    _dataclass,
    _array,
    _plain,
)


def fields_of(value: Any) -> Mapping[str, Any]:
    """Return an object's fields, not walked; a mapping as it is.

    Args:
        value: A mapping, a pydantic model, a dataclass or a plain object.
    """
    if isinstance(value, Mapping):
        return value
    kind = type(value)
    for read in (_pydantic, _dataclass, _plain):
        state = read(value, kind)
        if state is not None:
            return dict(state)
    return {}
