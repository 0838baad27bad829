"""JSON of anything that was captured, by orjson if it is installed.

The standard library's encoder is used otherwise, with the same result but for the way that
numbers are written. Encoding never raises: what JSON has no form for becomes text, or null.

==========================  =================================================
value                       becomes
==========================  =================================================
NaN, infinity               null
int beyond 64 bits          its digits, as text: no reader would keep them all
str with half a character   the same with U+FFFD in its place, as others read it
bytes                       base64
datetime                    ISO 8601, in UTC; one without a zone stays without
date, time                  ISO 8601
timedelta                   seconds
Enum                        its value
Decimal                     a number, as near as JSON has one
UUID, Fraction, complex,    text
timezone
other keys than text        text, as the standard library has it
keys that come out the same numbered by their place, from the second on
anything else               its repr
==========================  =================================================
"""

from __future__ import annotations

import base64
import json as standard
import re
from collections.abc import Callable, Mapping
from collections.abc import Set as AbstractSet
from datetime import UTC, date, datetime, time, timedelta, timezone
from decimal import Decimal
from enum import Enum
from fractions import Fraction
from itertools import accumulate, count
from math import isfinite
from operator import attrgetter, sub
from pathlib import PurePath
from typing import Any
from uuid import UUID

from callboard.errors import BadBodyError
from callboard.wire.keys import distinct

__all__ = ["decode", "depth", "encode", "read_clean"]

# Any: absent, it is None, and what the type checkers see depends on what is installed.
_orjson: Any
try:
    import orjson as _orjson
except ImportError:  # An extra; the standard library does as well, slower.
    _orjson = None

if _orjson is not None:
    _OPTIONS = _orjson.OPT_PASSTHROUGH_DATETIME | _orjson.OPT_PASSTHROUGH_DATACLASS

# Deeper than what is captured, and less than what orjson refuses to follow.
_MAX_DEPTH = 200
_SMALLEST, _BIGGEST = -(2**63), 2**64 - 1
# Python refuses to print the digits of a number that has more than 4300; they are 14284 bits.
_MAX_PRINTED_BITS = 14_000
_MAX_EXPONENT = 300
"""Beyond that no float is as big, and to work the digits out takes long."""


def encode(value: Any) -> bytes:
    """Return a value as JSON, in UTF-8, without white space.

    Args:
        value: Anything; meant for what capture makes, that is dictionaries, lists and leaves.
    """
    if _orjson is None:
        return _encode_slowly(value)
    try:
        data: bytes = _orjson.dumps(value, _plain, _OPTIONS)
    except TypeError:
        # Text with half a character, a huge number, keys that are no text, something endless.
        data = _orjson.dumps(_pure(value, ()))
    return data


def _encode_slowly(value: Any) -> bytes:
    text = standard.dumps(
        _pure(value, ()), ensure_ascii=False, check_circular=False, separators=(",", ":")
    )
    return text.encode()


def _plain(value: Any) -> Any:
    """Return something that JSON has a form for, or that is nearer to it."""
    kind = type(value)
    try:
        read = _LEAVES.get(kind)
        return _nearer(value) if read is None else read(value)
    except Exception as error:  # noqa: BLE001 - a value may raise anything when it is read
        return f"<{kind.__qualname__}: unreadable, {type(error).__name__}>"


def _utc(value: datetime) -> str:
    if value.tzinfo is None or value.tzinfo is UTC:
        return value.isoformat()
    try:
        return value.astimezone(UTC).isoformat()
    except OverflowError:  # The first or last day of the calendar, in another zone.
        return value.isoformat()


def _base64(value: bytes | bytearray | memoryview) -> str:
    return base64.b64encode(value).decode()


def _decimal(value: Decimal) -> int | float:
    exponent = value.as_tuple().exponent
    is_whole = isinstance(exponent, int) and 0 <= exponent < _MAX_EXPONENT
    return int(value) if is_whole else float(value)


_LEAVES: Mapping[type, Callable[[Any], Any]] = {
    datetime: _utc,
    date: date.isoformat,
    time: time.isoformat,
    timedelta: timedelta.total_seconds,
    bytes: _base64,
    bytearray: _base64,
    memoryview: _base64,
    UUID: str,
    Decimal: _decimal,
    Fraction: str,
    complex: str,
    timezone: str,
}
_BY_KIND: tuple[tuple[type | tuple[type, ...], Callable[[Any], Any]], ...] = (
    (Enum, attrgetter("value")),
    (str, str.__str__),
    (int, int),
    (float, float),
    (Mapping, dict),
    ((list, tuple, AbstractSet), list),
    (PurePath, str),
    *_LEAVES.items(),
)


def _nearer(value: Any) -> Any:
    for kind, read in _BY_KIND:
        if isinstance(value, kind):
            return read(value)
    return repr(value)


