"""Places of runs: which trace they are in, under which run, and where in its order.

What is told counts. What is not follows: from the dotted order if that is told, else from the
parent, once that is known, which may be long after; else the run is a root.
"""

from __future__ import annotations

from collections.abc import Iterable, MutableMapping
from uuid import UUID

import apsw

from callboard.store.derived import parent_of, place_of_root, place_under, trace_of
from callboard.store.sqlite.rows import COLUMNS, Row

__all__ = ["place_all"]

_BY_ID = f"SELECT {', '.join(COLUMNS)} FROM runs WHERE id = ?"  # noqa: S608 - names of columns
_WAITING = f"""
    SELECT {", ".join(COLUMNS)} FROM runs INDEXED BY runs_waiting
    WHERE placed = 1 AND parent_id IN carray(?)
"""  # noqa: S608 - names of columns


def place_all(db: apsw.Connection, rows: MutableMapping[bytes, Row]) -> None:
    """Find the places of rows, and of all runs whose places follow from theirs.

    Args:
        db: The store, in a transaction.
        rows: By id; runs are added that were in the store and have a place now.
    """
    moved = _place(db, rows, list(rows.values()))
    while moved:
        waiting: list[Row] = []
        for values in db.execute(_WAITING, (apsw.carray(tuple(moved)),)):
            row = Row.known(values)
            run_id = row.values["id"]
            if run_id not in rows:
                rows[run_id] = row
                waiting.append(row)
        moved = _place(db, rows, waiting)


def _place(
    db: apsw.Connection, rows: MutableMapping[bytes, Row], some: Iterable[Row]
) -> list[bytes]:
    """Place rows, parents first; return the ids of those that have another place than before."""
    done: set[bytes] = set()
    moved: list[bytes] = []
    for row in some:
        path: list[Row] = []
        above: Row | None = row
        while above is not None and above.values["id"] not in done:
            done.add(above.values["id"])
            path.append(above)
            above = None if above.is_told("dotted_order") else rows.get(above.values["parent_id"])
        for each in reversed(path):
            _place_one(db, rows, each)
            values = each.values
            if each.was("dotted") != values["dotted"] or each.was("trace_id") != values["trace_id"]:
                moved.append(values["id"])
    return moved


def _place_one(db: apsw.Connection, rows: MutableMapping[bytes, Row], row: Row) -> None:
    values = row.values
    values["placed"] = 0
    if row.is_told("dotted_order"):
        _place_as_told(row)
    elif row.is_told("parent_run_id") and values["parent_id"] != values["id"]:
        _place_below(row, _parent(db, rows, values["parent_id"]))
    else:
        _place_as_root(row)
    values["is_root"] = int(values["trace_id"] == values["id"])


def _place_as_told(row: Row) -> None:
    values = row.values
    if not row.is_told("trace_id"):
        values["trace_id"] = trace_of(values["dotted"]).bytes
    if not row.is_told("parent_run_id"):
        parent = parent_of(values["dotted"])
        values["parent_id"] = None if parent is None else parent.bytes


def _place_below(row: Row, parent: Row | None) -> None:
    values = row.values
    values["placed"] = 1
    above = None if parent is None else parent.values
    if not row.is_told("trace_id"):
        # The parent may well be a root: the best that can be said until it is known.
        known = None if above is None else above["trace_id"]
        values["trace_id"] = known or values["parent_id"]
    values["dotted"] = None
    if above is not None and above["dotted"] and values["start_us"] is not None:
        run_id = UUID(bytes=values["id"])
        values["dotted"] = place_under(above["dotted"], run_id, values["start_us"])


def _place_as_root(row: Row) -> None:
    values = row.values
    if not row.is_told("trace_id"):
        values["trace_id"] = values["id"]
    values["dotted"] = None
    if values["trace_id"] == values["id"] and values["start_us"] is not None:
        values["dotted"] = place_of_root(UUID(bytes=values["id"]), values["start_us"])


def _parent(db: apsw.Connection, rows: MutableMapping[bytes, Row], run_id: bytes) -> Row | None:
    row = rows.get(run_id)
    if row is None:
        values = db.execute(_BY_ID, (run_id,)).fetchone()
        row = None if values is None else Row.known(values)
    return row
