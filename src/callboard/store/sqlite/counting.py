"""Which model runs count: those with no model run inside them, so that no token counts twice.

Of the models of a trace in the order of its tree, one has another inside it if the next one is:
so it takes a look at its two neighbours to place one among them, however many they are.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import apsw

from callboard.store.sqlite.rows import MODEL, Row

__all__ = ["count_models"]

_BEFORE = """
    SELECT rid, dotted, counts FROM runs INDEXED BY runs_models
    WHERE run_type = 'llm' AND trace_id = ? AND dotted < ? ORDER BY dotted DESC LIMIT 1
"""
_AFTER = """
    SELECT dotted FROM runs INDEXED BY runs_models
    WHERE run_type = 'llm' AND trace_id = ? AND dotted > ? ORDER BY dotted LIMIT 1
"""
_ALL = """
    SELECT rid, dotted, counts FROM runs INDEXED BY runs_models
    WHERE run_type = 'llm' AND trace_id = ? AND dotted IS NOT NULL ORDER BY dotted
"""
_SET = "UPDATE runs SET counts = ? WHERE rid = ?"


def count_models(db: apsw.Connection, rows: Iterable[Row]) -> None:
    """Note of the models among rows, and of those around them, whether they count.

    Args:
        db: The store, in a transaction, with these rows in it.
        rows: Runs that are new or have changed.
    """
    again: set[bytes] = set()
    for row in rows:
        values = row.values
        is_model, was_model = values["run_type"] == MODEL, row.was("run_type") == MODEL
        if was_model and (not is_model or _is_moved(row)):
            again.update((values["trace_id"], row.was("trace_id")))
        elif is_model and not was_model and values["dotted"] is not None:
            _join(db, values["rid"], values["trace_id"], values["dotted"])
    for trace_id in again:
        _recount(db, trace_id)


def _is_moved(row: Row) -> bool:
    return any(row.values[name] != row.was(name) for name in ("trace_id", "dotted"))


def _join(db: apsw.Connection, rid: int, trace_id: bytes, dotted: str) -> None:
    before = db.execute(_BEFORE, (trace_id, dotted)).fetchone()
    if before is not None and before[2] and dotted.startswith(f"{before[1]}."):
        db.execute(_SET, (0, before[0]))
    after = db.execute(_AFTER, (trace_id, dotted)).fetchone()
    if after is not None and after[0].startswith(f"{dotted}."):
        db.execute(_SET, (0, rid))


def _recount(db: apsw.Connection, trace_id: bytes) -> None:
    models: list[Any] = db.execute(_ALL, (trace_id,)).fetchall()
    following = [*(dotted for _, dotted, _ in models), ""][1:]
    for (rid, dotted, counts), after in zip(models, following, strict=True):
        is_leaf = int(not after.startswith(f"{dotted}."))
        if is_leaf != counts:
            db.execute(_SET, (is_leaf, rid))
