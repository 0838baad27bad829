"""Tracing to LangSmith for the length of a block."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from typing import Any
from uuid import UUID

from callboard.callbacks.surroundings import surround_with_tracing
from callboard.langsmith.tracer import LangChainTracer

__all__ = ["tracing_v2_callback_var", "tracing_v2_enabled", "tracing_with"]

tracing_v2_callback_var: ContextVar[LangChainTracer | None] = ContextVar(
    "tracing_callback_v2", default=None
)


@contextmanager
def tracing_v2_enabled(
    project_name: str | None = None,
    *,
    example_id: str | UUID | None = None,
    tags: list[str] | None = None,
    client: Any | None = None,
    address: Any | None = None,
) -> Generator[LangChainTracer]:
    """Trace what is called in a block, whatever the environment says.

    Args:
        project_name: The project that the runs belong to.
        example_id: The dataset example that root runs are said to run.
        tags: Tags for every run.
        client: A ``langsmith.Client`` to send through, instead of our own exporter.
        address: Not sent yet: runs go to the project. Taken for compatibility.

    Yields:
        The tracer; after a call in the block, its ``get_run_url()`` tells where the trace is.
    """
    tracer = LangChainTracer(
        example_id=example_id,
        project_name=project_name,
        tags=tags,
        client=client,
        address=address,
    )
    surround_with_tracing()
    with tracing_with(tracer):
        yield tracer


@contextmanager
def tracing_with(tracer: LangChainTracer) -> Generator[None]:
    """Have what is called in a block traced by a tracer.

    Args:
        tracer: The tracer.
    """
    token = tracing_v2_callback_var.set(tracer)
    try:
        yield
    finally:
        # A generator that is abandoned, or closed by another task, ends in another context
        # than it began in; there the variable was never set.
        with suppress(ValueError):
            tracing_v2_callback_var.reset(token)
