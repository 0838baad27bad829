"""Lists of runs, page by page.

The keys of runs are found first, by the index, then their rows are read: so nothing is read of a
run that is not on the page.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterator
from typing import Any, NamedTuple

from callboard.store.records import Page, RunQuery, RunRecord
from callboard.store.sqlite.compiler import Sql, conjunction
from callboard.store.sqlite.connections import ReadConnection
from callboard.store.sqlite.cursors import read_cursor, write_cursor
from callboard.store.sqlite.projects import keys_of
from callboard.store.sqlite.reading import read_records
from callboard.store.sqlite.selecting import Selection, searches, select

__all__ = ["find_runs"]

SEARCHED_PAYLOADS = 10_000
"""How many inputs and outputs a search looks through for one page: about a second's work."""
SEARCHED_RUNS = 100_000
"""How many runs it looks at."""


class _Found(NamedTuple):
    """A run that a query may mean.

    Attributes:
        place: What the list is ordered by.
        rid: Its key.
        fits: Whether the query means it.
    """

    place: tuple[Any, ...]
    rid: int
    fits: int


class _Order(NamedTuple):
    """An order of runs.

    Attributes:
        kind: What cursors of it are called.
        columns: What it is by, of which no two runs have the same.
        descending: Whether the last comes first.
        types: The types of the columns.
    """

    kind: str
    columns: tuple[str, ...]
    descending: bool
    types: tuple[Any, ...]

    @property
    def sql(self) -> str:
        """It as what stands after ORDER BY."""
        return ", ".join(f"{each} {'DESC' if self.descending else 'ASC'}" for each in self.columns)

    def after(self, cursor: str | None) -> list[Sql]:
        """Return what is true of the runs after a cursor; of all, if there is none."""
        if cursor is None:
            return []
        place = read_cursor(self.kind, cursor, *self.types)
        sign = "<" if self.descending else ">"
        marks = ", ".join("?" * len(place))
        conditions = [Sql(f"({', '.join(self.columns)}) {sign} ({marks})", place)]
        if self.kind == "runs":  # The index has the start alone.
            conditions.append(Sql(f"{self.columns[0]} {sign}= ?", place[:1]))
        return conditions


def find_runs(connection: ReadConnection, query: RunQuery) -> Page[RunRecord]:
    """Return a page of runs."""
    if query.limit < 1:
        return Page([])
    order = _order(query)
    selection = select(connection, query, one_by_one=True)
    order = order._replace(
        columns=tuple(each.replace("{start}", selection.start) for each in order.columns)
    )
    selection.conditions += order.after(query.cursor)
    is_search = not query.ids and searches(query)
    rows = _rows(connection, query, selection, order, is_search=is_search)
    found, stopped = _page(connection, rows, query.limit, is_search=is_search)
    items = read_records(connection, [each.rid for each in found[: query.limit]], query.fields)
    if len(found) > len(items):
        return Page(items, write_cursor(order.kind, *found[len(items) - 1].place))
    if stopped is not None:
        return Page(items, write_cursor(order.kind, *stopped.place), stopped.place[0])
    return Page(items)


def _order(query: RunQuery) -> _Order:
    if query.trace_id is not None and not query.newest_first and not query.ids:
        # Text sorts after nothing: runs without a place come last.
        columns = ("run.dotted IS NULL", "ifnull(run.dotted, '')", "run.start_us", "run.id")
        return _Order("tree", columns, descending=False, types=(int, str, int, bytes))
    start = "ifnull(run.start_us, 0)" if query.ids else "{start}"
    kind = "runs" if query.newest_first else "runs-ascending"
    return _Order(kind, (start, "run.id"), query.newest_first, (int, bytes))


def _rows(
    connection: ReadConnection,
    query: RunQuery,
    selection: Selection,
    order: _Order,
    *,
    is_search: bool,
) -> Iterator[_Found]:
    """Yield the runs that a query may mean, in order."""
    fits, conditions = Sql("1"), selection.conditions
    if is_search:
        fits = selection.filter
    else:
        conditions = [*conditions, selection.filter]
    limit = -1 if is_search else query.limit + 1
    if selection.project is None:
        yield from _lines(connection, selection, order, fits, conditions, limit)
        return
    lists = [
        _lines(
            connection,
            selection,
            order,
            fits,
            [Sql(f"{selection.project} = ?", (key,)), *conditions],
            limit,
        )
        for key in keys_of(connection.db, query.project_ids)
    ]
    yield from heapq.merge(*lists, key=lambda each: each.place, reverse=order.descending)


def _lines(
    connection: ReadConnection,
    selection: Selection,
    order: _Order,
    fits: Sql,
    conditions: list[Sql],
    limit: int,
) -> Iterator[_Found]:
    where = conjunction(conditions)
    # Pieces of SQL are the program's own; values are bound.
    sql = (
        f"SELECT run.rid, {fits.text}, {', '.join(order.columns)} FROM {selection.source} "  # noqa: S608
        f"WHERE {where.text} ORDER BY {order.sql} LIMIT ?"
    )
    for rid, fitting, *place in connection.db.execute(sql, (*fits.values, *where.values, limit)):
        yield _Found(tuple(place), rid, fitting)


def _page(
    connection: ReadConnection, rows: Iterator[_Found], limit: int, *, is_search: bool
) -> tuple[list[_Found], _Found | None]:
    """Return the runs of a page, one more if there are more, and where a search gave up."""
    found: list[_Found] = []
    for count, each in enumerate(rows, 1):
        if each.fits:
            found.append(each)
            if len(found) > limit:
                break
        if is_search and (
            count >= SEARCHED_RUNS or connection.functions.payloads_read >= SEARCHED_PAYLOADS
        ):
            return found, each
    return found, None
