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
from collections.abc import ItemsView, Iterable, Mapping, ValuesView
from collections.abc import Set as AbstractSet
from datetime import date, datetime, time, timedelta, timezone, tzinfo
from decimal import Decimal
from enum import Enum
from fractions import Fraction
from itertools import islice
from math import prod
from pathlib import PurePath
from re import Pattern
from types import BuiltinFunctionType, FunctionType, MethodType, ModuleType
from typing import Any, NamedTuple, TypeAlias
from uuid import UUID

from callboard.tracing.constructors import ONE_BY_ONE, Form, form_of
from callboard.tracing.objects import model_of, read_attributes, read_fields
from callboard.tracing.texts import MAX_LENGTH, beginning, described, key_text, mask_of, printed
from callboard.wire.keys import distinct
from callboard.wire.operations import NUMBER, PUNCTUATION, MeasuredDict, measured

__all__ = [
    "MAX_DEPTH",
    "MAX_LENGTH",
    "MAX_VALUES",
    "Captured",
    "Serialised",
    "capture",
    "capture_measured",
]

Captured: TypeAlias = Any
"""Dictionaries with string keys, lists, and leaves that can't change."""

MAX_DEPTH = 64
"""How many containers deep a value is followed."""
MAX_VALUES = 250_000
"""How many values are recorded of one, all that it holds taken together."""

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
_OPAQUE = (type, FunctionType, BuiltinFunctionType, MethodType, ModuleType, PurePath, tzinfo)


class Serialised(NamedTuple):
    """Marks a value in which objects are to be captured in LangChain's serialised form.

    Attributes:
        value: What it is.
    """

    value: Any


class _Walk:
    """What is passed on while a value is walked.

    Attributes:
        above: The ids of what it is inside of.
        left: How many more values may be recorded.
        serialises: Whether LangChain's objects are captured in their serialised form.
    """

    # One is made for each value: what is not set when it is made costs nothing then.
    above: list[int]
    left: int = MAX_VALUES
    serialises: bool = False


def capture(value: Any) -> Captured:
    """Return a value as it is now.

    Args:
        value: Anything.

    Returns:
        Leaves as they are; mappings as dictionaries with string keys; sequences and sets as
        lists; pydantic models, LangChain's objects among them, dataclasses and other objects
        as dictionaries of their fields (`callboard.tracing.objects`), inside of `Serialised`
        LangChain's in their serialised form (``{"lc": 1, ...}``); exceptions by their class and
        message; what is none of these, and what can't be read, as text.
    """
    walk = _Walk()
    walk.above = []
    return _any(value, walk)[0]


def capture_measured(value: Any) -> Captured:
    """Return a value as it is now, as `capture` does; it knows its size.

    Args:
        value: Anything.

    Returns:
        Leaves as they are, a `callboard.wire.operations.MeasuredDict`, or a ``MeasuredList``.
    """
    walk = _Walk()
    kind = type(value)
    if kind is dict or kind is MeasuredDict:  # That is another run's, as a rule.
        ours = MeasuredDict(value)
        walk.above = [id(value)]
        ours.size = _capture_members(ours, walk)
        return ours
    walk.above = []
    captured, size = _any(value, walk)
    return measured(captured, size)


# Each of these functions returns about how many bytes it has captured, too, for whoever bounds
# what is held: to find that out later is to go through it all again.
#
# All of tracing waits for them: hence the loops that look at leaves themselves, as a call for
# each takes three times as long.


def _captured(  # noqa: PLR0911 - a list
    value: Any, walk: _Walk
) -> tuple[Captured, int]:
    """Capture a value that is no leaf; return it and its size."""
    kind: Any = type(value)
    above = walk.above
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
            return members, _capture_members(members, walk)
        if kind is list or kind is tuple:
            items = list(value)
            return items, _capture_items(items, walk)
        if walk.serialises and (form := form_of(kind)) is not None:
            return _constructor(value, form, walk)
        return _object(value, kind, walk)
    except Exception as error:  # noqa: BLE001 - a value may raise anything when it is read
        return _text(described(value, error))
    finally:
        above.pop()


def _capture_members(ours: dict[Any, Any], walk: _Walk) -> int:
    """Capture the values of a dictionary that nobody else holds, in their places."""
    count = len(ours)
    if count > walk.left:
        for key in list(islice(ours, walk.left, None)):
            del ours[key]
        size = _capture_members(ours, walk)
        ours["..."] = _CUT
        return size + len(_CUT)
    walk.left -= count
    size = 2 * PUNCTUATION * count
    for key, value in ours.items():
        if type(key) is not str:
            walk.left += count
            _name_keys(ours)
            return _capture_members(ours, walk)
        kind = type(value)
        size += len(key)
        if kind is str:
            length = len(value)
            size += length if value.isascii() else 3 * length
            if length > MAX_LENGTH:
                ours[key] = beginning(value, MAX_LENGTH)
        elif kind not in _LEAVES:
            ours[key], more = _captured(value, walk)
            size += more
        elif kind is bytes:
            ours[key] = beginning(value, MAX_LENGTH)
            size += len(ours[key])
        else:
            size += NUMBER
    return size


