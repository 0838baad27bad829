"""Door: the names of ``langchain_core.callbacks.manager``, and what its users take besides."""

from typing import Any

from callboard.callbacks.base_manager import BaseCallbackManager, Callbacks
from callboard.callbacks.configuration import configured
from callboard.callbacks.custom import adispatch_custom_event, dispatch_custom_event
from callboard.callbacks.dispatch import ahandle_event, handle_event, shielded
from callboard.callbacks.groups import (
    AsyncCallbackManagerForChainGroup,
    CallbackManagerForChainGroup,
    atrace_as_chain_group,
    trace_as_chain_group,
)
from callboard.callbacks.handlers import BaseCallbackHandler
from callboard.callbacks.managers import AsyncCallbackManager, CallbackManager
from callboard.callbacks.mixins import (
    ChainManagerMixin,
    LLMManagerMixin,
    RetrieverManagerMixin,
    RunManagerMixin,
    ToolManagerMixin,
)
from callboard.callbacks.runs import (
    AsyncCallbackManagerForChainRun,
    AsyncCallbackManagerForLLMRun,
    AsyncCallbackManagerForRetrieverRun,
    AsyncCallbackManagerForToolRun,
    AsyncParentRunManager,
    AsyncRunManager,
    BaseRunManager,
    CallbackManagerForChainRun,
    CallbackManagerForLLMRun,
    CallbackManagerForRetrieverRun,
    CallbackManagerForToolRun,
    ParentRunManager,
    RunManager,
)
from callboard.callbacks.stdout import StdOutCallbackHandler
from callboard.callbacks.surroundings import surroundings

__all__ = [
    "AsyncCallbackManager",
    "AsyncCallbackManagerForChainGroup",
    "AsyncCallbackManagerForChainRun",
    "AsyncCallbackManagerForLLMRun",
    "AsyncCallbackManagerForRetrieverRun",
    "AsyncCallbackManagerForToolRun",
    "AsyncParentRunManager",
    "AsyncRunManager",
    "BaseCallbackHandler",
    "BaseCallbackManager",
    "BaseRunManager",
    "CallbackManager",
    "CallbackManagerForChainGroup",
    "CallbackManagerForChainRun",
    "CallbackManagerForLLMRun",
    "CallbackManagerForRetrieverRun",
    "CallbackManagerForToolRun",
    "Callbacks",
    "ChainManagerMixin",
    "LLMManagerMixin",
    "ParentRunManager",
    "RetrieverManagerMixin",
    "RunManager",
    "RunManagerMixin",
    "StdOutCallbackHandler",
    "ToolManagerMixin",
    "adispatch_custom_event",
    "ahandle_event",
    "atrace_as_chain_group",
    "dispatch_custom_event",
    "handle_event",
    "shielded",
    "trace_as_chain_group",
]


# Private upstream, but replaced from outside, by instrumentation such as Sentry's.
_configure = configured


async def _ahandle_event_for_handler(  # pyright: ignore[reportUnusedFunction]
    handler: BaseCallbackHandler,
    event_name: str,
    ignore_condition_name: str | None,
    *args: Any,
    **kwargs: Any,
) -> None:
    """Send an event to one handler. Private upstream, but used from outside."""
    await ahandle_event([handler], event_name, ignore_condition_name, *args, **kwargs)


def _get_debug() -> bool:  # pyright: ignore[reportUnusedFunction]
    """Whether every event is printed anyway. Private upstream, but used from outside."""
    return surroundings().debugging()
