"""Tracers: handlers that record runs as trees.

Door: names of ``langchain_core.tracers``. They are loaded when they are first used.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from callboard.tracers.base import AsyncBaseTracer, BaseTracer
    from callboard.tracers.evaluation import EvaluatorCallbackHandler
    from callboard.tracers.langchain import LangChainTracer
    from callboard.tracers.log_stream import LogStreamCallbackHandler, RunLog, RunLogPatch
    from callboard.tracers.run_collector import RunCollectorCallbackHandler
    from callboard.tracers.schemas import Run
    from callboard.tracers.stdout import ConsoleCallbackHandler

__all__ = [
    "AsyncBaseTracer",
    "BaseTracer",
    "ConsoleCallbackHandler",
    "EvaluatorCallbackHandler",
    "LangChainTracer",
    "LogStreamCallbackHandler",
    "Run",
    "RunCollectorCallbackHandler",
    "RunLog",
    "RunLogPatch",
]

_HOMES = {
    "AsyncBaseTracer": "base",
    "BaseTracer": "base",
    "ConsoleCallbackHandler": "stdout",
    "EvaluatorCallbackHandler": "evaluation",
    "LangChainTracer": "langchain",
    "LogStreamCallbackHandler": "log_stream",
    "Run": "schemas",
    "RunCollectorCallbackHandler": "run_collector",
    "RunLog": "log_stream",
    "RunLogPatch": "log_stream",
}


def __getattr__(name: str) -> object:
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(f"{__name__}.{home}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
