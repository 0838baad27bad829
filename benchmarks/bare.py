"""The same rows, inserted by apsw and nothing else: what SQLite alone takes for them.

A row for each run, beside it what came with each operation, compressed, and the tags and metadata
of roots for filters. Nothing is decoded, merged or derived, and nobody is answered.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterable
from itertools import islice
from pathlib import Path

import apsw
import zstandard

from benchmarks.traces import Made

__all__ = ["insert"]

_SCHEMA = """
PRAGMA page_size=8192;
PRAGMA journal_mode=WAL;
PRAGMA synchronous=NORMAL;
PRAGMA cache_size=-65536;
PRAGMA wal_autocheckpoint=4000;
CREATE TABLE runs (
    rid INTEGER PRIMARY KEY, id BLOB UNIQUE, trace_id BLOB, parent_id BLOB, dotted TEXT,
    project INTEGER, is_root INTEGER, name TEXT, run_type TEXT, start_us INTEGER, end_us INTEGER,
    status TEXT, error TEXT, tags TEXT, metadata TEXT, pt INTEGER, ct INTEGER, cost REAL,
    ftt INTEGER
);
CREATE INDEX runs_trace ON runs (trace_id, dotted);
CREATE INDEX runs_root ON runs (project, start_us DESC) WHERE is_root = 1;
CREATE INDEX runs_type ON runs (project, run_type, start_us DESC);
CREATE INDEX runs_project ON runs (project, start_us);
CREATE TABLE payload (k INTEGER PRIMARY KEY, z BLOB);
CREATE TABLE kv (
    project INTEGER, key TEXT, val TEXT, start_us INTEGER, rid INTEGER,
    PRIMARY KEY (project, key, val, start_us, rid)
) WITHOUT ROWID;
"""
_COLUMNS = (
    "id, trace_id, parent_id, dotted, project, is_root, name, run_type, start_us, end_us, "
    "status, error, tags, metadata, pt, ct"
)
_NAMES = _COLUMNS.split(", ")
_UPSERT = (
    f"INSERT INTO runs ({_COLUMNS}) VALUES ({', '.join('?' * len(_NAMES))}) ON CONFLICT (id) "
    f"DO UPDATE SET {', '.join(f'{n} = coalesce(excluded.{n}, {n})' for n in _NAMES[1:])} "
    "RETURNING rid"
)
_BATCH = 100


def insert(runs: Iterable[Made], path: Path) -> float:
    """Insert creates and updates, a hundred of each in a transaction.

    Args:
        runs: Which.
        path: The file to make.

    Returns:
        The CPU time that it took, in seconds.
    """
    db = apsw.Connection(str(path))
    db.execute(_SCHEMA).fetchall()
    packer = zstandard.ZstdCompressor(level=3)
    every = iter(runs)
    taken = 0.0
    while some := list(islice(every, _BATCH)):
        began = time.process_time()
        for is_end in (False, True):
            with db:
                for run in some:
                    _write(db, packer, run, is_end=is_end)
        taken += time.process_time() - began
    db.close()
    return taken


def _write(
    db: apsw.Connection, packer: zstandard.ZstdCompressor, run: Made, *, is_end: bool
) -> None:
    start_us = int(run.start.timestamp() * 1e6)
    usage = (run.usage or {}) if is_end else {}
    row = (
        run.id.bytes,
        run.trace_id.bytes,
        None if run.parent_id is None else run.parent_id.bytes,
        run.dotted_order,
        1,
        int(run.parent_id is None),
        run.name,
        run.run_type,
        start_us,
        int(run.end.timestamp() * 1e6) if is_end else None,
        ("error" if run.error else "success") if is_end else "pending",
        run.error if is_end else None,
        json.dumps(run.tags),
        json.dumps(run.metadata),
        usage.get("input_tokens"),
        usage.get("output_tokens"),
    )
    rid = db.execute(_UPSERT, row).get
    payloads = ((is_end, run.outputs if is_end else run.inputs), (2, run.extra))
    db.executemany(
        "INSERT OR REPLACE INTO payload VALUES (?, ?)",
        [(rid * 4 + part, packer.compress(data)) for part, data in payloads],
    )
    if run.parent_id is None and not is_end:
        entries = [("tag", tag) for tag in run.tags]
        entries += [(key, str(value)) for key, value in run.metadata.items()]
        db.executemany(
            "INSERT OR IGNORE INTO kv VALUES (?, ?, ?, ?, ?)",
            [(1, key, value, start_us, rid) for key, value in entries],
        )
