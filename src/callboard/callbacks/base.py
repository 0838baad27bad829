"""Door: the names of ``langchain_core.callbacks.base``."""

from callboard.callbacks.base_manager import BaseCallbackManager, Callbacks
from callboard.callbacks.handlers import AsyncCallbackHandler, BaseCallbackHandler
from callboard.callbacks.mixins import (
    CallbackManagerMixin,
    ChainManagerMixin,
    LLMManagerMixin,
    RetrieverManagerMixin,
    RunManagerMixin,
    ToolManagerMixin,
)

__all__ = [
    "AsyncCallbackHandler",
    "BaseCallbackHandler",
    "BaseCallbackManager",
    "CallbackManagerMixin",
    "Callbacks",
    "ChainManagerMixin",
    "LLMManagerMixin",
    "RetrieverManagerMixin",
    "RunManagerMixin",
    "ToolManagerMixin",
]