def _pure(value: Any, above: tuple[int, ...]) -> Any:
    """Return a copy of a value with nothing in it that any encoder could stumble over.

    Args:
        value: Anything.
        above: The ids of what it is inside of.
    """
    kind = type(value)
    if kind in _FORMS:
        return _FORMS[kind](value)
    if id(value) in above:
        return f"<cycle: {kind.__qualname__}>"
    if len(above) >= _MAX_DEPTH:
        return f"<too deep: {kind.__qualname__}>"
    above = (*above, id(value))
    if kind is dict:
        return _object(value, above)
    if kind is list or kind is tuple:
        return [_pure(item, above) for item in value]
    return _pure(_plain(value), above)


def _object(value: dict[Any, Any], above: tuple[int, ...]) -> dict[str, Any]:
    told = {_key(key): _pure(item, above) for key, item in value.items()}
    if len(told) == len(value):
        return told
    told = {}
    for key, item in value.items():
        told[distinct(_key(key), told)] = _pure(item, above)
    return told


def _key(key: Any) -> str:
    if type(key) is str:
        return _whole(key)
    pure = _pure(key, ())
    # As the standard library does it for those that JSON has a form for: true, null, 1.
    return pure if type(pure) is str else standard.dumps(pure)


def _whole(text: str) -> str:
    """Return text without halves of characters; two halves in a row make a whole one."""
    if text.isascii():
        return text
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return text


def _number(value: int) -> int | str:
    if _SMALLEST <= value <= _BIGGEST:
        return value
    return str(value) if value.bit_length() < _MAX_PRINTED_BITS else hex(value)


def _finite(value: float) -> float | None:
    return value if isfinite(value) else None


def _as_it_is(value: Any) -> Any:
    return value


# What JSON has a form for.
_FORMS: Mapping[type, Callable[[Any], Any]] = {
    str: _whole,
    int: _number,
    float: _finite,
    bool: _as_it_is,
    type(None): _as_it_is,
}


def decode(data: bytes) -> Any:
    """Return what a JSON text says.

    Besides strict JSON, what Python's own encoder writes is taken too: NaN and infinity, which
    become None, and halves of characters, which stay as they are.

    Args:
        data: JSON in UTF-8.

    Raises:
        BadBodyError: It is no JSON, or nested too deeply to be read.
    """
    if _orjson is not None:
        try:
            return _orjson.loads(data)
        except ValueError:
            pass  # It may still be what only the standard library takes.
    try:
        return standard.loads(data.decode(), parse_int=_integer, parse_constant=lambda _name: None)
    except RecursionError:
        raise BadBodyError("it is nested too deeply to be read.") from None
    except ValueError as error:
        raise BadBodyError(f"it is no JSON: {error}.") from None


def _integer(digits: str) -> int | float:
    """Return a number as orjson would: beyond 64 bits a float."""
    if len(digits) < 19:
        return int(digits)
    if len(digits) <= 20 and _SMALLEST <= int(digits) <= _BIGGEST:
        return int(digits)
    return float(digits)


def read_clean(data: bytes, max_depth: int) -> tuple[bytes, Any]:
    """Return a JSON text that every reader takes, and what it says.

    Args:
        data: JSON in UTF-8, perhaps with what only Python's own reader takes (`decode`).
        max_depth: How many containers deep it may be.

    Returns:
        The text as it came, if every reader takes that, else written anew; and its value.

    Raises:
        BadBodyError: It is no JSON, or nested more deeply.
    """
    if depth(data, max_depth) > max_depth:
        raise BadBodyError(f"it is nested more than {max_depth} deep.")
    if _orjson is not None:
        try:
            return data, _orjson.loads(data)
        except ValueError:
            pass  # It may still be what only the standard library takes.
    clean = encode(decode(data))
    return clean, decode(clean)


_STRING = re.compile(rb'"[^"\\]*+(?:\\.[^"\\]*+)*+"', re.DOTALL)
_NO_BRACKETS = bytes(set(range(256)) - set(b"[]{}"))
# An opening bracket counts two and a closing one nothing: less one each, that is up and down.
_STEPS = bytes.maketrans(b"[{]}", b"\2\2\0\0")


def depth(data: bytes, enough: int = 0) -> int:
    """Return how many containers deep a JSON text is, without reading it.

    Args:
        data: JSON in UTF-8; of anything else the answer means nothing.
        enough: No need to look closer if it can't be deeper than that: then the answer is
            some number up to it.
    """
    at_most = data.count(b"[") + data.count(b"{")
    if at_most <= enough:
        return at_most
    brackets = _STRING.sub(b"", data).translate(_STEPS, _NO_BRACKETS)
    return max(map(sub, accumulate(brackets), count(1)), default=0)
