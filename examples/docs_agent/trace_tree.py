"""Traces, read back through the LangSmith SDK as any client would, and shown as trees."""

from collections.abc import Iterator
from typing import Any

from langsmith import Client, Langsmith
from langsmith.types import Run

COLUMNS: list[Any] = [
    "ID",
    "NAME",
    "RUN_TYPE",
    "START_TIME",
    "LATENCY_SECONDS",
    "FIRST_TOKEN_TIME",
    "TOTAL_TOKENS",
    "ERROR_PREVIEW",
    "PARENT_RUN_IDS",
    "DOTTED_ORDER",
]


def thread_lines(url: str, project: str, thread_id: str, *, whole: bool) -> Iterator[str]:
    """Yield the traces of a thread as lines, the oldest first, each below its own URL.

    Args:
        url: The server's.
        project: The project's name.
        thread_id: The thread.
        whole: Whether to show the framework's own steps, too.
    """
    project_id = str(Client(url, api_key="any").read_project(project_name=project).id)
    # The SDK has two clients; of the newer queries, the generated one has those that wait.
    with Langsmith(base_url=url, api_key="any") as client:
        traces = client.threads.list_traces(thread_id, project_id=project_id, selects=["TRACE_ID"])
        for trace_id in reversed([trace.trace_id for trace in traces]):
            place: Any = {"project_id": project_id, "trace_id": trace_id}
            yield client.runs.get_url(trace_id, **place).url
            yield from tree_lines(client.traces.list_runs(**place, selects=COLUMNS).items, whole)


def tree_lines(runs: list[Run], whole: bool) -> Iterator[str]:
    """Yield a trace's runs, each below the one that it is part of."""
    shown = [run for run in runs if whole or is_signal(run)]
    ids = {run.id for run in shown}
    for run in sorted(shown, key=lambda run: run.dotted_order):
        depth = sum(parent in ids for parent in run.parent_run_ids)
        hidden = len(runs) - len(shown) if depth == 0 else 0
        yield line_of(run, depth, hidden)


def is_signal(run: Run) -> bool:
    """Whether a run is more than a step of the framework's own."""
    return run.run_type.lower() != "chain" or not run.parent_run_ids


def line_of(run: Run, depth: int, hidden: int) -> str:
    told = [f"  {'  ' * depth + run.name:20} {run.run_type.lower():9} {run.latency_seconds:6.3f} s"]
    if run.first_token_time:
        told.append(f"first token {(run.first_token_time - run.start_time).total_seconds():.3f} s")
    if run.total_tokens:
        told.append(f"{run.total_tokens} tokens")
    if run.error_preview:
        told.append(f"failed: {run.error_preview.partition('Traceback')[0].strip()}")
    if hidden:
        told.append(f"{hidden} steps hidden")
    return "  ".join(told)
