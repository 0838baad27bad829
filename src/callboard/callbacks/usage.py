"""Door: the names of ``langchain_core.callbacks.usage``."""

from callboard.handlers.usage import UsageMetadataCallbackHandler, get_usage_metadata_callback

__all__ = ["UsageMetadataCallbackHandler", "get_usage_metadata_callback"]
