"""Runs as the langsmith SDK reads them back, as text that can be compared with what was done."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Generator, Iterable
from contextlib import asynccontextmanager, contextmanager
from uuid import UUID

from langsmith import Client
from langsmith._client import AsyncLangsmith
from langsmith.schemas import Run


@contextmanager
def client_of(url: str, **options: object) -> Generator[Client]:
    """Yield a client of a server, which sends in the background as an application's does."""
    client = Client(api_url=url, api_key="any", **options)
    try:
        yield client
    finally:
        client.cleanup()


@asynccontextmanager
async def second_api(url: str) -> AsyncGenerator[AsyncLangsmith]:
    """Yield what `client.runs` and the like of a client are of, and close it in the same loop."""
    with client_of(url, auto_batch_tracing=False) as client:
        async with client._get_langsmith_api() as api:
            yield api


def runs_of(client: Client, project: str) -> dict[str, Run]:
    """Return the runs of a project by name, once all that was sent has arrived."""
    client.flush()
    return {run.name: run for run in client.list_runs(project_name=project)}


def tree_of(runs: Iterable[Run], line: Callable[[Run], str] = lambda run: run.name) -> str:
    """Return the trees that runs are, a line each, children under their parents."""
    ordered = sorted(runs, key=lambda run: run.dotted_order)
    depths: dict[UUID | None, int] = {None: -1}
    lines = []
    for run in ordered:
        depths[run.id] = depths[run.parent_run_id] + 1
        lines.append("  " * depths[run.id] + line(run))
    return "\n".join(lines)
