"""The filter language: text in, nodes out.

A recursive descent, one method for each rule of the grammar::

    filter     = [ call ]
    call       = ("and" | "or") "(" [ call { "," call } ] ")"
               | "not" "(" call ")"
               | comparator "(" name "," value ")"
               | "in" "(" name "," "[" [ value { "," value } ] "]" ")"
               | ("has" | "exists") "(" name "," value ")"
               | "search" "(" [ name "," ] value ")"
    comparator = "eq" | "neq" | "gt" | "gte" | "lt" | "lte" | "like" | "notlike"
    name       = word | quoted text
    value      = word | quoted text

A word is whatever has no quotes, spaces, parentheses, brackets and commas in it; which words are
numbers, ``true`` or ``null`` depends on the field they are compared to.

A filter is bounded in its length, its depth and the number of its conditions, so that neither
reading it nor what a store makes of it can be made to take long.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from callboard.errors import FilterError
from callboard.query.cursor import Cursor, listed
from callboard.query.entries import leaves_of, number_of, text_of
from callboard.query.fields import RUN_FIELDS, Field, Fields
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
    Operator,
    Or,
    Search,
    Value,
    one_of,
)
from callboard.query.pairing import paired
from callboard.query.patterns import canonical
from callboard.query.terms import terms_of
from callboard.query.tokens import Token
from callboard.query.values import DOCUMENT, TAGS, Constant, is_exact, number

__all__ = [
    "MAX_CONDITIONS",
    "MAX_DEPTH",
    "MAX_LENGTH",
    "MAX_PATTERN",
    "MAX_TERMS",
    "OPERATORS",
    "parse",
]

MAX_LENGTH = 65_536
"""Characters that a filter may have."""

MAX_DEPTH = 50
"""How deep ``and``, ``or`` and ``not`` may be in each other."""

MAX_CONDITIONS = 500
"""How many conditions a filter may have."""

MAX_TERMS = 100
"""How many words one ``search`` may have."""

MAX_PATTERN = 1000
"""Characters that a pattern of ``like`` may have."""


def parse(text: str, fields: Fields = RUN_FIELDS) -> Node:
    """Return what a filter means.

    Args:
        text: The filter, such as ``and(eq(run_type, "llm"), gt(latency, "5s"))``. One without
            anything in it is true of everything.
        fields: The table of the fields that it may speak of.

    Returns:
        Its nodes, simplified: none directly in another of the same kind, no double negation.

    Raises:
        FilterError: It is not in the form of a filter, or goes beyond the limits of this module.
    """
    if len(text) > MAX_LENGTH:
        raise FilterError(
            f"The filter has {len(text):,} characters, of which it takes {MAX_LENGTH:,} at most.",
            text,
            MAX_LENGTH + 1,
        )
    return paired(_Parser(text, fields).filter(), fields)


class _Parser:
    """One reading of one filter.

    The methods that `_RULES` names read what is between the parentheses of an operator.
    """

    def __init__(self, text: str, fields: Fields) -> None:
        self._cursor = Cursor(text)
        self._fields = fields
        self._depth = 0
        self._conditions = 0

    def filter(self) -> Node:
        if self._cursor.is_at_end():
            return And(())
        node = self._call()
        if not self._cursor.is_at_end():
            raise self._cursor.refusal(
                self._cursor.token, "its end: conditions are joined as and(..., ...)"
            )
        return node

    def _call(self) -> Node:
        operator = self._cursor.take()
        rule = _RULES.get(operator.text.lower()) if operator.kind == "word" else None
        if rule is None:
            takes = "a condition such as eq(name, ...), with one of the operators"
            raise self._cursor.refusal_of_name(operator, takes, _RULES)
        self._cursor.pass_mark("(")
        node = rule(self, operator)
        self._cursor.pass_mark(")")
        return node

    def junction(self, operator: Token) -> Node:
        parts = tuple([self._inner(operator) for _ in self._cursor.items(")")])
        return And(parts) if operator.text.lower() == "and" else Or(parts)

    def negation(self, operator: Token) -> Node:
        # The `And` sets it apart: `neq(x, null)` is of entries that have an x, which is not
        # what `not(eq(x, null))` is.
        return Not(And((self._inner(operator),)))

    def comparison(self, operator: Token) -> Node:
        name = operator.text.lower()
        field = self._field(operator)
        self._cursor.pass_mark(",")
        token = self._cursor.take()
        if name in {"eq", "neq"}:
            node = self._equality(field, token)
        elif name in {"like", "notlike"}:
            node = self._pattern(field, token)
        else:
            node = self._order(field, _ORDERS[name], token)
        return Not(node) if name in {"neq", "notlike"} else node

    def membership(self, operator: Token) -> Node:
        field = self._field(operator)
        self._cursor.pass_mark(",")
        self._cursor.pass_mark("[")
        values = [self._value(field, self._cursor.take()) for _ in self._cursor.items("]")]
        self._cursor.pass_mark("]")
        if field.type is TAGS:
            return Or(tuple(HasTag(str(tag)) for tag in values))
        return one_of(field.name, values)

    def possession(self, operator: Token) -> Node:
        field = self._field(operator)
        self._cursor.pass_mark(",")
        token = self._cursor.take()
        if field.entry is None:
            return HasTag(str(self._value(field, token)))
        if operator.text.lower() == "exists":
            return self._entry(field.entry, self._constant(token, "a key").text)
        return And(tuple(self._entries(field.entry, token)))

    def fulltext(self, operator: Token) -> Node:
        token = self._cursor.take()
        if not self._cursor.is_at(","):
            self._count(operator)
            return self._search(None, token)
        field = self._known(token, operator)
        self._cursor.pass_mark(",")
        return self._search(field, self._cursor.take())

    def _inner(self, operator: Token) -> Node:
        """Read a condition that is inside a junction or a negation."""
        self._depth += 1
        if self._depth > MAX_DEPTH:
            takes = f"{MAX_DEPTH} operators inside each other at most"
            raise self._cursor.refusal(operator, takes)
        node = self._call()
        self._depth -= 1
        return node

    # Conditions, from a field and a token.

    def _equality(self, field: Field, token: Token) -> Node:
        if self._constant(token, field.type.takes).is_null:
            if field.type is TAGS or field.is_key:
                raise self._cursor.refusal(token, "text, and is never null", who=field.name)
            return IsNull(field.name)
        value = self._value(field, token)
        return HasTag(str(value)) if field.type is TAGS else Compare(field.name, "eq", value)

    def _order(self, field: Field, operator: Operator, token: Token) -> Node:
        value = self._value(field, token)
        # The order of the alphabet is never meant where text reads as a number.
        read = number_of(value) if isinstance(value, str) else None
        return Compare(field.name, operator, value if read is None else read)

    def _pattern(self, field: Field, token: Token) -> Node:
        if field.type is DOCUMENT:
            return self._search(field, token)
        pattern = self._constant(token, "a pattern of text").text
        if len(pattern) > MAX_PATTERN:
            takes = f"a pattern of {MAX_PATTERN:,} characters at most"
            raise self._cursor.refusal(token, takes, who=field.name)
        return Like(field.name, canonical(pattern))

    def _search(self, field: Field | None, token: Token) -> Node:
        terms = tuple(dict.fromkeys(terms_of(self._constant(token, "text to search for").text)))
        if not 0 < len(terms) <= MAX_TERMS:
            raise self._cursor.refusal(token, f"text of 1 to {MAX_TERMS} words to search for")
        return Search(terms, None if field is None else field.name)

    def _entries(self, kind: Kind, token: Token) -> Iterator[Node]:
        """Yield one node for each value of an object that is given as JSON."""
        for path, value in leaves_of(self._object(token)):
            self._count(token)
            if value is None:
                yield Not(self._entry(kind, path))
            else:
                is_number = isinstance(value, int | float) and not isinstance(value, bool)
                as_number = is_number and is_exact(value)
                yield self._entry(kind, path, value if as_number else text_of(value))

    def _entry(self, kind: Kind, key: str, value: str | float | None = None) -> Node:
        asked = Compare(self._fields.key_of(kind).name, "eq", key)
        if value is None:
            return Entry(kind, asked)
        return Entry(kind, asked, (Compare(self._fields.value_of(kind).name, "eq", value),))

    # Names and values, from tokens.

    def _field(self, operator: Token) -> Field:
        return self._known(self._cursor.take(), operator)

    def _known(self, token: Token, operator: Token) -> Field:
        """Return the field that a token names, which has to have the operator."""
        self._count(operator)
        field = self._fields.get(token.text) if token.is_value else None
        if field is None:
            raise self._unknown(token)
        operators = field.type.operators
        if operator.text.lower() not in operators:
            takes = f"the operators {listed(operators)}"
            raise self._cursor.refusal(operator, takes, who=field.name)
        return field

    def _unknown(self, token: Token) -> FilterError:
        takes = f"a field of {self._fields.of}"
        whole, _, path = token.text.partition(".")
        outer = self._fields.get(whole)
        if path and outer is not None and outer.entry is not None:
            key = self._fields.key_of(outer.entry).name
            takes += f': what is in {whole} is and(eq({key}, "{path[:64]}"), ...)'
            return self._cursor.refusal(token, takes)
        return self._cursor.refusal_of_name(token, takes, self._fields.names)

    def _value(self, field: Field, token: Token) -> Value:
        constant = self._constant(token, field.type.takes)
        try:
            if not constant.is_null:
                return field.type.read(constant)
        except ValueError:
            pass  # Said below, as of null.
        raise self._cursor.refusal(token, field.type.takes, who=field.name)

    def _object(self, token: Token) -> Mapping[str, Any]:
        # Programs put JSON between the quotes as it is, without a thought for its backslashes.
        for text in (token.source, token.text):
            try:
                read = json.loads(text, parse_int=number, parse_float=number, parse_constant=number)
                json.dumps(read, ensure_ascii=False).encode()  # Refuses halves of characters.
            except (ValueError, RecursionError):
                continue
            if isinstance(read, dict):
                return read
        raise self._cursor.refusal(token, """a JSON object in quotes: '{"key": "value"}'""")

    def _constant(self, token: Token, takes: str) -> Constant:
        if not token.is_value:
            raise self._cursor.refusal(token, takes)
        return Constant(token.text, token.kind == "quoted")

    def _count(self, operator: Token) -> None:
        self._conditions += 1
        if self._conditions > MAX_CONDITIONS:
            raise self._cursor.refusal(operator, f"{MAX_CONDITIONS} conditions at most")


_RULES: Mapping[str, Callable[[_Parser, Token], Node]] = {
    "and": _Parser.junction,
    "or": _Parser.junction,
    "not": _Parser.negation,
    "eq": _Parser.comparison,
    "neq": _Parser.comparison,
    "gt": _Parser.comparison,
    "gte": _Parser.comparison,
    "lt": _Parser.comparison,
    "lte": _Parser.comparison,
    "in": _Parser.membership,
    "like": _Parser.comparison,
    "notlike": _Parser.comparison,
    "has": _Parser.possession,
    "exists": _Parser.possession,
    "search": _Parser.fulltext,
}

OPERATORS = tuple(_RULES)
"""The names of the operators."""

_ORDERS: Mapping[str, Operator] = {"gt": "gt", "gte": "gte", "lt": "lt", "lte": "lte"}
