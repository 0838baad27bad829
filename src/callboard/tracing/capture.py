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
from functools import lru_cache
from pathlib import PurePath
from types import BuiltinFunctionType, FunctionType, MethodType, ModuleType
from typing import Any, TypeAlias
from uuid import UUID

from callboard.tracing.constructors import CLASSES, ONE_BY_ONE, Form, form_of
from callboard.wire.operations import NUMBER, PUNCTUATION, MeasuredDict, measured

__all__ = ["MAX_DEPTH", "Captured", "capture", "capture_measured", "fields_of"]

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
# Of LangChain's form, what stands around the fields: about so many bytes.
_FORM_SIZE = 200
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
    return value if type(value) in _LEAVES else _captured(value, [])[0]


def capture_measured(value: Any) -> Captured:
    """Return a value as it is now, as `capture` does; it knows its size.

    Args:
        value: Anything.

    Returns:
        Leaves as they are, a `callboard.wire.operations.MeasuredDict`, or a ``MeasuredList``.
    """
    kind = type(value)
    if kind in _LEAVES:
        return value
    if kind is dict:
        ours = MeasuredDict(value)
        ours.size = _capture_members(ours, [id(value)])
        return ours
    captured, size = _captured(value, [])
    return measured(captured, size)


# Each function returns about how many bytes it has captured, too, for whoever bounds what is
# held: to find that out later is to go through it all again. All of tracing waits for these:
# hence the loops that look at leaves themselves, as a call for each takes three times as long.


def _captured(  # noqa: PLR0911 - a list
    value: Any, above: list[int]
) -> tuple[Captured, int]:
    """Capture a value, inside of others by their ids; return it and its size."""
    kind: Any = type(value)
    if (kind is dict or kind is list) and not value:
        return kind(), 0
    if id(value) in above:
        return _text(f"<cycle: {kind.__qualname__}>")
    if len(above) >= MAX_DEPTH:
        return _text(f"<too deep: {kind.__qualname__}>")
    above.append(id(value))
    try:
        # Of a copy, made in one step: reading an item, or another thread, may change it.
        if kind is dict:
            members = value.copy()
            return members, _capture_members(members, above)
        if kind is list or kind is tuple:
            items = list(value)
            return items, _capture_items(items, above)
        form = form_of(kind)
        if form is not None:
            return _constructor(value, form, above)
        return _container(value, kind, above)
    except Exception as error:  # noqa: BLE001 - a value may raise anything when it is read
        return _text(described(value, error))
    finally:
        above.pop()


def _capture_members(ours: dict[Any, Any], above: list[int]) -> int:
    """Capture the values of a dictionary that nobody else holds, in their places."""
    size = 2 * PUNCTUATION * len(ours)
    for key, value in ours.items():
        if type(key) is not str:
            _name_keys(ours)
            return _capture_members(ours, above)
        kind = type(value)
        size += len(key)
        if kind is str:
            size += len(value) if value.isascii() else 3 * len(value)
        elif kind not in _LEAVES:
            ours[key], more = _captured(value, above)
            size += more
        else:
            size += len(value) if kind is bytes else NUMBER
    return size


def _capture_items(ours: list[Any], above: list[int]) -> int:
    """Capture the items of a list that nobody else holds, in their places."""
    size = PUNCTUATION * len(ours)
    for index, value in enumerate(ours):
        kind = type(value)
        if kind is str:
            size += len(value) if value.isascii() else 3 * len(value)
        elif kind not in _LEAVES:
            ours[index], more = _captured(value, above)
            size += more
        else:
            size += len(value) if kind is bytes else NUMBER
    return size


def _any(value: Any, above: list[int]) -> tuple[Captured, int]:
    """Capture a value, be it a leaf or not."""
    one = [value]
    size = _capture_items(one, above)
    return one[0], size


def _text(text: str) -> tuple[str, int]:
    return text, len(text)


def _constructor(value: Any, form: Form, above: list[int]) -> tuple[Captured, int]:
    if form is ONE_BY_ONE:
        members = dict(value.to_json())
        return members, _capture_members(members, above)
    kwargs, others = form.kwargs(value)
    size = _FORM_SIZE
    for name in others:
        field = kwargs[name]
        if type(field) in _LEAVES:
            size += len(field) if type(field) is bytes else NUMBER
        else:
            kwargs[name], more = _captured(field, above)
            size += more
    for text in kwargs.values():
        if type(text) is str:
            size += len(text) if text.isascii() else 3 * len(text)
    return {"lc": 1, "type": "constructor", "id": form.id.copy(), "kwargs": kwargs}, size


def _container(value: Any, kind: type, above: list[int]) -> tuple[Captured, int]:
    if isinstance(value, Enum):
        return _any(value.value, above)
    if isinstance(value, str | bytes | int | float):
        # A subclass of a leaf; its own attributes, if any, are not recorded.
        return value, len(value) if isinstance(value, str | bytes) else NUMBER
    if isinstance(value, bytearray | memoryview):
        return _any(bytes(value), above)
    if isinstance(value, Mapping):
        members = {_key(key): item for key, item in list(value.items())}
        return members, _capture_members(members, above)
    if isinstance(value, list | tuple | AbstractSet | deque):
        items = list(value)
        return items, _capture_items(items, above)
    return _object(value, kind, above)


def _object(value: Any, kind: type, above: list[int]) -> tuple[Captured, int]:
    if isinstance(value, _OPAQUE):
        return _text(str(value) if isinstance(value, PurePath) else described(value))
    if isinstance(value, BaseException):
        return _text(repr(value))
    for read in _READERS:
        state = read(value, kind)
        if state is not None:
            return _any(state, above)
    return _text(described(value))


def _name_keys(ours: dict[Any, Any]) -> None:
    """Give a dictionary keys that are text."""
    named = {_key(key): value for key, value in ours.items()}
    ours.clear()
    ours.update(named)


def _key(key: Any) -> str:
    if isinstance(key, str):
        return str.__str__(key)  # The text itself, whatever its class makes of it.
    try:
        return str.__str__(str(key))
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
    names = _field_names(kind)
    if names is None:
        return None
    held = vars(value)
    more = getattr(value, "__pydantic_extra__", None)
    told = {name: held[name] for name in names if name in held}
    return told | more if more else told


@lru_cache(CLASSES)
def _field_names(kind: type) -> tuple[str, ...] | None:
    """Return which fields of a class's objects are told; None if it is none of pydantic's."""
    fields: Mapping[str, Any] | None = getattr(kind, "model_fields", None)
    if fields is None:
        return None
    return tuple(name for name, info in fields.items() if not info.exclude)


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
