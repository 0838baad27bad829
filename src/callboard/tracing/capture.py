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
from functools import lru_cache
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

from callboard.tracing.constructors import CLASSES, ONE_BY_ONE, Form, form_of
from callboard.wire.keys import distinct
from callboard.wire.operations import NUMBER, PUNCTUATION, MeasuredDict, measured

__all__ = [
    "MAX_DEPTH",
    "MAX_LENGTH",
    "MAX_VALUES",
    "Captured",
    "capture",
    "capture_measured",
    "fields_of",
]

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
# Of LangChain's form, what stands around the fields: about so many bytes, and values.
_FORM_SIZE = 200
_FORM_VALUES = 8
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
    return _any(value, [], [MAX_VALUES])[0]


def capture_measured(value: Any) -> Captured:
    """Return a value as it is now, as `capture` does; it knows its size.

    Args:
        value: Anything.

    Returns:
        Leaves as they are, a `callboard.wire.operations.MeasuredDict`, or a ``MeasuredList``.
    """
    if type(value) is dict:
        ours = MeasuredDict(value)
        ours.size = _capture_members(ours, [id(value)], [MAX_VALUES])
        return ours
    captured, size = _any(value, [], [MAX_VALUES])
    return measured(captured, size)


# What these functions pass on: the ids of what a value is inside of, and one number: how many
# more values may be recorded. Each returns about how many bytes it has captured, too, for
# whoever bounds what is held: to find that out later is to go through it all again.
#
# All of tracing waits for them: hence the loops that look at leaves themselves, as a call for
# each takes three times as long.


def _captured(  # noqa: PLR0911 - a list
    value: Any, above: list[int], left: list[int]
) -> tuple[Captured, int]:
    """Capture a value that is no leaf; return it and its size."""
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
            return members, _capture_members(members, above, left)
        if kind is list or kind is tuple:
            items = list(value)
            return items, _capture_items(items, above, left)
        form = form_of(kind)
        if form is not None:
            return _constructor(value, form, above, left)
        return _container(value, kind, above, left)
    except Exception as error:  # noqa: BLE001 - a value may raise anything when it is read
        return _text(described(value, error))
    finally:
        above.pop()


def _capture_members(ours: dict[Any, Any], above: list[int], left: list[int]) -> int:
    """Capture the values of a dictionary that nobody else holds, in their places."""
    if len(ours) > left[0]:
        for key in list(islice(ours, left[0], None)):
            del ours[key]
        size = _capture_members(ours, above, left)
        ours["..."] = _CUT
        return size + len(_CUT)
    left[0] -= len(ours)
    size = 2 * PUNCTUATION * len(ours)
    for key, value in ours.items():
        if type(key) is not str:
            left[0] += len(ours)
            _name_keys(ours)
            return _capture_members(ours, above, left)
        kind = type(value)
        size += len(key)
        if kind is str:
            size += len(value) if value.isascii() else 3 * len(value)
            if len(value) > MAX_LENGTH:
                ours[key] = _beginning(value, MAX_LENGTH)
        elif kind not in _LEAVES:
            ours[key], more = _captured(value, above, left)
            size += more
        elif kind is bytes:
            ours[key] = _beginning(value, MAX_LENGTH)
            size += len(ours[key])
        else:
            size += NUMBER
    return size


def _capture_items(ours: list[Any], above: list[int], left: list[int]) -> int:
    """Capture the items of a list that nobody else holds, in their places."""
    if len(ours) > left[0]:
        del ours[left[0] :]
        size = _capture_items(ours, above, left)
        ours.append(_CUT)
        return size + len(_CUT)
    left[0] -= len(ours)
    size = PUNCTUATION * len(ours)
    for index, value in enumerate(ours):
        kind = type(value)
        if kind is str:
            size += len(value) if value.isascii() else 3 * len(value)
            if len(value) > MAX_LENGTH:
                ours[index] = _beginning(value, MAX_LENGTH)
        elif kind not in _LEAVES:
            ours[index], more = _captured(value, above, left)
            size += more
        elif kind is bytes:
            ours[index] = _beginning(value, MAX_LENGTH)
            size += len(ours[index])
        else:
            size += NUMBER
    return size


_CUT = "<the rest is not recorded: too many values>"


def _any(value: Any, above: list[int], left: list[int]) -> tuple[Captured, int]:
    """Capture a value, be it a leaf or not."""
    one = [value]
    left[0] += 1  # It is counted already.
    size = _capture_items(one, above, left)
    return one[0], size


def _text(text: str) -> tuple[str, int]:
    return text, len(text)


def _short(text: str | None) -> str | None:
    return text if text is None else _beginning(text, MAX_LENGTH)


def _constructor(value: Any, form: Form, above: list[int], left: list[int]) -> tuple[Captured, int]:
    if form is ONE_BY_ONE:
        members = dict(value.to_json())
        return members, _capture_members(members, above, left)
    kwargs, others, size = form.kwargs(value)
    left[0] -= len(kwargs) + _FORM_VALUES
    if left[0] < 0:
        return _text(_CUT)
    if size > MAX_LENGTH:
        for name in kwargs.keys() - others:
            kwargs[name] = _short(kwargs[name])
    for name in others:
        field = kwargs[name]
        if type(field) in _LEAVES:
            kwargs[name], more = _any(field, above, left)
        else:
            kwargs[name], more = _captured(field, above, left)
        size += more
    told = {"lc": 1, "type": "constructor", "id": form.id.copy(), "kwargs": kwargs}
    return told, _FORM_SIZE + size


def _container(  # noqa: PLR0911 - a list
    value: Any, kind: type, above: list[int], left: list[int]
) -> tuple[Captured, int]:
    if isinstance(value, Enum):
        return _any(value.value, above, left)
    # Subclasses of leaves; their own attributes, if any, are not recorded.
    if isinstance(value, str | bytes):
        text = value if len(value) <= MAX_LENGTH else _beginning(value, MAX_LENGTH)
        return text, len(text)
    if isinstance(value, int | float):
        return value, NUMBER
    if isinstance(value, bytearray | memoryview):
        return _any(bytes(value), above, left)
    # The class of what follows may be anybody's, and its items without an end.
    if isinstance(value, Mapping):
        members = _named(list(islice(value.items(), left[0] + 1)))
        return members, _capture_members(members, above, left)
    if isinstance(value, list | tuple | AbstractSet | deque | array | ValuesView | ItemsView):
        items = list(islice(value, left[0] + 1))
        return items, _capture_items(items, above, left)
    return _object(value, kind, above, left)


def _object(value: Any, kind: type, above: list[int], left: list[int]) -> tuple[Captured, int]:
    if isinstance(value, _OPAQUE):
        return _text(str(value) if isinstance(value, PurePath) else described(value))
    if isinstance(value, BaseException):
        return _text(_beginning(str.__str__(repr(value)), _MAX_REPR))
    for read in _READERS:
        state = read(value, kind)
        if state is not None:
            return _any(state, above, left)
    return _text(described(value))


def _name_keys(ours: dict[Any, Any]) -> None:
    """Give a dictionary keys that are text."""
    items = list(ours.items())
    ours.clear()
    ours.update(_named(items))


def _named(items: Iterable[tuple[Any, Any]]) -> dict[str, Any]:
    """Return items by keys that are text; of two that print the same, the second is told apart."""
    named: dict[str, Any] = {}
    for key, item in items:
        named[distinct(_key(key), named)] = item
    return named


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
    names = _field_names(kind)
    if names is None:
        return _pydantic_v1(value, kind)
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
        state: dict[str, Any] | None = read(value, kind)
        if state is not None:
            return state
    return {}
