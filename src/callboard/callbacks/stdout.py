"""Door: the name of ``langchain_core.callbacks.stdout``."""

from callboard.handlers.stdout import StdOutCallbackHandler

__all__ = ["StdOutCallbackHandler"]
