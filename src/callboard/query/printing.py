"""Nodes as the text of a filter, in one form: what is read from it again is the same nodes."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from uuid import UUID

from callboard.query.nodes import (
    And,
    Compare,
    Entry,
    HasTag,
    IsNull,
    Kind,
    Like,
    Node,
    Not,
    OneOf,
    Or,
    Search,
    Value,
)

__all__ = ["to_text"]


def to_text(node: Node) -> str:  # noqa: C901, PLR0911 - a line or two for each node
    """Return a filter that means what a node does.

    Args:
        node: As `callboard.query.syntax.parse` returns it.
    """
    match node:
        case And(parts):
            return _call("and", *_conjuncts(parts))
        case Or(parts):
            return _call("or", *map(to_text, parts))
        case Not(part):
            return _negation(part)
        case Entry():
            asked = [*_asked(node)]
            return asked[0] if len(asked) == 1 else _call("and", *asked)
        case Compare(field, operator, value):
            return _call(operator, field, _constant(value))
        case OneOf(field, values):
            return _call("in", field, f"[{', '.join(map(_constant, values))}]")
        case IsNull(field):
            return _call("eq", field, "null")
        case Like(field, pattern):
            return _call("like", field, _constant(pattern))
        case HasTag(tag):
            return _call("has", "tags", _constant(tag))
        case Search(terms, field):
            fields = () if field is None else (field,)
            return _call("search", *fields, _constant(" ".join(terms)))


def _call(operator: str, *arguments: str) -> str:
    return f"{operator}({', '.join(arguments)})"


def _conjuncts(parts: tuple[Node, ...]) -> Iterator[str]:
    """Yield what is in an ``and``: an entry's conditions too, if nothing else would join them."""
    mentioned = [kind for part in parts for kind in _kinds(part)]
    for part in parts:
        if not isinstance(part, Entry):
            yield to_text(part)
        elif mentioned.count(part.kind) == 1:
            yield from _asked(part)
        else:
            yield _call("and", *_asked(part))


def _kinds(node: Node) -> Iterator[Kind]:
    """Yield the kind of each entry that a node asks for."""
    if isinstance(node, Entry):
        yield node.kind
    elif isinstance(node, And | Or):
        for part in node.parts:
            yield from _kinds(part)
    elif isinstance(node, Not):
        yield from _kinds(node.part)


def _asked(entry: Entry) -> Iterator[str]:
    if entry.key is not None:
        yield to_text(entry.key)
    yield from map(to_text, entry.values)


def _negation(part: Node) -> str:
    match part:
        case Compare(field, "eq", value):
            return _call("neq", field, _constant(value))
        case IsNull(field):
            return _call("neq", field, "null")
        case Like(field, pattern):
            return _call("notlike", field, _constant(pattern))
        case Entry(_, Compare() | Like() as asked, ()):
            return _negation(asked)
        case Entry(_, None, (Compare() | Like() as asked,)):
            return _negation(asked)
        case _:
            return _call("not", to_text(part))


def _constant(value: Value) -> str:
    match value:
        case bool():
            return "true" if value else "false"
        case int():
            return str(value)
        case float():
            return str(int(value)) if value.is_integer() and abs(value) < 2**53 else repr(value)
        case datetime():
            return f'"{value.astimezone(UTC).isoformat().removesuffix("+00:00")}Z"'
        case UUID():
            return f'"{value}"'
        case str():
            return json.dumps(value, ensure_ascii=False)
