"""Which runs a query means: its conditions in SQL, and the index that finds them.

The index is named, not left to the planner: it has no figures to go by, and the right one follows
from the query.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import apsw

from callboard.query.nodes import And, Compare, Entry, HasTag, Node, Not, Or, Search
from callboard.store.records import RunQuery
from callboard.store.sqlite.compiler import Sql, compile_filter, conjunction
from callboard.store.sqlite.connections import ReadConnection
from callboard.store.sqlite.marks import mark_of_entry, mark_of_tag

__all__ = ["Selection", "searches", "select"]

# A mark that more traces have than this is common enough to be met soon by going through runs.
_RARE_TRACES = 5_000
_IS_ROOT = Sql("run.is_root = 1")
_FAILED = Sql("run.status = 'error'")
_LISTED = (Sql("run.start_us IS NOT NULL"), Sql("run.project IS NOT NULL"))


@dataclass(slots=True)
class Selection:
    """Which runs a query means.

    Attributes:
        source: What stands after FROM; the run is called ``run``.
        conditions: What must be true of it.
        filter: What must be true besides, that the query's filters say.
        start: What its start is called in the index that finds it.
        project: What its project is called, if it is to be asked for one project at a time.
    """

    source: str
    conditions: list[Sql] = field(default_factory=list)
    filter: Sql = field(default_factory=lambda: Sql("1"))
    start: str = "run.start_us"
    project: str | None = None

    def sql(self, columns: str, *also: Sql) -> Sql:
        """Return the statement that selects columns of these runs, in no order.

        Args:
            columns: What of the run ``run``.
            *also: What must be true besides.
        """
        where = conjunction([*self.conditions, *also, self.filter])
        # Pieces of SQL are the program's own; values are bound.
        return Sql(f"SELECT {columns} FROM {self.source} WHERE {where.text}", where.values)  # noqa: S608


def select(
    connection: ReadConnection,
    query: RunQuery,
    *,
    one_by_one: bool = False,
    threaded: bool = False,
) -> Selection:
    """Return which runs a query means, whatever their order.

    Args:
        connection: Where they are looked for.
        query: The query.
        one_by_one: Whether the projects are left to the caller, if `Selection.project` is set.
        threaded: Whether roots are asked for by their threads, those without left out.
    """
    if query.ids:
        return Selection("runs AS run", [_among("run.id", query.ids)])
    selection = _Selector(connection.db, query, threaded=threaded).selection()
    selection.conditions += _conditions(query)
    selection.filter = _filters(connection, query)
    if selection.project is None or not one_by_one:
        selection.conditions += _of_projects(selection.project or "run.project", query.project_ids)
    for bound, sign in ((query.since_us, ">="), (query.until_us, "<")):
        if bound is not None:
            selection.conditions.append(Sql(f"{selection.start} {sign} ?", (bound,)))
    return selection


def _of_projects(column: str, project_ids: Sequence[UUID]) -> list[Sql]:
    if not project_ids:
        # So that the index serves, which begins with the project.
        return [Sql(f"{column} IN (SELECT pid FROM projects)")]  # noqa: S608 - no values
    keys = "SELECT pid FROM projects WHERE id IN carray(?)"
    value = apsw.carray(tuple(each.bytes for each in project_ids))
    return [Sql(f"{column} IN ({keys})", (value,))]


def searches(query: RunQuery) -> bool:
    """Whether a query looks through texts, which is slow for each run that it looks at."""
    filters = (query.filter, query.trace_filter, query.tree_filter)
    return any(
        isinstance(node, Search) or (isinstance(node, Entry) and node.kind in {"input", "output"})
        for each in filters
        if each is not None
        for node in _nodes(each)
    )


def _nodes(node: Node) -> Iterator[Node]:
    yield node
    if isinstance(node, And | Or):
        for part in node.parts:
            yield from _nodes(part)
    elif isinstance(node, Not):
        yield from _nodes(node.part)


def _among(column: str, some: Sequence[UUID]) -> Sql:
    return Sql(f"{column} IN carray(?)", (apsw.carray(tuple(each.bytes for each in some)),))


def _conditions(query: RunQuery) -> list[Sql]:
    found = list(_LISTED)
    if query.trace_id is not None:
        found.append(Sql("run.trace_id = ?", (query.trace_id.bytes,)))
    if query.parent_run_id is not None:
        found.append(Sql("run.parent_id = ?", (query.parent_run_id.bytes,)))
    if query.run_type is not None:
        found.append(Sql("run.run_type = ?", (query.run_type,)))
    if query.is_root is not None:
        found.append(_IS_ROOT if query.is_root else Sql("run.is_root = 0"))
    if query.has_error is not None:
        found.append(_FAILED if query.has_error else Sql("run.status != 'error'"))
    if query.reference_example_ids:
        found.append(_among("run.example_id", query.reference_example_ids))
    return found


def _filters(connection: ReadConnection, query: RunQuery) -> Sql:
    handles = connection.functions
    found: list[Sql] = []
    if query.filter is not None:
        found.append(compile_filter(query.filter, "run", handles))
    if query.trace_filter is not None:
        one = compile_filter(query.trace_filter, "top", handles)
        # Pieces of SQL are the program's own; values are bound.
        exists = f"EXISTS (SELECT 1 FROM runs AS top WHERE top.id = run.trace_id AND {one.text})"  # noqa: S608
        found.append(Sql(exists, one.values))
    if query.tree_filter is not None:
        one = compile_filter(query.tree_filter, "some", handles)
        source = "runs AS some INDEXED BY runs_trace"
        exists = (
            f"EXISTS (SELECT 1 FROM {source} WHERE some.trace_id = run.trace_id AND {one.text})"  # noqa: S608
        )
        found.append(Sql(exists, one.values))
    return conjunction(found)


class _Selector:
    """Finds the index for a query."""

    def __init__(self, db: apsw.Connection, query: RunQuery, *, threaded: bool) -> None:
        self._db = db
        self._query = query
        self._threaded = threaded
        node = query.filter
        self._parts: tuple[Node, ...] = ()
        if node is not None:
            self._parts = node.parts if isinstance(node, And) else (node,)

    def selection(self) -> Selection:
        return self._of_few() or (self._of_roots() if self._is_root() else self._of_all())

    def _of_few(self) -> Selection | None:
        """Return the selection by something that few runs have in common."""
        query = self._query
        if (run_id := self._equal("id")) is not None:
            return Selection("runs AS run", [Sql("run.id = ?", (_id(run_id),))])
        for name, told, index in (
            ("trace_id", query.trace_id, "runs_trace"),
            ("parent_run_id", query.parent_run_id, "runs_parent"),
        ):
            value = told or self._equal(name)
            if value is not None:
                column = "trace_id" if name == "trace_id" else "parent_id"
                condition = Sql(f"run.{column} = ?", (_id(value),))
                return Selection(f"runs AS run INDEXED BY {index}", [condition])
        if query.reference_example_ids:
            return Selection("runs AS run INDEXED BY runs_example")
        return None

    def _of_roots(self) -> Selection:
        marks = self._marks()
        # Few fail: a tag that most have is no help beside that.
        if marks and not (self._has_failed() and not any(map(self._is_rare, marks))):
            source = "root_marks AS mark CROSS JOIN runs AS run ON run.rid = mark.rid"
            condition = Sql("mark.mark = ?", (self._rarest_root_mark(marks),))
            return Selection(source, [condition], start="mark.start_us", project="mark.project")
        thread = self._equal("thread_id")
        if thread is not None:
            source = "runs AS run INDEXED BY runs_thread"
            conditions = [_IS_ROOT, Sql("run.thread = ?", (thread,))]
            return Selection(source, conditions, project="run.project")
        if self._has_failed():
            return Selection("runs AS run INDEXED BY runs_error", [_FAILED], project="run.project")
        if self._threaded:
            named = Sql("run.thread IS NOT NULL")
            source = "runs AS run INDEXED BY runs_thread"
            return Selection(source, [_IS_ROOT, named], project="run.project")
        return Selection("runs AS run INDEXED BY runs_root", [_IS_ROOT], project="run.project")

    def _of_all(self) -> Selection:
        for mark in self._marks():
            if self._is_rare(mark):
                source = "trace_marks AS mark CROSS JOIN runs AS run INDEXED BY runs_trace"
                condition = Sql("mark.mark = ? AND run.trace_id = mark.trace_id", (mark,))
                return Selection(source, [condition])
        if self._has_failed():
            return Selection("runs AS run INDEXED BY runs_error", [_FAILED], project="run.project")
        run_type = self._query.run_type or self._equal("run_type")
        if run_type is not None:
            condition = Sql("run.run_type = ?", (run_type,))
            source = "runs AS run INDEXED BY runs_type"
            return Selection(source, [condition], project="run.project")
        return Selection("runs AS run INDEXED BY runs_project", project="run.project")

    def _equal(self, field: str) -> Any:
        """Return the value that a field must have, if the filter says so."""
        for part in self._parts:
            if isinstance(part, Compare) and part.field == field and part.operator == "eq":
                return part.value
        return None

    def _is_root(self) -> bool:
        return self._query.is_root is True or self._equal("is_root") is True

    def _has_failed(self) -> bool:
        return self._query.has_error is True or self._equal("status") == "error"

    def _marks(self) -> list[int]:
        """Return the marks that the run must have."""
        marks = [mark_of_tag(part.tag) for part in self._parts if isinstance(part, HasTag)]
        for part in self._parts:
            if isinstance(part, Entry) and part.kind == "metadata":
                marks.extend(_marks_of_entry(part))
        return marks

    def _rarest_root_mark(self, marks: list[int]) -> int:
        return marks[0] if len(marks) == 1 else min(marks, key=self._traces)

    def _is_rare(self, mark: int) -> bool:
        return self._traces(mark) <= _RARE_TRACES

    def _traces(self, mark: int) -> int:
        """Return how many traces have a mark, if they are not too many to count."""
        sql = "SELECT count(*) FROM (SELECT 1 FROM trace_marks WHERE mark = ? LIMIT ?)"
        found: int = self._db.execute(sql, (mark, _RARE_TRACES + 1)).get
        return found


def _marks_of_entry(entry: Entry) -> Iterator[int]:
    key = entry.key
    if not isinstance(key, Compare) or key.operator != "eq":
        return
    for part in entry.values:
        if isinstance(part, Compare) and part.operator == "eq":
            text = part.value if isinstance(part.value, str) else repr(part.value)
            yield mark_of_entry(str(key.value), text)


def _id(value: Any) -> bytes:
    assert isinstance(value, UUID)  # noqa: S101 - for the type checker: the field's type
    return value.bytes
