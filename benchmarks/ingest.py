"""The command ``python -m benchmarks.ingest``: how many runs our server takes a second.

What is compared is the CPU time of the server's process, for the time by the clock is that of the
machine's other work too. Beside it, in the same run, the same rows are inserted by SQLite alone,
and other servers are fed the same content, if they are installed
(``CALLBOARD_BENCH_PHOENIX=.../bin/phoenix``, ``CALLBOARD_BENCH_MLFLOW=.../bin/mlflow``).
"""

import json
import sys
import tempfile
import time
from argparse import ArgumentParser, Namespace
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.bare import insert
from benchmarks.boards import board, multipart_bodies
from benchmarks.otlp import otlp_bodies
from benchmarks.processes import Body, Process
from benchmarks.rivals import RIVALS, Rival
from benchmarks.traces import Made, made_runs

PROJECT = "bench"
OF_BARE = 0.45
TIMES = {"Arize Phoenix": 30.0, "MLflow": 6.0}
MOST_MEMORY = 300e6

LINE = "  {:<34}{:>14}{:>12}{:>12}  {}"


@dataclass(frozen=True)
class Load:
    """What a server did with a load.

    Attributes:
        cpu: Runs a second of its CPU time.
        clock: Runs a second by the clock.
        memory: Its memory at the most, in bytes.
    """

    cpu: float
    clock: float
    memory: int


def arguments() -> Namespace:
    """Read the command line."""
    parser = ArgumentParser(prog="python -m benchmarks.ingest", description="Measure ingest.")
    parser.add_argument("--runs", type=int, default=40_000, help="how many; 40,000")
    parser.add_argument("--strict", action="store_true", help="fail if a target is missed")
    return parser.parse_args()


def load_board(traces: list[list[Made]], folder: Path) -> Load:
    """Have our server take traces, and find all of their runs again."""
    bodies = list(multipart_bodies(traces, PROJECT))
    with board(folder / "callboard.db") as process:
        load = _measured(process, bodies, sum(map(len, traces)))
        _find_all(process, [run for trace in traces for run in trace])
        return load


def load_rival(rival: Rival, program: str, traces: list[list[Made]], folder: Path) -> Load:
    """Have another server take traces, and wait until it has kept all of their runs."""
    bodies = list(otlp_bodies(traces, rival.headers))
    count = sum(map(len, traces))
    with rival.start(program, folder) as process:
        return _measured(process, bodies, count, lambda: rival.await_spans(folder, count))


def _measured(
    process: Process, bodies: list[Body], count: int, until: Callable[[], object] = int
) -> Load:
    process.settle()  # What it does when it starts is not counted.
    cpu, clock = process.cpu_seconds(), time.perf_counter()
    process.post(bodies)
    until()
    cpu, clock = process.cpu_seconds() - cpu, time.perf_counter() - clock
    return Load(count / cpu, count / clock, process.peak_rss())


def _find_all(process: Process, runs: list[Made]) -> None:
    """Check that each run is there, and whole."""
    for at in range(0, len(runs), 500):
        some = {str(run.id): run for run in runs[at : at + 500]}
        select = ["dotted_order", "inputs", "outputs", "error", "end_time"]
        asked = json.dumps({"id": [*some], "limit": 500, "select": select}).encode()
        found = json.loads(process.ask("POST", "/runs/query", asked))["runs"]
        if len(found) != len(some):
            raise RuntimeError(f"{len(found)} of {len(some)} runs were found again.")
        for run in found:
            _check(run, some[run["id"]])


def _check(found: dict[str, Any], made: Made) -> None:
    outputs = json.loads(made.outputs) if made.outputs else {}
    same = found["inputs"] == json.loads(made.inputs) and (found["outputs"] or {}) == outputs
    if not same or found["dotted_order"] != made.dotted_order or found["end_time"] is None:
        raise RuntimeError(f"The run {made.id} is not as it was sent.")


def main() -> int:
    """Measure, and print; return the exit code."""
    given = arguments()
    traces = list(made_runs(given.runs))
    print(f"{given.runs:,} runs, ten a trace, 2 kB in and 1 kB out, creates and updates apart.\n")
    print(LINE.format("", "runs/CPU s", "runs/s", "MB", "").rstrip())
    with tempfile.TemporaryDirectory() as folder:
        bare = given.runs / insert((run for trace in traces for run in trace), Path(folder, "bare"))
        print(LINE.format("SQLite alone", f"{bare:,.0f}", "", "", "").rstrip(), flush=True)
        ours = load_board(traces, Path(folder))
    met = [ours.cpu >= OF_BARE * bare, ours.memory < MOST_MEMORY]
    said = (
        f"{ours.cpu / bare:.0%} of SQLite alone (target {OF_BARE:.0%}, {MOST_MEMORY / 1e6:.0f} MB)"
    )
    _print("Callboard", ours, said, all(met))
    met += [_beside(rival, traces, ours) for rival in RIVALS]
    return 1 if given.strict and not all(met) else 0


def _beside(rival: Rival, traces: list[list[Made]], ours: Load) -> bool:
    program = rival.command()
    if program is None:
        print(
            f"  {rival.name}: left out, for there is no program {rival.program!r}; name one "
            f"with {rival.variable}."
        )
        return True
    with tempfile.TemporaryDirectory() as folder:
        load = load_rival(rival, program, traces[: rival.runs // 10], Path(folder))
    times, target = ours.cpu / load.cpu, TIMES[rival.name]
    _print(rival.name, load, f"Callboard takes {times:.1f}x (target {target:g}x)", times >= target)
    return times >= target


def _print(name: str, load: Load, said: str, met: bool) -> None:
    told = (f"{load.cpu:,.0f}", f"{load.clock:,.0f}", f"{load.memory / 1e6:.0f}")
    print(LINE.format(name, *told, f"{said}: {'met' if met else 'MISSED'}"), flush=True)


if __name__ == "__main__":
    sys.exit(main())
