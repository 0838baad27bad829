"""Door: what stands for the package ``langchain_core.tracers`` once Callboard is installed.

It announces the original's names and no others. They are looked up in the modules that stand
for the original's, whoever's those are.
"""

# The names are there when they are asked for, which pyright can't see.
# pyright: reportUnsupportedDunderAll=false

from importlib import import_module

_HOMES = {
    "BaseTracer": "base",
    "ConsoleCallbackHandler": "stdout",
    "EvaluatorCallbackHandler": "evaluation",
    "LangChainTracer": "langchain",
    "LogStreamCallbackHandler": "log_stream",
    "Run": "schemas",
    "RunLog": "log_stream",
    "RunLogPatch": "log_stream",
}

__all__ = [
    "BaseTracer",
    "ConsoleCallbackHandler",
    "EvaluatorCallbackHandler",
    "LangChainTracer",
    "LogStreamCallbackHandler",
    "Run",
    "RunLog",
    "RunLogPatch",
]


def __getattr__(name: str) -> object:
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module 'langchain_core.tracers' has no attribute {name!r}")
    value = getattr(import_module(f"langchain_core.tracers.{home}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return list(__all__)
