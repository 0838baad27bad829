"""Capture: a value as it is at the moment of an event, safe from what happens to it later.

The value is walked once, on the thread of the application, and comes out as a structure of
dictionaries, lists and leaves that nobody else holds. Strings, bytes, numbers and other values
that can't change are leaves, taken by reference: a prompt of a megabyte costs as much as one of
ten bytes. To encode the structure is somebody else's work, on another thread.

Capture never raises into the application. What it can't read is recorded as its type and repr,
what is endless, huge or very deep is cut, and either says so where it stands.
"""

from __future__ import annotations

from array import array
from collections import deque
from collections.abc import Callable, ItemsView, Iterable, Mapping, ValuesView
from collections.abc import Set as AbstractSet
from contextlib import suppress
from dataclasses import fields, is_dataclass
from datetime import date, datetime, time, timedelta, timezone
from decimal import Decimal
from enum import Enum
from fractions import Fraction
from itertools import islice
from math import prod
from pathlib import PurePath
from types import (
    BuiltinFunctionType,
    FunctionType,
    MemberDescriptorType,
    MethodType,
    ModuleType,
)
from typing import Any, TypeAlias, overload
from uuid import UUID

from callboard.tracing.constructors import constructor_of
from callboard.wire.keys import distinct

__all__ = ["MAX_DEPTH", "MAX_LENGTH", "MAX_VALUES", "Captured", "capture", "fields_of"]

Captured: TypeAlias = Any
"""Dictionaries with string keys, lists, and leaves that can't change."""

MAX_DEPTH = 64
"""How many containers deep a value is followed."""
MAX_VALUES = 250_000
"""How many values are recorded of one, all that it holds taken together."""
MAX_LENGTH = 10_000_000
"""How many characters of a text are recorded, or bytes of a binary value."""
_MAX_REPR = 10_000

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
    return _walk(value, (), [MAX_VALUES])


def _walk(value: Any, above: tuple[int, ...], left: list[int]) -> Captured:
    """Return a value as it is now.

    Args:
        value: Anything.
        above: The ids of what it is inside of.
        left: One number: how many more values may be recorded.
    """
    kind = type(value)
    if kind in _LEAVES:
        if (kind is str or kind is bytes) and len(value) > MAX_LENGTH:
            return _beginning(value, MAX_LENGTH)
        return value
    if id(value) in above:
        return f"<cycle: {kind.__qualname__}>"
    if len(above) >= MAX_DEPTH:
        return f"<too deep: {kind.__qualname__}>"
    try:
        return _container(value, kind, (*above, id(value)), left)
    except Exception as error:  # noqa: BLE001 - a value may raise anything when it is read
        return described(value, error)


def _container(value: Any, kind: type, above: tuple[int, ...], left: list[int]) -> Captured:  # noqa: PLR0911 - a list
    if kind is dict:
        # Of a copy, made in one step: reading an item, or another thread, may change it.
        held = value.copy()
        return _mapping(held.items(), len(held), above, left)
    if kind is list or kind is tuple:
        return _sequence(value, len(value), above, left)
    if isinstance(value, Enum):
        return _walk(value.value, above, left)
    # Subclasses of leaves; their own attributes, if any, are not recorded.
    if isinstance(value, str | bytes):
        return value if len(value) <= MAX_LENGTH else _beginning(value, MAX_LENGTH)
    if isinstance(value, int | float):
        return value
    if isinstance(value, bytearray | memoryview):
        return _walk(bytes(value), above, left)
    # The class of what follows may be anybody's, and its items without an end.
    if isinstance(value, Mapping):
        items = list(islice(value.items(), left[0] + 1))
        return _mapping(items, len(items), above, left)
    if isinstance(value, list | tuple | AbstractSet | deque | array | ValuesView | ItemsView):
        items = list(islice(value, left[0] + 1))
        return _sequence(items, len(items), above, left)
    return _object(value, kind, above, left)


_CUT = "<the rest is not recorded: too many values>"


def _sequence(
    items: Iterable[Any], count: int, above: tuple[int, ...], left: list[int]
) -> list[Captured]:
    if count > left[0]:
        return [*_sequence(list(islice(items, left[0])), left[0], above, left), _CUT]
    left[0] -= count
    return [_walk(item, above, left) for item in items]


def _mapping(
    items: Iterable[tuple[Any, Any]], count: int, above: tuple[int, ...], left: list[int]
) -> dict[str, Captured]:
    if count > left[0]:
        return _mapping(list(islice(items, left[0])), left[0], above, left) | {"...": _CUT}
    left[0] -= count
    told = {key if type(key) is str else _key(key): _walk(item, above, left) for key, item in items}
    return told if len(told) >= count else _with_all(items, above, left)


