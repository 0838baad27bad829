"""Door: the name of ``langchain_core.callbacks.file``."""

from callboard.handlers.file import FileCallbackHandler

__all__ = ["FileCallbackHandler"]
