"""Deleting runs, with all that belongs to them."""

from __future__ import annotations

from typing import Any

import apsw

from callboard.store.sqlite.marks import marks_of

__all__ = ["delete_runs"]


def delete_runs(db: apsw.Connection, condition: str, bindings: tuple[Any, ...]) -> int:
    """Delete runs, with their payloads, marks, files, feedback and shares.

    Args:
        db: The store, in a transaction.
        condition: Which runs: SQL of the program's own.
        bindings: The values in it.

    Returns:
        How many there were.
    """
    db.execute("CREATE TEMP TABLE IF NOT EXISTS doomed (rid INTEGER PRIMARY KEY, id BLOB)")
    # The condition is the program's own; its values are bound.
    sql = f"INSERT INTO temp.doomed SELECT rid, id FROM runs WHERE {condition} LIMIT ?"  # noqa: S608
    total = 0
    while True:
        db.execute(sql, (*bindings, _AT_ONCE))
        count = db.changes()
        _delete_marks(db)
        for statement in _STATEMENTS:
            db.execute(statement)
        total += count
        if count < _AT_ONCE:
            return total


_STATEMENTS = (
    """DELETE FROM payloads WHERE key IN (
        SELECT rid * 8 + column1 FROM temp.doomed, (VALUES (0), (1), (2), (3), (4), (5)))""",
    "DELETE FROM attachments WHERE rid IN (SELECT rid FROM temp.doomed)",
    "DELETE FROM feedback WHERE run_id IN (SELECT id FROM temp.doomed)",
    "DELETE FROM shares WHERE run_id IN (SELECT id FROM temp.doomed)",
    "DELETE FROM runs WHERE rid IN (SELECT rid FROM temp.doomed)",
    "DELETE FROM temp.doomed",
)
# Their marks are held in memory meanwhile.
_AT_ONCE = 10_000


def _delete_marks(db: apsw.Connection) -> None:
    rows = db.execute(
        "SELECT rid, project, start_us, trace_id, is_root, tags, metadata FROM runs "
        "WHERE rid IN (SELECT rid FROM temp.doomed)"
    )
    of_traces: set[tuple[int, bytes]] = set()
    of_roots: list[tuple[int, int, int, int]] = []
    row: tuple[Any, ...]
    for row in rows.fetchall():
        rid, project, start_us, trace_id, is_root, tags, metadata = row
        marks = marks_of(tags, metadata)
        of_traces.update((mark, trace_id) for mark in marks)
        if is_root and project is not None and start_us is not None:
            of_roots.extend((project, mark, start_us, rid) for mark in marks)
    db.executemany("DELETE FROM trace_marks WHERE mark = ? AND trace_id = ?", of_traces)
    db.executemany(
        "DELETE FROM root_marks WHERE project = ? AND mark = ? AND start_us = ? AND rid = ?",
        of_roots,
    )
