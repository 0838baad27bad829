"""Door: the tracer of ``langchain_core.tracers.langchain``, and what stands around it there."""

from importlib import import_module

from callboard.langsmith.defaults import (
    NEAREST_WINS as OVERRIDABLE_LANGSMITH_INHERITABLE_METADATA_KEYS,
)
from callboard.langsmith.tracer import LangChainTracer

__all__ = ["OVERRIDABLE_LANGSMITH_INHERITABLE_METADATA_KEYS", "LangChainTracer"]

# What asks the SDK, or LangChain.
_IN_LANGCHAIN = frozenset(
    {
        "_get_executor",
        "_get_usage_metadata_from_generations",
        "_get_usage_metadata_from_message",
        "_patch_missing_metadata",
        "get_client",
        "log_error_once",
        "wait_for_all_tracers",
    }
)


def __getattr__(name: str) -> object:
    if name in _IN_LANGCHAIN:
        return getattr(import_module("callboard.langchain.tracers.langchain"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
