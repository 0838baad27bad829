"""What a filter means, as data: the nodes that every reader of filters goes through.

There is no SQL in it and no text. A store compiles a tree of these, `callboard.query.evaluation`
answers it for one run, and `callboard.query.printing` writes it down again. What each node means,
to the letter, is the law in `callboard.query.evaluation`.

Values have the type of their field (`callboard.query.fields`), so that nobody reads text again:
latencies are seconds, moments are aware and in UTC, ids are `UUID`. There is no node for ``neq``
and ``notlike``: they are a `Not`.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal, TypeAlias
from uuid import UUID

__all__ = [
    "NOTHING",
    "And",
    "Compare",
    "Condition",
    "Entry",
    "HasTag",
    "IsNull",
    "Kind",
    "Like",
    "Node",
    "Not",
    "OneOf",
    "Operator",
    "Or",
    "Search",
    "Value",
    "all_of",
    "any_of",
    "negated",
    "one_of",
]

Value: TypeAlias = str | int | float | bool | datetime | UUID

Operator: TypeAlias = Literal["eq", "gt", "gte", "lt", "lte"]

Kind: TypeAlias = Literal["metadata", "feedback", "input", "output"]
"""The kinds of entries that a run has any number of."""


@dataclass(frozen=True, slots=True)
class And:
    """Every part is true; with no parts, it always is."""

    parts: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Or:
    """At least one part is true; with no parts, it never is."""

    parts: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Not:
    """The part is false."""

    part: Node


@dataclass(frozen=True, slots=True)
class Compare:
    """A field has a value, and it compares like this to another.

    Attributes:
        field: The field's name in the table of fields, never an alias.
        operator: ``eq``, ``gt``, ``gte``, ``lt`` or ``lte``.
        value: What it is compared to, of the field's type.
    """

    field: str
    operator: Operator
    value: Value


@dataclass(frozen=True, slots=True)
class OneOf:
    """A field has one of these values: two or more, all different."""

    field: str
    values: tuple[Value, ...]


@dataclass(frozen=True, slots=True)
class IsNull:
    """A field has no value."""

    field: str


@dataclass(frozen=True, slots=True)
class Like:
    r"""A field has text of this pattern, whatever the case of ASCII letters.

    Attributes:
        field: The field's name.
        pattern: ``%`` stands for any characters, ``_`` for any one. A backslash takes that meaning
            away, and stands before nothing but ``%``, ``_`` and another backslash.
    """

    field: str
    pattern: str


@dataclass(frozen=True, slots=True)
class HasTag:
    """The run has this tag."""

    tag: str


@dataclass(frozen=True, slots=True)
class Search:
    """All these terms are in the run's text.

    Attributes:
        terms: At least one, as `callboard.query.terms.terms_of` makes them, all different.
        field: The field they are in, or None for all that is searched.
    """

    terms: tuple[str, ...]
    field: str | None = None


@dataclass(frozen=True, slots=True)
class Entry:
    """The run has an entry of which all this is true at the same time.

    Inside it, a field such as ``metadata_value`` is the one entry's.

    Attributes:
        kind: Which entries are looked through.
        key: What is asked of the entry's key, if anything is.
        values: What is asked of the rest of it, of which all has to be true. Without a key, there
            are only conditions, and negations of `IsNull`, in it.
    """

    kind: Kind
    key: Condition | None
    values: tuple[Node, ...] = ()


Condition: TypeAlias = Compare | OneOf | IsNull | Like
"""What is asked of one field."""

Node: TypeAlias = And | Or | Not | Condition | HasTag | Search | Entry

NOTHING = Or(())
"""What is never true."""


def all_of(*parts: Node) -> Node:
    """Return what is true if every part is, without an `And` directly inside an `And`."""
    flat: list[Node] = []
    for part in parts:
        flat.extend(part.parts if isinstance(part, And) else (part,))
    return flat[0] if len(flat) == 1 else And(tuple(flat))


def any_of(*parts: Node) -> Node:
    """Return what is true if a part is, without an `Or` directly inside an `Or`."""
    flat: list[Node] = []
    for part in parts:
        flat.extend(part.parts if isinstance(part, Or) else (part,))
    return flat[0] if len(flat) == 1 else Or(tuple(flat))


def negated(part: Node) -> Node:
    """Return what is true if the part is not, without a `Not` directly inside a `Not`."""
    return part.part if isinstance(part, Not) else Not(part)


def one_of(field: str, values: list[Value]) -> Node:
    """Return what is true if a field has one of the values, however many they are."""
    different = tuple(dict.fromkeys(values))
    if len(different) > 1:
        return OneOf(field, different)
    return Compare(field, "eq", different[0]) if different else NOTHING
