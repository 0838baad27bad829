"""The types of fields: what each takes, which operators it has, and how its values are read."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import UUID

from callboard.query.entries import number_of
from callboard.query.nodes import Value

__all__ = [
    "CHOICE",
    "DOCUMENT",
    "FLAG",
    "MIXED",
    "MOMENT",
    "NUMBER",
    "OBJECT",
    "SECONDS",
    "TAGS",
    "TEXT",
    "TEXT_WORDS",
    "UUID_TYPE",
    "Constant",
    "Type",
    "is_exact",
    "number",
]


@dataclass(frozen=True, slots=True)
class Constant:
    """A value as a filter has it, before it is known what it is compared to.

    Attributes:
        text: What the quotes hold, or the bare word.
        quoted: Whether there are quotes.
    """

    text: str
    quoted: bool

    @property
    def is_null(self) -> bool:
        """Whether it is the bare word ``null``, or Python's for it."""
        return not self.quoted and self.text.lower() in {"null", "none"}


@dataclass(frozen=True, slots=True)
class Type:
    """A type of field.

    Attributes:
        name: What documents call it.
        takes: What its values are, as an error says it.
        operators: The names of those that its fields have.
        read: Returns a constant as a value of this type; raises ValueError if it is none.
    """

    name: str
    takes: str
    operators: tuple[str, ...]
    read: Callable[[Constant], Value]


def number(text: str) -> int | float:
    """Return the number that a text is: whole ones, if they fit in 64 bits, as int.

    Raises:
        ValueError: It is none, or one of more than 1e308.
    """
    read = number_of(text)
    if read is None:
        raise ValueError(text)
    if read.is_integer() and is_exact(int(read)):
        return int(read)
    if text.lstrip("-").isdigit() and len(text) <= 20 and -(2**63) <= int(text) < 2**63:
        return int(text)
    return read


def _text(constant: Constant) -> str:
    return constant.text


def _lower_text(constant: Constant) -> str:
    return constant.text.lower()


def _number(constant: Constant) -> int | float:
    if not constant.quoted and constant.text.lower() in _FLAGS:
        return int(_flag(constant))
    return number(constant.text.strip())


_FLAGS: Mapping[str, bool] = {"true": True, "false": False, "1": True, "0": False}


def _flag(constant: Constant) -> bool:
    try:
        return _FLAGS[constant.text.lower()]
    except KeyError:
        raise ValueError(constant.text) from None


_UNITS: Mapping[str, float] = {
    "us": 1e-6,
    "µs": 1e-6,
    "ms": 1e-3,
    "s": 1,
    "m": 60,
    "h": 3600,
    "d": 86_400,
}
_DURATION = re.compile(r"([0-9]+(?:\.[0-9]+)?) *(us|µs|ms|s|m|h|d) *")


def _seconds(constant: Constant) -> float:
    text = constant.text.strip().lower()
    plain = number_of(text)
    if plain is not None:
        return plain
    total, at = 0.0, 0
    while at < len(text):
        piece = _DURATION.match(text, at)
        if piece is None:
            raise ValueError(text)
        total += float(piece[1]) * _UNITS[piece[2]]
        at = piece.end()
    if not text or not math.isfinite(total):
        raise ValueError(text)
    return total


def _moment(constant: Constant) -> datetime:
    read = datetime.fromisoformat(constant.text.strip())
    try:
        return read.replace(tzinfo=UTC) if read.tzinfo is None else read.astimezone(UTC)
    except OverflowError:
        raise ValueError(constant.text) from None


def _uuid(constant: Constant) -> UUID:
    return UUID(constant.text)


def _mixed(constant: Constant) -> str | int | float:
    if constant.quoted:
        return constant.text
    if constant.text.lower() in {"true", "false"}:
        return constant.text.lower()
    try:
        read = number(constant.text)
    except ValueError:
        return constant.text
    return read if is_exact(read) else constant.text


def is_exact(value: float) -> bool:
    """Whether a number keeps all its digits as a float; long ids, if whole numbers, do not."""
    return not (isinstance(value, int) and abs(value) >= 2**53)


_EQUALITY = ("eq", "neq", "in")
_ORDER = ("gt", "gte", "lt", "lte")
_PATTERN = ("like", "notlike")

TEXT = Type("text", "text", (*_EQUALITY, *_PATTERN), _text)
TEXT_WORDS = Type("searched text", "text", (*_EQUALITY, *_PATTERN, "search"), _text)
CHOICE = Type("word", "text", _EQUALITY, _lower_text)
NUMBER = Type("number", "a number", (*_EQUALITY, *_ORDER), _number)
SECONDS = Type(
    "duration",
    'seconds as a number, or a duration such as "5s", "200ms" or "1.5m"',
    (*_EQUALITY, *_ORDER),
    _seconds,
)
MOMENT = Type("time", 'a time such as "2026-11-21T18:44:30Z"', (*_EQUALITY, *_ORDER), _moment)
UUID_TYPE = Type("id", "a UUID", _EQUALITY, _uuid)
FLAG = Type("flag", "true or false", ("eq", "neq"), _flag)
MIXED = Type("text or number", "text or a number", (*_EQUALITY, *_ORDER, *_PATTERN), _mixed)
TAGS = Type("tags", "text", ("has", *_EQUALITY), _text)
OBJECT = Type("object", "text", ("has", "exists"), _text)
DOCUMENT = Type("searched object", "text", ("search", *_PATTERN, "has", "exists"), _text)