def _capture_items(ours: list[Any], walk: _Walk) -> int:
    """Capture the items of a list that nobody else holds, in their places."""
    if len(ours) > walk.left:
        del ours[walk.left :]
        size = _capture_items(ours, walk)
        ours.append(_CUT)
        return size + len(_CUT)
    walk.left -= len(ours)
    size = PUNCTUATION * len(ours)
    for index, value in enumerate(ours):
        kind = type(value)
        if kind is str:
            size += len(value) if value.isascii() else 3 * len(value)
            if len(value) > MAX_LENGTH:
                ours[index] = beginning(value, MAX_LENGTH)
        elif kind not in _LEAVES:
            ours[index], more = _captured(value, walk)
            size += more
        elif kind is bytes:
            ours[index] = beginning(value, MAX_LENGTH)
            size += len(ours[index])
        else:
            size += NUMBER
    return size


_CUT = "<the rest is not recorded: too many values>"


def _any(value: Any, walk: _Walk) -> tuple[Captured, int]:
    """Capture a value, be it a leaf or not."""
    one = [value]
    walk.left += 1  # It is counted already.
    size = _capture_items(one, walk)
    return one[0], size


def _text(text: str) -> tuple[str, int]:
    return text, len(text)


def _object(value: Any, kind: Any, walk: _Walk) -> tuple[Captured, int]:
    model = model_of(kind)
    if model is None:
        return _other(value, kind, walk)
    told = model.read(value)
    if type(told) is not dict:
        return _any(told, walk)
    return told, _capture_members(told, walk)


def _short(text: str | None) -> str | None:
    return text if text is None else beginning(text, MAX_LENGTH)


def _constructor(value: Any, form: Form, walk: _Walk) -> tuple[Captured, int]:
    if form is ONE_BY_ONE:
        members = dict(value.to_json())
        return members, _capture_members(members, walk)
    kwargs, others, size = form.kwargs(value)
    walk.left -= len(kwargs) + _FORM_VALUES
    if walk.left < 0:
        return _text(_CUT)
    if size > MAX_LENGTH:
        for name in kwargs.keys() - others:
            kwargs[name] = _short(kwargs[name])
    for name in others:
        field = kwargs[name]
        if type(field) is list and not field:  # As calls of tools are, as a rule.
            kwargs[name] = []
            continue
        if type(field) in _LEAVES:
            kwargs[name], more = _any(field, walk)
        else:
            kwargs[name], more = _captured(field, walk)
        size += more
    told = {"lc": 1, "type": "constructor", "id": form.id.copy(), "kwargs": kwargs}
    return told, _FORM_SIZE + size


def _serialised(value: Any, walk: _Walk) -> tuple[Captured, int]:
    """Capture a value with the objects in it in LangChain's serialised form."""
    before, walk.serialises = walk.serialises, True
    try:
        return _any(value, walk)
    finally:
        walk.serialises = before


def _other(  # noqa: PLR0911 - a list
    value: Any, kind: Any, walk: _Walk
) -> tuple[Captured, int]:
    if kind is Serialised:
        return _serialised(value.value, walk)
    if isinstance(value, Enum):
        return _any(value.value, walk)
    # Subclasses of leaves; their own attributes, if any, are not recorded.
    if isinstance(value, str | bytes):
        text = _unmarked(value)
        return text, len(text)
    if isinstance(value, int | float):
        return value, NUMBER
    if isinstance(value, bytearray | memoryview):
        return _any(bytes(value), walk)
    # The class of what follows may be anybody's, and its items without an end.
    if isinstance(value, tuple) and hasattr(kind, "_fields"):
        value = dict(zip(kind._fields, value, strict=False))
    if isinstance(value, Mapping):
        members = _named(list(islice(value.items(), walk.left + 1)))
        return members, _capture_members(members, walk)
    if isinstance(value, list | tuple | AbstractSet | deque | array | ValuesView | ItemsView):
        items = list(islice(value, walk.left + 1))
        return items, _capture_items(items, walk)
    told = read_fields(value, kind)
    if told is not None:
        return told, _capture_members(told, walk)
    return _without_fields(value, kind, walk)


def _without_fields(value: Any, kind: type, walk: _Walk) -> tuple[Captured, int]:
    """Capture what has no fields that it declares: what it holds, or else how it prints."""
    if isinstance(value, BaseException):
        return _any({"error": kind.__name__, "message": printed(value)}, walk)
    if isinstance(value, Pattern):
        return _any(value.pattern, walk)
    if not isinstance(value, _OPAQUE):
        told = _read_array(value, kind) if _is_array(kind) else read_attributes(value, kind)
        if told is not None:
            return _any(told, walk)
    return _text(printed(value))


def _is_array(kind: type) -> bool:
    return kind.__module__.startswith(("numpy", "torch"))


def _read_array(value: Any, kind: type) -> Any:
    """Read numpy's arrays and scalars, and what behaves like them."""
    if not hasattr(value, "tolist") or value.ndim >= MAX_DEPTH:
        return None
    if prod(value.shape) > MAX_VALUES:
        return f"<{kind.__qualname__}: {value.dtype} {list(value.shape)}, too many to record>"
    if getattr(value.dtype, "kind", "") in "mM":  # Times as lists are Python's, or bare numbers.
        return value.astype(str).tolist()
    return value.tolist()


def _unmarked(value: str | bytes) -> str | bytes:
    """Return text or bytes of a class of their own as they are; a mask, if that hides them."""
    return mask_of(type(value)) or beginning(value, MAX_LENGTH)


def _name_keys(ours: dict[Any, Any]) -> None:
    """Give a dictionary keys that are text."""
    items = list(ours.items())
    ours.clear()
    ours.update(_named(items))


def _named(items: Iterable[tuple[Any, Any]]) -> dict[str, Any]:
    """Return items by keys that are text; of two that print the same, the second is told apart."""
    named: dict[str, Any] = {}
    for key, item in items:
        named[distinct(key_text(key), named)] = item
    return named
