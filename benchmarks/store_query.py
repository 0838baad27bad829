"""How long the store takes to answer, with many runs in it.

``python benchmarks/store_query.py FILE [runs]``. The file is made if it is missing, which takes
minutes for a million runs. Times are of the processor, in milliseconds: the median and the
longest of some answers, as a rule 20, each to another question of the kind.
"""

from __future__ import annotations

import random
import resource
import sys
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from statistics import median
from time import thread_time
from typing import Any
from uuid import UUID

import apsw

from benchmarks.store_runs import Traces
from callboard.query import parse
from callboard.store.records import ProjectQuery, RunQuery
from callboard.store.sqlite import SqliteStore

_HOUR = 3_600_000_000
_BIGGEST = "SELECT trace_id, count(*) FROM runs GROUP BY trace_id ORDER BY 2 DESC LIMIT 1"
_FIELDS = frozenset({"inputs", "outputs", "extra", "events", "subtree", "feedback", "attachments"})
_USER = 'and(eq(metadata_key, "user_id"), eq(metadata_value, "user-{n}"))'

OF_ROOTS: Mapping[str, str] = {
    "no filter": "",
    "by type": 'eq(run_type, "chain")',
    "by absent type": 'eq(run_type, "llm")',
    "by status": 'eq(status, "error")',
    "by error": 'like(error, "%a%")',
    "by latency": 'gt(latency, "5s")',
    "by rare latency": 'gt(latency, "15s")',
    "by tag": 'has(tags, "canary")',
    "by metadata": _USER,
    "by thread": 'eq(thread_id, "thread-{n}")',
    "by name": 'eq(name, "RunnableSequence")',
    "by absent name": 'eq(name, "nothing")',
    "by three": 'and(gt(latency, 3), has(tags, "prod"), eq(status, "error"))',
}
OF_ALL: Mapping[str, str] = {
    "by type": 'eq(run_type, "retriever")',
    "by metadata": _USER,
    "by rare metadata": 'and(eq(metadata_key, "needle"), eq(metadata_value, "needle-{m}"))',
    "by common metadata": 'and(eq(metadata_key, "env"), eq(metadata_value, "prod"))',
    "by name": 'eq(name, "docs")',
    "by absent name": 'eq(name, "nothing")',
    "by latency": "gt(latency, 8)",
    "by tokens": "gt(total_tokens, 20000)",
    "by a search": 'search("tiet")',
    "by a vain search": 'search("zzz")',
}


def fill(path: Path, runs: int) -> None:
    """Make a store with some runs in it."""
    store = SqliteStore.open(path)
    batch = []
    for operation in Traces().operations(runs):
        batch.append(operation)
        if len(batch) == 1000:
            store.write(batch)
            batch = []
    store.write(batch)
    store.close()


def _time(name: str, ask: Callable[[], Any], times: int = 20) -> None:
    spent = []
    for _ in range(times):
        began = thread_time()
        ask()
        spent.append((thread_time() - began) * 1e3)
    print(f"{name:32} {median(spent):8.2f} {max(spent):8.2f}")


class Questions:
    """What is asked of a store."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self.store = SqliteStore.open(path)
        self._random = random.Random(3)
        self._projects = [each.id for each in self.store.find_projects(ProjectQuery())]
        self._newest = self._end(newest_first=True)
        self._oldest = self._end(newest_first=False)

    def lists(self) -> None:
        """Ask for the first page of lists."""
        for name, text in OF_ROOTS.items():
            _time(f"roots, {name}", lambda text=text: self._find(text))
        _time("roots, with totals", lambda: self._find(fields=frozenset({"subtree"})))
        _time("roots, of an hour", self._hour)
        _time(
            "roots, by another of the tree",
            lambda: self._find(tree_filter=parse('eq(name, "docs")')),
        )
        for name, text in OF_ALL.items():
            times = 3 if name.endswith(("search", "absent name", "tokens")) else 20
            _time(f"all, {name}", lambda text=text: self._find(text, is_root=None), times)

    def runs(self) -> None:
        """Ask for runs and traces."""
        some = [run for _ in range(20) for run in self._hour(is_root=None, limit=1).items]
        ids = iter([run.id for run in some])
        _time("a run, whole", lambda: self.store.read_run(next(ids), _FIELDS), len(some))
        traces = iter([each.trace_id for each in some if 6 <= self._size(each.trace_id) <= 14])
        _time("a trace of about ten, whole", lambda: self._trace(next(traces)), 5)
        found, size = apsw.Connection(str(self._path)).execute(_BIGGEST).fetchone()
        big = UUID(bytes=found)
        _time(f"the outline of {size}", lambda: self.store.read_outline(big), 5)
        at = lambda: self._random.randrange(size)  # noqa: E731 - a name for it
        _time("a window of 100 of it", lambda: self.store.read_outline(big, offset=at(), limit=100))

    def sums(self) -> None:
        """Ask for statistics."""
        day = {"since_us": self._newest - 24 * _HOUR}
        _time("statistics of roots, 24 h", lambda: self.store.run_statistics(self._page(**day)), 5)
        names = lambda: self.store.group_runs(self._page(is_root=None, **day), "name")  # noqa: E731
        _time("by name, 24 h", names, 5)
        # Another store: this one keeps what took it long.
        _time("a project's statistics", lambda: self._totals(self._projects[:1]), 3)
        _time("all projects' statistics", lambda: self._totals(self._projects), 3)
        _time("threads, 24 h", lambda: self.store.find_threads(self._page(limit=20, **day)), 5)
        _time("threads", lambda: self.store.find_threads(self._page(limit=20)), 5)

    def _end(self, *, newest_first: bool) -> int:
        query = RunQuery(limit=1, newest_first=newest_first)
        return self.store.find_runs(query).items[0].start_us or 0

    def _page(self, **more: Any) -> RunQuery:
        project = self._random.choice(self._projects)
        return replace(RunQuery(project_ids=[project], is_root=True, limit=50), **more)

    def _find(self, text: str = "", **more: Any) -> Any:
        told = text.format(n=self._random.randrange(2000), m=self._random.randrange(20))
        return self.store.find_runs(self._page(filter=parse(told) if told else None, **more))

    def _hour(self, **more: Any) -> Any:
        start = self._random.randrange(self._oldest, self._newest)
        return self._find(since_us=start, until_us=start + _HOUR, **more)

    def _size(self, trace_id: UUID) -> int:
        return len(self.store.read_outline(trace_id))

    def _trace(self, trace_id: UUID) -> Any:
        query = RunQuery(trace_id=trace_id, newest_first=False, fields=_FIELDS)
        return self.store.find_runs(query)

    def _totals(self, project_ids: list[UUID]) -> None:
        store = SqliteStore.open(self._path)
        store.project_statistics(project_ids)
        store.close()


def main(path: Path, runs: int) -> None:
    """Ask everything of a store, and say how long each took."""
    if not path.exists():
        fill(path, runs)
    questions = Questions(path)
    print(f"{'':32} {'median':>8} {'longest':>8} ms")
    questions.lists()
    questions.runs()
    questions.sums()
    questions.store.close()
    print(f"{resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.0f} MB at the most")


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 1_000_000)
