"""A file with very many runs, which takes minutes to make: made once, and kept."""

from __future__ import annotations

import os
import tempfile
from datetime import timedelta
from itertools import chain
from pathlib import Path

from benchmarks.boards import create, update
from benchmarks.traces import RUNS_PER_TRACE, Made, big_trace, made_runs
from callboard.clock import now
from callboard.store.sqlite import SqliteStore

__all__ = ["BIG_TRACE", "PROJECT", "filled"]

PROJECT = "bench"
BIG_TRACE = 10_000
_PER_WRITE = 100  # Traces.


def filled(count: int) -> Path:
    """Return a file with so many runs, one trace of which is big; made if it is not there yet.

    It is in the folder that ``CALLBOARD_BENCH_DIR`` names, or in the system's for temporary files.
    """
    folder = Path(os.environ.get("CALLBOARD_BENCH_DIR", tempfile.gettempdir()))
    path = folder / f"callboard-bench-{count}.db"
    if not path.exists():
        print(f"Making {path}, once: {count:,} runs.", flush=True)
        unfinished = path.with_suffix(".unfinished")
        for rest in folder.glob(f"{unfinished.name}*"):
            rest.unlink()
        _fill(unfinished, count)
        unfinished.rename(path)
    return path


def _fill(path: Path, count: int) -> None:
    store = SqliteStore.open(path)
    last = now()
    big = big_trace(BIG_TRACE, last - timedelta(hours=1))
    some: list[Made] = []
    for number, trace in enumerate(made_runs(count - BIG_TRACE, until=last), 1):
        some += trace
        if number % _PER_WRITE == 0:
            _write(store, some)
            some = []
    for at in range(0, len(big), _PER_WRITE * RUNS_PER_TRACE):
        _write(store, big[at : at + _PER_WRITE * RUNS_PER_TRACE])
    _write(store, some)
    store.close()


def _write(store: SqliteStore, runs: list[Made]) -> None:
    creates = (create(run, PROJECT) for run in runs)
    store.write(list(chain(creates, (update(run, PROJECT) for run in runs))))
