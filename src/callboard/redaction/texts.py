"""Texts: every one in a structure, with rules applied to it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from datetime import date, datetime, time, timedelta
from typing import Any
from uuid import UUID

from callboard.redaction.names import WITHHELD, Names
from callboard.redaction.rules import Rule
from callboard.wire import json
from callboard.wire.keys import distinct

__all__ = ["Texts"]

_ROUNDS = 3
# What is no text, and has none in it.
_PLAIN = frozenset({type(None), bool, float, UUID, datetime, date, time, timedelta})
# A shorter number is no card's.
_SHORT = 10**11


class Texts:
    """Applies rules to texts, wherever they are."""

    def __init__(
        self, own: Iterable[Rule], ready_made: Iterable[Rule], names: Names | None
    ) -> None:
        """Take rules.

        Args:
            own: Rules that are applied once, first.
            ready_made: Rules that are applied until they find nothing any more: what is
                written for one may uncover what another looks for.
            names: The names of values that are not told.
        """
        self._own = tuple(own)
        self._ready_made = (*((names,) if names else ()), *ready_made)
        self._names = names

    def __bool__(self) -> bool:
        return bool(self._own or self._ready_made)

    def text(self, text: str, counts: Counter[str]) -> str:
        """Return a text as it may be told.

        Args:
            text: Any text.
            counts: Told how often each rule had something to do.
        """
        for rule in self._own:
            text = _applied(rule, text, counts)
        for _ in range(_ROUNDS):
            before = text
            for rule in self._ready_made:
                text = _applied(rule, text, counts)
            if text == before:
                break
        return text

    def value(self, value: Any, counts: Counter[str]) -> Any:
        """Return a value as it may be told: a new one, the given one is left alone.

        Args:
            value: Anything that has an end.
            counts: Told how often each rule had something to do.
        """
        kind = type(value)
        if kind is str:
            return self.text(value, counts)
        if kind in _PLAIN:
            return value
        if kind is dict:
            return self._members(value, counts)
        if kind is list or kind is tuple:
            return [self.value(each, counts) for each in value]
        return self._other(value, counts)

    def _members(self, held: dict[Any, Any], counts: Counter[str]) -> dict[str, Any]:
        told: dict[str, Any] = {}
        names = self._names
        for key, value in held.items():
            name = key if type(key) is str else str(key)
            safe = distinct(self.text(name, counts), told)
            if names is not None and value is not None and names.hold(name) and not _is_safe(value):
                counts[names.name] += 1
                told[safe] = WITHHELD
            else:
                told[safe] = self.value(value, counts)
        return told

    def _other(self, value: Any, counts: Counter[str]) -> Any:
        """Return what is no JSON yet as it will be, unless there is nothing in it to redact."""
        if type(value) is int and -_SHORT < value < _SHORT:
            return value
        if type(value) is bytes:
            return self._bytes(value, counts)
        plain = json.decode(json.encode(value))
        if isinstance(plain, str | int | float):
            text = str(plain)
            safe = self.text(text, counts)
            return value if safe == text else safe
        return self.value(plain, counts)

    def _bytes(self, value: bytes, counts: Counter[str]) -> bytes:
        """Return bytes as they may be told; they are read as text, which their JSON is not."""
        text = value.decode("utf-8", "surrogateescape")
        safe = self.text(text, counts)
        return value if safe == text else safe.encode("utf-8", "surrogateescape")


def _applied(rule: Rule | Names, text: str, counts: Counter[str]) -> str:
    text, count = rule.apply(text)
    if count:
        counts[rule.name] += count
    return text


def _is_safe(value: Any) -> bool:
    """Whether a value only says which secret it is, as LangChain writes it, or was redacted."""
    is_named = isinstance(value, dict) and "lc" in value and value.get("type") == "secret"
    return is_named or value == WITHHELD
