"""Instrument: functions and blocks of your own as runs, heard and traced as any other.

Door: names are loaded when they are first used.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from callboard.instrument.asgi import TracingMiddleware
    from callboard.instrument.block import trace
    from callboard.instrument.context import (
        get_current_run_tree,
        get_tracing_context,
        tracing_context,
    )
    from callboard.instrument.decorator import is_traceable_function, traceable
    from callboard.instrument.run_tree import RunTree
    from callboard.instrument.settings import LangSmithExtra
    from callboard.instrument.threads import ContextThreadPoolExecutor

# Where each name is. Type checkers want the same names spelt out above and in __all__; a test
# holds that the three agree.
_HOMES = {
    "ContextThreadPoolExecutor": "threads",
    "LangSmithExtra": "settings",
    "RunTree": "run_tree",
    "TracingMiddleware": "asgi",
    "get_current_run_tree": "context",
    "get_tracing_context": "context",
    "is_traceable_function": "decorator",
    "trace": "block",
    "traceable": "decorator",
    "tracing_context": "context",
}

__all__ = [
    "ContextThreadPoolExecutor",
    "LangSmithExtra",
    "RunTree",
    "TracingMiddleware",
    "get_current_run_tree",
    "get_tracing_context",
    "is_traceable_function",
    "trace",
    "traceable",
    "tracing_context",
]


def __getattr__(name: str) -> object:
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(f"{__name__}.{home}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
