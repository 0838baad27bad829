"""Arguments: what a request asks for, each read as what it must be."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from math import isfinite
from typing import Any
from uuid import UUID

from starlette.datastructures import QueryParams

from callboard.clock import microseconds
from callboard.errors import BadBodyError
from callboard.query import parse
from callboard.query.nodes import Node, Search, all_of
from callboard.query.terms import terms_of
from callboard.server.faults import Invalid
from callboard.wire.orders import moment, shown

__all__ = ["Arguments"]

MAX_IDS = 1_000
MAX_COUNT = 2**53
"""Beyond it not each whole number is a float, and not much is one of SQLite's."""


class Arguments:
    """The arguments of a request: of its body, its query or its path.

    What is absent and what is null are the same: nothing is asked for. Each method raises
    `Invalid` if the argument is something that it can't be.
    """

    def __init__(self, told: Mapping[str, Any] | QueryParams) -> None:
        """Read from a JSON object, or from a query.

        Args:
            told: The arguments by name.
        """
        self._told = told

    def raw(self, name: str) -> Any:
        """Return an argument as it came; None if it did not."""
        value = self._told.get(name)
        return None if value == "" and isinstance(self._told, QueryParams) else value

    def values(self, name: str) -> list[Any]:
        """Return a list; one value is a list of one, and a query repeats the name."""
        if isinstance(self._told, QueryParams):
            return [*self._told.getlist(name), *self._told.getlist(f"{name}[]")]
        value = self._told.get(name)
        if value is None:
            return []
        values = value if isinstance(value, list) else [value]
        if len(values) > MAX_IDS:
            raise Invalid(f"{name} has {len(values)} entries; it takes {MAX_IDS}.")
        return values

    def text(self, name: str) -> str | None:
        """Return text."""
        value = self.raw(name)
        if value is None or isinstance(value, str):
            return value
        raise Invalid(f"{name} is {shown(value)}; it takes text.")

    def required_text(self, name: str) -> str:
        """Return text that must be there."""
        value = self.text(name)
        if not value:
            raise Invalid(f"{name} is missing; it takes text.")
        return value

    def texts(self, name: str) -> list[str]:
        """Return a list of text."""
        values = self.values(name)
        for value in values:
            if not isinstance(value, str):
                raise Invalid(f"{name} has {shown(value)}; it takes a list of text.")
        return values

    def object(self, name: str) -> dict[str, Any] | None:
        """Return a JSON object."""
        value = self.raw(name)
        if value is None or isinstance(value, dict):
            return value
        raise Invalid(f"{name} is {shown(value)}; it takes an object.")

    def id(self, name: str) -> UUID | None:
        """Return an id."""
        value = self.raw(name)
        return None if value is None else _id(name, value)

    def required_id(self, name: str) -> UUID:
        """Return an id that must be there."""
        value = self.id(name)
        if value is None:
            raise Invalid(f"{name} is missing; it takes a UUID.")
        return value

    def ids(self, name: str) -> tuple[UUID, ...]:
        """Return a list of ids."""
        return tuple(_id(name, value) for value in self.values(name))

    def flag(self, name: str) -> bool | None:
        """Return a truth value."""
        value = self.raw(name)
        if isinstance(value, str) and value.lower() in ("true", "false"):
            return value.lower() == "true"
        if value is None or isinstance(value, bool):
            return value
        raise Invalid(f"{name} is {shown(value)}; it takes true or false.")

    def number(self, name: str) -> float | None:
        """Return a number, which is finite."""
        value = self.raw(name)
        if value is None:
            return None
        with suppress(ValueError, OverflowError):
            if isinstance(value, str | int | float) and not isinstance(value, bool):
                number = float(value)
                if isfinite(number):
                    return number
        raise Invalid(f"{name} is {shown(value)}; it takes a number.")

    def count(self, name: str, default: int) -> int:
        """Return a whole number that is not negative."""
        value = self.number(name)
        if value is None:
            return default
        if 0 <= value <= MAX_COUNT and value == int(value):
            return int(value)
        raise Invalid(f"{name} is {shown(value)}; it takes a whole number, 0 to {MAX_COUNT}.")

    def moment(self, name: str) -> int | None:
        """Return a moment, in microseconds since 1970."""
        value = self.raw(name)
        if value is None:
            return None
        try:
            return microseconds(moment(value))
        except BadBodyError as error:
            raise Invalid(f"{name} is refused: {error}") from None

    def filter(self, name: str, and_search: str | None = None) -> Node | None:
        """Return a filter.

        Args:
            name: Which argument.
            and_search: Words that must be found, besides.

        Raises:
            FilterError: It is not in the form of one.
        """
        text = self.text(name)
        parts = [] if text is None else [parse(text)]
        terms = terms_of(and_search or "")
        if terms:
            parts.append(Search(tuple(dict.fromkeys(terms))))
        return all_of(*parts) if parts else None


def _id(name: str, value: Any) -> UUID:
    try:
        return UUID(value)
    except (AttributeError, TypeError, ValueError):
        raise Invalid(f"{name} is {shown(value)}; it takes a UUID.") from None
