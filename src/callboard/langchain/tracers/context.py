"""What stands for ``langchain_core.tracers.context`` once Callboard is installed.

Whether tracing is on, and what a tracer is made with, is asked of the ``langsmith`` SDK: its
`tracing_context`, its `configure` and its view of the environment hold for our tracer too.
"""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from typing import Any, Literal
from uuid import UUID

from langsmith import run_helpers
from langsmith import utils as sdk

from callboard.callbacks.base_manager import BaseCallbackManager, Callbacks
from callboard.callbacks.hooks import register_configure_hook, registered_hooks
from callboard.langchain.tracers.langchain import LangChainTracer
from callboard.langsmith.context import tracing_v2_callback_var, tracing_with
from callboard.tracing.context import collect_runs, run_collector_var

__all__ = [
    "_configure_hooks",
    "_get_trace_callbacks",
    "_get_tracer_kwargs",
    "_tracing_v2_is_enabled",
    "collect_runs",
    "register_configure_hook",
    "run_collector_var",
    "tracing_callback_var",
    "tracing_v2_callback_var",
    "tracing_v2_enabled",
]

tracing_callback_var: Any = None
"""LangChain's first tracing, which is gone; programs still import the name."""

_configure_hooks = registered_hooks()


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
        project_name: The project that the runs belong to; by what the SDK says if neither
            it nor an address is given.
        example_id: The dataset example that root runs are said to run.
        tags: Tags for every run.
        client: A ``langsmith.Client`` to send through.
        address: The agent to send runs to, instead of a project.

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
    with tracing_with(tracer):
        yield tracer


def _tracing_v2_is_enabled() -> bool | Literal["local"]:
    return tracing_v2_callback_var.get() is not None or sdk.tracing_is_enabled()


def _get_tracer_kwargs(
    project_name: str | None = None, *, address: Any | None = None
) -> dict[str, Any]:
    """Return what a tracer is to be made with, here.

    Where runs go is said by a project or an address, never by one of each: the first of the
    arguments, the run that surrounds us, and the SDK's context that says either, says it.
    """
    context = run_helpers.get_tracing_context()
    around = context["parent"]
    if project_name is None and address is None:
        if around is None:
            project_name, address = context["project_name"], context["address"]
        else:
            project_name, address = around.session_name, around.address
    return {
        "project_name": project_name,
        "address": address,
        "client": context["client"] if around is None else around.ls_client,
        "tags": context["tags"],
        "metadata": context["metadata"],
    }


def _get_trace_callbacks(
    project_name: str | None = None,
    example_id: str | UUID | None = None,
    callback_manager: BaseCallbackManager | None = None,
    *,
    address: Any | None = None,
) -> Callbacks:
    """Return a manager's callbacks with a tracer among them; None if tracing is off."""
    if not _tracing_v2_is_enabled():
        return None
    tracer = tracing_v2_callback_var.get() or LangChainTracer(
        example_id, **_get_tracer_kwargs(project_name, address=address)
    )
    if callback_manager is None:
        return [tracer]
    if not any(isinstance(handler, LangChainTracer) for handler in callback_manager.handlers):
        callback_manager.add_handler(tracer)
    return callback_manager
