"""Door: the name of ``langchain_core.callbacks.streaming_stdout``."""

from callboard.handlers.streaming_stdout import StreamingStdOutCallbackHandler

__all__ = ["StreamingStdOutCallbackHandler"]
