"""How much of its time the store spends on writing, beside what SQLite and zstd take by themselves.

``python benchmarks/store_ingest.py [runs]``. The floor is what the store asked SQLite to change,
asked again of an empty file with none of our code around it: the same rows in the same
transactions, payloads compressed with the same dictionary.
"""

from __future__ import annotations

import gc
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from time import thread_time
from typing import Any

import apsw

from benchmarks.store_runs import Traces
from callboard.store.sqlite import SqliteStore
from callboard.store.sqlite.codec import Packer, Reader
from callboard.wire.operations import Operation

BATCH = 100


def _batches(runs: int) -> list[list[Operation]]:
    operations = list(Traces().operations(runs))
    return [operations[at : at + BATCH] for at in range(0, len(operations), BATCH)]


def _write(path: Path, batches: Sequence[Sequence[Operation]]) -> float:
    store = SqliteStore.open(path)
    began = thread_time()
    for batch in batches:
        store.write(batch)
    spent = thread_time() - began
    store.close()
    return spent


def _record(
    path: Path, batches: Sequence[Sequence[Operation]]
) -> list[list[tuple[str, list[Any]]]]:
    """Return what the store changes, transaction by transaction."""
    store = SqliteStore.open(path)
    transactions: list[list[tuple[str, list[Any]]]] = []

    def trace(_cursor: object, sql: str, values: Any) -> bool:
        if sql.startswith("BEGIN"):
            transactions.append([])
        elif sql.lstrip()[:6] in {"INSERT", "UPDATE", "DELETE"}:
            done = transactions[-1]
            if not done or done[-1][0] != sql:
                done.append((sql, []))
            done[-1][1].append(values)
        return True

    db = store._connections.writer  # noqa: SLF001 - nobody else sees what it is asked to do
    db.exec_trace = trace
    for batch in batches:
        store.write(batch)
    db.exec_trace = None
    reader = Reader(db)
    for transaction in transactions:
        for sql, values in transaction:
            if "INTO payloads" in sql:
                values[:] = [(key, reader.unpack(coding, data)) for key, coding, data in values]
    store.close()
    return transactions


def _replay(path: Path, transactions: Any, dictionary: bytes | None) -> float:
    SqliteStore.open(path).close()
    db = apsw.Connection(str(path), statementcachesize=256)
    db.execute(
        "PRAGMA synchronous=NORMAL; PRAGMA cache_size=-65536; PRAGMA wal_autocheckpoint=4000"
    )
    packer = Packer()
    if dictionary is not None:
        packer.use(2, dictionary)
    began = thread_time()
    for transaction in transactions:
        db.execute("BEGIN IMMEDIATE")
        for sql, values in transaction:
            is_packed = "INTO payloads" in sql
            rows = [(key, *packer.pack(data)) for key, data in values] if is_packed else values
            db.executemany(sql, rows)
        db.execute("COMMIT")
    spent = thread_time() - began
    db.close()
    return spent


def main(runs: int) -> None:
    batches = _batches(runs)
    with tempfile.TemporaryDirectory() as folder:
        base = Path(folder)
        transactions = _record(base / "recorded", batches)
        # All this is the benchmark's own: a server's collector has no such heap to go through.
        gc.collect()
        gc.freeze()
        found = apsw.Connection(str(base / "recorded")).execute("SELECT data FROM dictionaries")
        dictionary = next((row[0] for row in found), None)
        for turn in range(3):
            ours = _write(base / f"ours{turn}", batches) / runs * 1e6
            floor = _replay(base / f"floor{turn}", transactions, dictionary) / runs * 1e6
            print(
                f"store {ours:6.1f} us/run   floor {floor:6.1f} us/run   ratio {ours / floor:.2f}"
            )
        size = (base / "ours0").stat().st_size
        print(f"{size / runs:.0f} bytes a run")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 20_000)
