"""Filters to SQL: each node to a condition on a row of runs, with every value bound.

A condition is true or false as the law of filters has it (`callboard.query.evaluation`), and never
null where a negation is around it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from callboard.clock import microseconds
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
from callboard.store.sqlite.functions import Handles
from callboard.store.sqlite.values import json_text

__all__ = ["Sql", "compile_filter", "conjunction", "subtree_sum"]


class Sql(NamedTuple):
    """A piece of SQL, and the values that are bound in it, in order."""

    text: str
    values: tuple[Any, ...] = ()


_TRUE, _FALSE = Sql("1"), Sql("0")
_SIDE_BY_SIDE = 16


def conjunction(parts: Sequence[Sql]) -> Sql:
    """Return what is true if every part is."""
    return _joined(" AND ", parts) if parts else _TRUE


def _joined(word: str, parts: Sequence[Sql]) -> Sql:
    values = tuple(value for part in parts for value in part.values)
    return Sql(_nested(word, [part.text for part in parts]), values)


def _nested(word: str, texts: Sequence[str]) -> str:
    """Return conditions, joined in halves.

    Side by side each would be a level deeper than the one before it, and SQLite takes 1,000.
    """
    if len(texts) <= _SIDE_BY_SIDE:
        return f"({word.join(texts)})"
    middle = len(texts) // 2
    return f"({_nested(word, texts[:middle])}{word}{_nested(word, texts[middle:])})"


def compile_filter(node: Node, run: str, handles: Handles) -> Sql:
    """Return a filter as a condition.

    Args:
        node: The filter.
        run: What the row of runs is called that it is about.
        handles: For nodes that functions answer.
    """
    return _Compiler(run, handles).condition(node, negated=False)


def subtree_sum(column: str, run: str, function: str = "sum") -> str:
    """Return the sum of a column over the models inside a run that count, itself among them.

    Args:
        column: One of those in the index ``runs_counting``.
        run: What the row of the run is called.
        function: What to do instead of adding them up.
    """
    own = f"CASE {run}.counts WHEN 1 THEN {run}.{column} END"
    inside = f"""
        SELECT {function}(model.{column}) FROM runs AS model INDEXED BY runs_counting
        WHERE model.counts = 1 AND model.trace_id = {run}.trace_id
            AND model.dotted >= {run}.dotted AND model.dotted < {run}.dotted || '/'
    """  # noqa: S608 - names of the program's own
    return f"iif({run}.dotted IS NULL, {own}, ({inside}))"


_SIGNS: Mapping[Operator, str] = {"eq": "=", "gt": ">", "gte": ">=", "lt": "<", "lte": "<="}


def _field(text: str) -> Callable[[str], str]:
    return lambda run: text.replace("{run}", run)


def _sum(column: str) -> Callable[[str], str]:
    return lambda run: subtree_sum(column, run)


_ROOT_THREAD = "(SELECT root.thread FROM runs AS root WHERE root.id = {run}.trace_id)"
_ORDER = """(
    SELECT nullif(count(*), 0) FROM runs AS other INDEXED BY runs_trace
    WHERE other.trace_id = {run}.trace_id AND other.dotted <= {run}.dotted
)"""

FIELDS: Mapping[str, Callable[[str], str]] = {
    "id": _field("{run}.id"),
    "name": _field("{run}.name"),
    "run_type": _field("{run}.run_type"),
    "status": _field("{run}.status"),
    "error": _field("whole_error({run}.rid, {run}.error)"),
    "start_time": _field("{run}.start_us"),
    "end_time": _field("{run}.end_us"),
    # As records have it: the same division.
    "latency": _field("(({run}.end_us - {run}.start_us) / 1e6)"),
    "first_token_time": _field("{run}.first_token_us"),
    "is_root": _field("{run}.is_root"),
    "execution_order": _field(_ORDER),
    "trace_id": _field("{run}.trace_id"),
    "parent_run_id": _field("{run}.parent_id"),
    "session_id": _field("(SELECT id FROM projects WHERE pid = {run}.project)"),
    "thread_id": _field("ifnull({run}.thread, " + _ROOT_THREAD + ")"),
    "reference_example_id": _field("{run}.example_id"),
    **{
        f"{side}_{what}": _sum(f"{side}_{what}")
        for side in ("total", "prompt", "completion")
        for what in ("tokens", "cost")
    },
    # Of one feedback, inside an entry.
    **{
        name: _field("feedback." + column)
        for name, column in {
            "feedback_key": "key",
            "feedback_score": "score",
            "feedback_value": "value_text",
            "feedback_source": "source_type",
            "feedback_comment": "comment",
        }.items()
    },
}
"""What each field of a filter is in SQL."""


class _Compiler:
    def __init__(self, run: str, handles: Handles) -> None:
        self._run = run
        self._handles = handles

    def condition(  # noqa: PLR0911 - a line or two for each node
        self, node: Node, *, negated: bool
    ) -> Sql:
        """Return a node as a condition.

        Args:
            node: It.
            negated: Whether there is a negation around it, so that it must not be null.
        """
        match node:
            case And(parts):
                return conjunction([self.condition(part, negated=negated) for part in parts])
            case Or(parts):
                either = [self.condition(part, negated=negated) for part in parts]
                return _joined(" OR ", either) if either else _FALSE
            case Not(part):
                inner = self.condition(part, negated=True)
                return Sql(f"NOT {inner.text}", inner.values)
            case HasTag(tag):
                tags = f"json_each({self._run}.tags)"
                return Sql(f"EXISTS (SELECT 1 FROM {tags} AS tag WHERE tag.value = ?)", (tag,))  # noqa: S608
            case Search():
                return self._search(node)
            case Entry():
                return self._entry(node)
            case _:
                found = self._leaf(node)
                return Sql(f"ifnull({found.text}, 0)", found.values) if negated else found

    def _leaf(self, node: Compare | OneOf | IsNull | Like) -> Sql:
        field = FIELDS[node.field](self._run)
        match node:
            case IsNull():
                return Sql(f"({field} IS NULL)")
            case Like(_, pattern):
                # For LIKE a text ends where it has a character of number zero.
                like = rf"{field} LIKE ? ESCAPE '\'"
                whole = f"iif(instr({field}, char(0)), like_fits({field}, ?), {like})"
                return Sql(f"({whole})", (pattern, pattern))
            case OneOf(name, values):
                parts = [_comparison(name, field, "eq", value) for value in values]
                return _joined(" OR ", parts)
            case Compare(name, operator, value):
                return _comparison(name, field, operator, value)

    def _entry(self, node: Entry) -> Sql:
        run = self._run
        if node.kind == "feedback":
            asked = node.values if node.key is None else (node.key, *node.values)
            conditions = conjunction([self.condition(each, negated=False) for each in asked])
            return Sql(
                f"EXISTS (SELECT 1 FROM feedback WHERE feedback.run_id = {run}.id "  # noqa: S608
                f"AND {conditions.text})",
                conditions.values,
            )
        handle = self._handles.handle(node)
        if node.kind != "metadata":
            return Sql(f"payload_fits(?, {run}.rid)", (handle,))
        if (key := _plain_key(node)) is not None:
            # What does not have the key's text anywhere needs no closer look.
            looked_at = f"iif(instr({run}.metadata, ?), metadata_fits(?, {run}.metadata), 0)"
            return Sql(looked_at, (json_text(key), handle))
        return Sql(f"metadata_fits(?, {run}.metadata)", (handle,))

    def _search(self, node: Search) -> Sql:
        run, handle = self._run, self._handles.handle(node)
        return Sql(f"mentions(?, {run}.rid, {run}.name, {run}.error)", (handle,))


def _plain_key(node: Entry) -> str | None:
    """Return the key that an entry must have, if it is one key, not a path of several."""
    key = node.key
    if isinstance(key, Compare) and key.operator == "eq" and "." not in str(key.value):
        return str(key.value)
    return None


def _comparison(name: str, field: str, operator: Operator, value: Value) -> Sql:
    if name == "feedback_value" and not isinstance(value, str):
        field = f"number_in({field})"
    return Sql(f"({field} {_SIGNS[operator]} ?)", (_bound(value),))


def _bound(value: Value) -> Any:
    if isinstance(value, UUID):
        return value.bytes
    if isinstance(value, datetime):
        return microseconds(value)
    return int(value) if isinstance(value, bool) else value
