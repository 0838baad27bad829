"""Callboard: callbacks and tracing for LLM applications, and the board they are read on."""

from typing import TYPE_CHECKING

from callboard.environment import reload_environment

if TYPE_CHECKING:
    from callboard.instrument import trace, traceable

__all__ = ["__version__", "reload_environment", "trace", "traceable"]

__version__ = "0.1.0"


def __getattr__(name: str) -> object:
    if name not in ("trace", "traceable"):
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from callboard import instrument  # noqa: PLC0415 - loaded when it is first used

    value: object = getattr(instrument, name)
    globals()[name] = value
    return value
