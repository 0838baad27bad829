"""How long the store takes to answer, with many runs in it.

``python benchmarks/store_query.py FILE [runs]``. The file is made if it is missing, which takes
minutes for a million runs. Times are of the processor, in milliseconds: the median, the 95th
percentile, and the longest of 20 different ones.
"""

from __future__ import annotations

import random
import resource
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from statistics import quantiles
from time import thread_time
from typing import Any

from benchmarks.store_runs import Traces
from callboard.query import parse
from callboard.store.records import ProjectQuery, RunQuery
from callboard.store.sqlite import SqliteStore

_HOUR = 3_600_000_000


def _fill(path: Path, runs: int) -> None:
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
    cuts = quantiles(spent, n=20) if times > 1 else spent * 20
    print(f"{name:28} {cuts[9]:8.2f} {cuts[-1]:8.2f} {max(spent):8.2f} ms")


def _measure(store: SqliteStore) -> None:
    chance = random.Random(3)
    projects = [each.id for each in store.find_projects(ProjectQuery())]
    newest = store.find_runs(RunQuery(limit=1)).items[0].start_us or 0
    oldest = store.find_runs(RunQuery(limit=1, newest_first=False)).items[0].start_us or 0

    def moment() -> int:
        return chance.randrange(oldest, newest)

    def page(**more: Any) -> RunQuery:
        roots = RunQuery(project_ids=[chance.choice(projects)], is_root=True, limit=50)
        return replace(roots, **more)

    def filtered(text: str) -> Callable[[], Any]:
        return lambda: store.find_runs(page(filter=parse(text.format(n=chance.randrange(2000)))))

    def everywhere(text: str) -> Callable[[], Any]:
        def ask() -> Any:
            told = parse(text.format(n=chance.randrange(2000), m=chance.randrange(20)))
            return store.find_runs(page(is_root=None, filter=told))

        return ask

    _time("roots", lambda: store.find_runs(page()))
    _time("roots with totals", lambda: store.find_runs(page(fields=frozenset({"subtree"}))))
    _time("roots by type", filtered('eq(run_type, "chain")'))
    _time("roots by absent type", filtered('eq(run_type, "llm")'))
    _time("roots by status", filtered('eq(status, "error")'))
    _time("roots by error", lambda: store.find_runs(page(has_error=True)))
    _time("roots by latency", filtered('gt(latency, "5s")'))
    _time("roots by rare latency", filtered('gt(latency, "16s")'))
    _time("roots by tag", filtered('has(tags, "canary")'))
    _time("roots by metadata", filtered('and(eq(metadata_key, "user_id"), eq(metadata_value, "user-{n}"))'))
    _time("roots by thread", filtered('eq(thread_id, "thread-{n}")'))
    _time("roots by name", filtered('eq(name, "RunnableSequence")'))
    _time("roots by absent name", filtered('eq(name, "nothing")'))
    _time("roots by time", lambda: store.find_runs(page(since_us=(at := moment()), until_us=at + _HOUR)))
    _time("roots by two", filtered('and(gt(latency, 3), has(tags, "prod"), eq(status, "error"))'))
    _time("all by type", everywhere('eq(run_type, "retriever")'))
    _time("all by metadata", everywhere('and(eq(metadata_key, "user_id"), eq(metadata_value, "user-{n}"))'))
    _time("all by rare metadata", everywhere('and(eq(metadata_key, "needle"), eq(metadata_value, "needle-{m}"))'))
    _time("all by common metadata", everywhere('and(eq(metadata_key, "env"), eq(metadata_value, "prod"))'))
    _time("all by name", everywhere('eq(name, "docs")'))
    _time("all by absent name", everywhere('eq(name, "nothing")'), 3)
    _time("all by latency", everywhere("gt(latency, 8)"))
    _time("tree filter", lambda: store.find_runs(page(tree_filter=parse('eq(name, "docs")'))))
    _time("search", everywhere('search("tiet")'), 3)
    _time("search for nothing", everywhere('search("zzz")'), 3)

    def one() -> Any:
        return store.find_runs(page(limit=1, is_root=None, until_us=moment())).items

    runs = [run.id for _ in range(20) for run in one()]
    fields = ("inputs", "outputs", "extra", "events", "subtree", "feedback", "attachments")
    some = iter(runs)
    _time("run by id", lambda: store.read_run(next(some), fields), len(runs))
    traces = {run.trace_id: 0 for _ in range(40) for run in one()}
    for trace_id in traces:
        traces[trace_id] = len(store.read_outline(trace_id))
    ten = iter([trace_id for trace_id, size in traces.items() if 6 <= size <= 14])
    _time("trace of ten", lambda: _whole(store, next(ten)), 8)
    sizes = "SELECT trace_id, count(*) FROM runs GROUP BY trace_id ORDER BY 2 DESC LIMIT 1"
    from uuid import UUID

    found, size = store._connections.writer.execute(sizes).fetchone()
    big = UUID(bytes=found)
    _time(f"outline of {size}", lambda: store.read_outline(big), 5)
    _time("window of 100", lambda: store.read_outline(big, offset=chance.randrange(size), limit=100))
    _time("statistics, roots, 24 h", lambda: store.run_statistics(page(since_us=newest - 24 * _HOUR)), 5)
    _time("groups by name, 24 h", lambda: store.group_runs(page(is_root=None, since_us=newest - 24 * _HOUR), "name"), 5)
    _time("project statistics", lambda: (store._totals._kept.clear(), store.project_statistics(projects[:1])), 5)
    _time("all projects' statistics", lambda: (store._totals._kept.clear(), store.project_statistics(projects)), 2)
    _time("threads, 24 h", lambda: store.find_threads(page(limit=20, since_us=newest - 24 * _HOUR)), 5)
    _time("threads", lambda: store.find_threads(page(limit=20)), 5)


def _whole(store: SqliteStore, trace_id: Any) -> Any:
    query = RunQuery(trace_id=trace_id, newest_first=False, fields=frozenset({"inputs", "outputs"}))
    return store.find_runs(query)


def main(path: Path, runs: int) -> None:
    if not path.exists():
        _fill(path, runs)
    store = SqliteStore.open(path)
    print(f"{'':28} {'median':>8} {'p95':>8} {'max':>8}")
    _measure(store)
    print(f"{resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.0f} MB at the most")
    store.close()


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 1_000_000)
