"""Filters answered for one run; and the law of what they mean.

Streams are filtered with it, and it is what the compilers of the stores are tested against. They
keep to this law, to the letter:

**Two values.** A filter is true of a run or false, never unknown. A condition on a field that is
null is false, whatever it is compared to. Its negation is therefore true: ``neq(error, "x")`` is
true of a run without an error, and ``not(gt(latency, 5))`` of a run that has not ended. In SQL a
condition is wrapped, ``COALESCE(x > ?, FALSE)``, wherever a `Not` is around it.

**Null.** `IsNull` is true of a field without a value. Text without characters is not null.

**Text** is compared character by character, case and all, and ordered by code points, which is the
order of its bytes in UTF-8. Fields that are words (``run_type``, ``status``, ``feedback_source``)
are in lower case, in nodes and in stores. `Like` ignores case in ASCII letters and in no others;
its pattern fits the whole text, line breaks too.

**Numbers** are compared as numbers: 1 equals 1.0. **Times** are compared as moments.

**Entries.** Metadata, inputs and outputs have the entries that `callboard.query.entries.entries_of`
makes of them; all values are text there, and the values of feedback are as `text_of` makes them.
Compared to text, they are text. Compared to a number, they are the number that `number_of` reads
in them, and the condition is false if it reads none. The score of feedback is a number, and true
is 1. Feedback has an entry each, and its fields, other than the key, may be null.

An `Entry` is true if there is one entry, of its kind, of which the key's condition and each of its
values' is true. The law is the same inside it.

**Search.** A text has the terms that `callboard.query.terms.terms_of` makes of it, and a `Search`
is true if all its terms are among those of the field, in any order. With no field it looks
through name, error, inputs and outputs together: each term may be in another. Of inputs and
outputs it looks through the values of their entries, not the keys.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping
from typing import Any

from callboard.query.entries import number_of
from callboard.query.facts import EntryFacts, RunFacts
from callboard.query.nodes import (
    And,
    Compare,
    Entry,
    HasTag,
    IsNull,
    Like,
    Node,
    Not,
    OneOf,
    Operator,
    Or,
    Search,
    Value,
)
from callboard.query.patterns import fits

__all__ = ["matches"]


def matches(node: Node, run: RunFacts) -> bool:
    """Whether a filter is true of a run.

    Args:
        node: As `callboard.query.syntax.parse` returns it.
        run: What is known of the run.
    """
    return _holds(node, run.fields, run)


def _holds(  # noqa: C901, PLR0911 - a line or two for each node
    node: Node, fields: EntryFacts, run: RunFacts
) -> bool:
    """Whether a node is true of a run, or of an entry of it whose fields these are."""
    match node:
        case And(parts):
            return all(_holds(part, fields, run) for part in parts)
        case Or(parts):
            return any(_holds(part, fields, run) for part in parts)
        case Not(part):
            return not _holds(part, fields, run)
        case Compare(field, name, value):
            return _compares(fields.get(field), name, value)
        case OneOf(field, values):
            return any(_compares(fields.get(field), "eq", value) for value in values)
        case IsNull(field):
            return fields.get(field) is None
        case Like(field, pattern):
            text = fields.get(field)
            return text is not None and fits(str(text), pattern)
        case HasTag(tag):
            return tag in run.tags
        case Search(terms, field):
            return run.terms(field).issuperset(terms)
        case Entry(kind):
            return any(_is_of(node, entry, run) for entry in run.entries(kind))


def _is_of(asked: Entry, entry: EntryFacts, run: RunFacts) -> bool:
    conditions = asked.values if asked.key is None else (asked.key, *asked.values)
    return all(_holds(condition, entry, run) for condition in conditions)


_COMPARISONS: Mapping[Operator, Callable[[Any, Any], bool]] = {
    "eq": operator.eq,
    "gt": operator.gt,
    "gte": operator.ge,
    "lt": operator.lt,
    "lte": operator.le,
}


def _compares(found: Value | None, name: Operator, value: Value) -> bool:
    if isinstance(found, str) and not isinstance(value, str):
        found = number_of(found)
    return found is not None and _COMPARISONS[name](found, value)
