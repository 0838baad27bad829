"""The command ``python -m benchmarks.query``: what our server takes to answer, of a million runs.

Requests go to a server in a process of its own, over HTTP, and what is measured is the CPU time of
that process, decoding and encoding included: the median of twenty, after one that is not counted.
A loop that always does the same is timed beside it, for machines differ, and minutes do.

The file takes minutes to make; it is kept in the folder that ``CALLBOARD_BENCH_DIR`` names.
"""

import json
import sys
import time
from argparse import ArgumentParser, Namespace
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from pathlib import Path
from statistics import median
from typing import Any
from uuid import UUID

import apsw

from benchmarks.boards import board
from benchmarks.filled import BIG_TRACE, PROJECT, filled
from benchmarks.processes import Process
from callboard.clock import moment_at
from callboard.store.base import Store
from callboard.store.records import RunQuery, RunRecord
from callboard.store.sqlite import SqliteStore

ROUNDS = 20
PAGE = 50
WINDOW = 500
LINE = "  {:<40}{:>10}{:>10}  {}"
SHOWN = [
    "id",
    "name",
    "run_type",
    "status",
    "start_time",
    "end_time",
    "error",
    "tags",
    "inputs_preview",
    "outputs_preview",
    "total_tokens",
    "total_cost",
    "first_token_time",
    "thread_id",
]
"""What a list of runs shows."""


@dataclass(frozen=True)
class Case:
    """A question.

    Attributes:
        name: What is asked for.
        most: How many milliseconds of CPU time it may take.
        ask: Asks it once, and returns how much came back.
        least: How much must come back.
    """

    name: str
    most: float
    ask: Callable[[], int]
    least: int = 1


def arguments() -> Namespace:
    """Read the command line."""
    parser = ArgumentParser(prog="python -m benchmarks.query", description="Measure queries.")
    parser.add_argument("--runs", type=int, default=1_000_000, help="how many there are; 1,000,000")
    parser.add_argument("--strict", action="store_true", help="fail if a target is missed")
    return parser.parse_args()


def roots(process: Process, project: str, some: RunRecord) -> Iterator[Case]:
    """Yield the lists of newest root runs, alone and by each of the usual filters.

    Args:
        process: The server.
        project: Whose runs.
        some: A root that there is.
    """
    user = some.metadata["user_id"]
    filters = {
        "newest roots": None,
        "by run type": 'eq(run_type, "chain")',
        "by status": 'eq(status, "error")',
        "by error": "neq(error, null)",
        "by latency": 'gt(latency, "5s")',
        "by tag": 'has(tags, "beta")',
        "by metadata": f'and(eq(metadata_key, "user_id"), eq(metadata_value, "{user}"))',
        "by name": 'eq(name, "agent")',
    }
    for name, text in filters.items():
        asked = _asked(project, is_root=True, filter=text)
        yield Case(f"{PAGE} {name}", 20, partial(_runs, process, asked))
    until = moment_at(some.start_us or 0)
    since = until - timedelta(minutes=10)
    window = {"start_time": since.isoformat(), "end_time": until.isoformat()}
    asked = _asked(project, is_root=True, **window)
    yield Case(f"{PAGE} by time window", 20, partial(_runs, process, asked))


def others(process: Process, project: str, some_trace: str) -> Iterator[Case]:
    """Yield what is asked of runs and traces that are opened, and of runs inside traces."""
    yield Case("a run by its id", 2, lambda: len(process.get(f"/runs/{some_trace}")))
    whole = _asked(None, trace=some_trace, select=[*SHOWN, "inputs", "outputs", "extra"])
    yield Case("a trace of 10, whole", 5, partial(_runs, process, whole), least=10)
    child = 'and(eq(metadata_key, "step"), eq(metadata_value, 6), eq(run_type, "tool"))'
    asked = _asked(project, filter=child)
    yield Case("by metadata of any run", 250, partial(_runs, process, asked))


def outlines(store: Store, trace_id: UUID) -> Iterator[Case]:
    """Yield what is asked of a big trace; of the store itself, in this process."""

    def read(limit: int | None) -> int:
        return len(store.read_outline(trace_id, limit=limit))

    whole, window = f"skeleton of {BIG_TRACE:,} runs (store)", f"its first {WINDOW} (store)"
    yield Case(whole, 100, lambda: read(None), least=BIG_TRACE)
    yield Case(window, 20, lambda: read(WINDOW), least=WINDOW)


def _asked(project: str | None, **query: Any) -> bytes:
    body = {"select": SHOWN, "limit": PAGE, **query}
    if project is not None:
        body["session"] = [project]
    return json.dumps(body).encode()


def _runs(process: Process, asked: bytes) -> int:
    return len(json.loads(process.ask("POST", "/runs/query", asked))["runs"])


def measured(case: Case, cpu_seconds: Callable[[], float]) -> float:
    """Return the milliseconds of CPU time that a case takes.

    Raises:
        RuntimeError: Too little comes back.
    """
    times = []
    for _ in range(ROUNDS + 1):
        began = cpu_seconds()
        found = case.ask()
        times.append(cpu_seconds() - began)
        if found < case.least:
            raise RuntimeError(f"{case.name}: {found} came back, not {case.least}.")
    return 1e3 * median(times[1:])


def calibration() -> float:
    """Return how many milliseconds a loop takes that always does the same."""
    times = []
    for _ in range(5):
        began = time.process_time()
        sum(number * number for number in range(300_000))
        times.append(time.process_time() - began)
    return 1e3 * median(times)


def main() -> int:
    """Measure, and print; return the exit code."""
    given = arguments()
    path = filled(given.runs)
    print(f"Milliseconds of CPU time, of {given.runs:,} runs; the median of {ROUNDS}.")
    print(f"A loop of 300,000 squares takes {calibration():.1f} ms here and now.\n")
    print(LINE.format("", "takes", "target", ""))
    store = SqliteStore.open(path)
    newest = store.find_runs(RunQuery(is_root=True, limit=1_000)).items
    with board(path) as process:
        project = json.loads(process.get(f"/sessions?name={PROJECT}"))[0]["id"]
        some = newest[len(newest) // 2]
        cases = [*roots(process, project, some), *others(process, project, str(some.id))]
        met = [_judge(case, process.thread_seconds) for case in cases]
    met += [_judge(case, time.process_time) for case in outlines(store, _big_trace(path))]
    store.close()
    print(f"\nThe loop takes {calibration():.1f} ms now. Targets missed: {met.count(False)}.")
    return 1 if given.strict and not all(met) else 0


def _judge(case: Case, cpu_seconds: Callable[[], float]) -> bool:
    taken = measured(case, cpu_seconds)
    met = taken <= case.most
    said = "met" if met else "MISSED"
    print(LINE.format(case.name, f"{taken:.2f}", f"<= {case.most:g}", said), flush=True)
    return met


def _big_trace(path: Path) -> UUID:
    """Return the trace that has the most runs: the only one of its size."""
    db = apsw.Connection(str(path), flags=apsw.SQLITE_OPEN_READONLY)
    try:
        [(trace_id,)] = db.execute(
            "SELECT trace_id FROM runs GROUP BY trace_id HAVING count(*) > 1000"
        )
    finally:
        db.close()
    return UUID(bytes=trace_id)


if __name__ == "__main__":
    sys.exit(main())