def _with_all(
    items: Iterable[tuple[Any, Any]], above: tuple[int, ...], left: list[int]
) -> dict[str, Captured]:
    """Return items of which two have keys that print the same: the second is told apart."""
    told: dict[str, Captured] = {}
    for key, item in items:
        told[distinct(_key(key), told)] = _walk(item, above, left)
    return told


def _object(value: Any, kind: type, above: tuple[int, ...], left: list[int]) -> Captured:
    if isinstance(value, _OPAQUE):
        return str(value) if isinstance(value, PurePath) else described(value)
    if isinstance(value, BaseException):
        return _beginning(str.__str__(repr(value)), _MAX_REPR)
    for read in _READERS:
        state = read(value, kind)
        if state is not None:
            return _walk(state, above, left)
    return described(value)


def _key(key: Any) -> str:
    if isinstance(key, str):
        return str.__str__(key)  # The text itself, whatever its class makes of it.
    try:
        return _beginning(str.__str__(str(key)), _MAX_REPR)
    except Exception:  # noqa: BLE001 - a key may raise anything when it is printed
        return f"<{type(key).__qualname__}>"


def described(value: Any, error: Exception | None = None) -> str:
    """Return a value's type and repr, or what stood in the way of reading it."""
    name = type(value).__qualname__
    try:
        text = _beginning(str.__str__(repr(value)), _MAX_REPR)
    except Exception as unprintable:  # noqa: BLE001 - any repr may raise anything
        return f"<{name}: unreadable, {type(error or unprintable).__name__}>"
    return text if text.startswith("<") else f"<{name}: {text}>"


@overload
def _beginning(value: str, length: int) -> str: ...
@overload
def _beginning(value: str | bytes, length: int) -> str | bytes: ...
def _beginning(value: str | bytes, length: int) -> str | bytes:
    """Return a text or bytes, no longer than that and what says how much is missing."""
    missing = len(value) - length
    if missing <= 0:
        return value
    if isinstance(value, str):
        return f"{value[:length]}<{missing} more characters are not recorded>"
    return value[:length] + f"<{missing} more bytes are not recorded>".encode()


# How objects are read, in this order; each returns None for what it does not know.


def _pydantic(value: Any, kind: type) -> Any:
    names = getattr(kind, "model_fields", None)
    if names is None:
        return _pydantic_v1(value, kind)
    held = vars(value)
    more = getattr(value, "__pydantic_extra__", None) or {}
    told = {name: held[name] for name, info in names.items() if name in held and not info.exclude}
    return told | more


def _pydantic_v1(value: Any, kind: type) -> Any:
    names = getattr(kind, "__fields__", None)
    if names is None or not hasattr(kind, "__fields_set__"):
        return None
    hidden = {name for name, each in names.items() if each.field_info.exclude}
    return {name: each for name, each in vars(value).items() if name not in hidden}


def _dataclass(value: Any, _: type) -> Any:
    if not is_dataclass(value):
        return None
    return {each.name: getattr(value, each.name, None) for each in fields(value)}


def _attrs(value: Any, kind: type) -> Any:
    told = getattr(kind, "__attrs_attrs__", None)
    return None if told is None else {each.name: getattr(value, each.name, None) for each in told}


def _array(value: Any, kind: type) -> Any:
    """Read numpy's arrays and scalars, and what behaves like them."""
    if not kind.__module__.startswith(("numpy", "torch")):
        return None
    if not hasattr(value, "tolist") or value.ndim >= MAX_DEPTH:
        return _beginning(repr(value), _MAX_REPR)
    if prod(value.shape) > MAX_VALUES:
        return f"<{kind.__qualname__}: {value.dtype} {list(value.shape)}, too many to record>"
    if getattr(value.dtype, "kind", "") in "mM":  # Times as lists are Python's, or bare numbers.
        return value.astype(str).tolist()
    return value.tolist()


def _plain(value: Any, kind: Any) -> Any:
    """Read plain objects that have no repr of their own; others say it better themselves."""
    if kind.__repr__ is not object.__repr__:
        return None
    return {**_slots(value, kind), **getattr(value, "__dict__", {})} or None


def _slots(value: Any, kind: type) -> dict[str, Any]:
    told: dict[str, Any] = {}
    for each in kind.__mro__:
        if "__slots__" in vars(each):
            for name, member in vars(each).items():
                if isinstance(member, MemberDescriptorType):
                    with suppress(AttributeError):  # It was never set.
                        told[name] = member.__get__(value)
    return told


_READERS: tuple[Callable[[Any, type], Any], ...] = (
    constructor_of,
    _pydantic,
    _dataclass,
    _attrs,
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
    for read in (_pydantic, _dataclass, _attrs, _plain):
        state = read(value, kind)
        if state is not None:
            return dict(state)
    return {}
