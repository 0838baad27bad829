"""The pair rule: conditions on the key and on the value of one entry, said side by side.

``and(eq(metadata_key, "a"), eq(metadata_value, "1"))`` asks for one entry that is ``a: 1``, not
for two. What belongs to one entry is decided here, once, so that no reader of nodes has to:

- In an ``and``, a condition on a key begins an entry, and the conditions on the other fields of
  that kind of entry are asked of the same one: of the entry whose key is before them, or of the
  first if none is. An ``or``, ``and`` or ``not`` that has only such conditions in it counts as
  one.
- A condition that is turned round, ``neq`` or ``notlike``, on a key says that there is no such
  entry. On a value it does the same, but beside a key: there it asks for an entry with that key
  and another value.
- ``neq(x, null)`` is not turned round: it asks for an entry that has an ``x``.
- Without a key, conditions on values that stand side by side in an ``and`` are asked of one
  entry.
- Nothing else is joined: each ``and``, ``or`` and ``not`` is read by itself, which is why
  ``and(x)`` is not always the same as ``x``.
"""

from __future__ import annotations

from typing import TypeGuard

from callboard.query.fields import Fields
from callboard.query.nodes import (
    And,
    Compare,
    Condition,
    Entry,
    IsNull,
    Kind,
    Like,
    Node,
    Not,
    OneOf,
    Or,
    all_of,
    any_of,
    negated,
)

__all__ = ["paired"]


def paired(node: Node, fields: Fields) -> Node:
    """Return a tree in which conditions on entries are in `Entry` nodes, and which is simplified.

    Args:
        node: As it was written: conditions on the fields of entries are like any others, and an
            `And` may have another directly in it.
        fields: The table that its fields are in.
    """
    return _Pairing(fields).node(node)


class _Draft:
    """An entry that more may still be asked of."""

    __slots__ = ("key", "kind", "values")

    def __init__(self, kind: Kind) -> None:
        self.kind: Kind = kind
        self.key: Condition | None = None
        self.values: list[Node] = []

    def entry(self) -> Entry:
        values = all_of(*map(_simplified, self.values))
        return Entry(self.kind, self.key, values.parts if isinstance(values, And) else (values,))


class _Pairing:
    def __init__(self, fields: Fields) -> None:
        self._fields = fields

    def node(self, node: Node) -> Node:
        if isinstance(node, Or):
            return any_of(*map(self.node, node.parts))
        if isinstance(node, Not) and not _is_set(node):
            return negated(self.node(node.part))
        return self._conjunction(node.parts if isinstance(node, And) else (node,))

    def _conjunction(self, parts: tuple[Node, ...]) -> Node:
        keyed = {self._key_kind(part) for part in parts}
        found: list[Node | _Draft] = []
        latest: dict[Kind, _Draft] = {}
        for part in parts:
            kind = self._key_kind(part) or self._value_kind(part)
            if kind is None or not (kind in keyed or _is_leaf(part)):
                found.append(part if _is_leaf(part) else self.node(part))
                continue
            draft = latest.get(kind)
            begins = self._key_kind(part) is not None
            if draft is None or (begins and draft.key is not None):
                draft = latest[kind] = _Draft(kind)
                found.append(draft)
            if begins and _is_condition(part):
                draft.key = part
            else:
                draft.values.append(part)
        return all_of(*(each.entry() if isinstance(each, _Draft) else each for each in found))

    def _key_kind(self, part: Node) -> Kind | None:
        """Return of which kind of entry a part asks the key, if that is what it is."""
        if not isinstance(part, Compare | OneOf | Like):
            return None
        field = self._fields.get(part.field)
        return field.entry if field is not None and field.is_key else None

    def _value_kind(self, part: Node) -> Kind | None:
        """Return of which one kind of entry a part asks the values, if that is all it does."""
        if isinstance(part, And | Or):
            kinds: set[Kind | None] = {self._value_kind(each) for each in part.parts}
            return kinds.pop() if len(kinds) == 1 else None
        if isinstance(part, Not):
            return self._value_kind(part.part)
        if not _is_condition(part):
            return None
        field = self._fields.get(part.field)
        is_value = field is not None and field.is_in_entry and not field.is_key
        return field.entry if is_value and field is not None else None


def _is_condition(part: Node) -> TypeGuard[Condition]:
    return isinstance(part, Compare | OneOf | IsNull | Like)


def _is_set(part: Node) -> bool:
    """Whether a part says that a field has a value: of a field of entries, that some entry has."""
    return isinstance(part, Not) and isinstance(part.part, IsNull)


def _is_leaf(part: Node) -> bool:
    return _is_set(part) or not isinstance(part, And | Or | Not)


def _simplified(node: Node) -> Node:
    if isinstance(node, And):
        return all_of(*map(_simplified, node.parts))
    if isinstance(node, Or):
        return any_of(*map(_simplified, node.parts))
    return negated(_simplified(node.part)) if isinstance(node, Not) else node
