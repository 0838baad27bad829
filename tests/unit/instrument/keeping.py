"""A tracer that keeps traces, and the trees that it kept as text."""

from __future__ import annotations

from callboard.tracing.base import BaseTracer


class Kept(BaseTracer):
    """Keeps the root of each trace that ends, and all runs by name."""

    run_inline = True

    def __init__(self, schema_format="original+chat"):
        super().__init__(_schema_format=schema_format)
        self.traces = []
        self.runs = {}

    def _on_run_create(self, run):
        self.runs.setdefault(run.name, run)

    def _persist_run(self, run):
        self.traces.append(run)

    def texts(self):
        return [tree(run) for run in self.traces]


def tree(run, depth=0):
    """Write a tree of runs: a line a run, in order of start."""
    ending = "running" if run.end_time is None else "failed" if run.error else "ended"
    line = "  " * depth + f"{run.run_type} {run.name} {ending}"
    return "\n".join([line, *(tree(child, depth + 1) for child in run.child_runs)])
