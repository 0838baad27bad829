"""What a handler is: a class with the events it may override, all of them no-ops.

Override the events you want to hear (they are documented on their mixins); those you leave
alone cost nothing, for dispatch knows the no-ops.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Coroutine
from functools import wraps
from typing import TYPE_CHECKING, Any

from callboard.callbacks.mixins import (
    CallbackManagerMixin,
    ChainManagerMixin,
    LLMManagerMixin,
    RetrieverManagerMixin,
    RunManagerMixin,
    ToolManagerMixin,
)
from callboard.events import EVENTS, RETRY

__all__ = ["AsyncCallbackHandler", "BaseCallbackHandler"]


class BaseCallbackHandler(
    LLMManagerMixin,
    ChainManagerMixin,
    ToolManagerMixin,
    RetrieverManagerMixin,
    CallbackManagerMixin,
    RunManagerMixin,
):
    """A handler: override the events that you want to hear.

    Its methods may be sync or async, whatever the application is. Async code calls sync
    methods in a thread, so that they can't block its event loop, unless `run_inline` is set.
    """

    raise_error: bool = False
    """Whether an exception in this handler is raised into the application, not just logged."""

    run_inline: bool = False
    """Whether async code calls this handler directly: in the caller's own task, before the
    others and in their order, so that it sees and may set the caller's context variables."""

    # To type checkers the flags are properties, so that subclasses may define them as such.
    # In fact they are plain attributes: quicker to read, which is done for every event, and
    # a handler may also just set its own, as in ``self.ignore_llm = True``.
    if TYPE_CHECKING:

        @property
        def ignore_llm(self) -> bool:
            """Whether not to hear models: text model starts, tokens, ends and errors."""
            return False

        @property
        def ignore_retry(self) -> bool:
            """Whether not to hear retries."""
            return False

        @property
        def ignore_chain(self) -> bool:
            """Whether not to hear chains."""
            return False

        @property
        def ignore_agent(self) -> bool:
            """Whether not to hear agents and tools."""
            return False

        @property
        def ignore_retriever(self) -> bool:
            """Whether not to hear retrievers."""
            return False

        @property
        def ignore_chat_model(self) -> bool:
            """Whether not to hear the starts of chat models."""
            return False

        @property
        def ignore_custom_event(self) -> bool:
            """Whether not to hear custom events."""
            return False

    else:
        ignore_llm = False
        ignore_retry = False
        ignore_chain = False
        ignore_agent = False
        ignore_retriever = False
        ignore_chat_model = False
        ignore_custom_event = False


class AsyncCallbackHandler(BaseCallbackHandler):
    """A handler all of whose methods are coroutines."""

    # The methods are made from the table below the class; their signatures are the mixins'.


def _async_twin(heard: Callable[..., Any]) -> Callable[..., Coroutine[Any, Any, Any]]:
    """Make the async no-op of an event, with its documentation and all its keywords."""

    @wraps(heard)
    async def twin(self: object, *args: Any, **kwargs: Any) -> None:
        heard(self, *args, **kwargs)

    signature = inspect.signature(heard)
    # Upstream's async signatures name the tags that the sync ones leave to **kwargs, but for
    # retries; ours are the same to the letter.
    if "tags" not in signature.parameters and heard.__name__ != RETRY.name:
        *named, rest = signature.parameters.values()
        tags = inspect.Parameter(
            "tags", inspect.Parameter.KEYWORD_ONLY, default=None, annotation="list[str] | None"
        )
        signature = signature.replace(parameters=[*named, tags, rest])
    # What inspect, and so every editor and test, reads instead of (*args, **kwargs).
    vars(twin)["__signature__"] = signature
    return twin


for _name in EVENTS:
    _twin = _async_twin(getattr(BaseCallbackHandler, _name))
    _twin.__qualname__ = f"{AsyncCallbackHandler.__name__}.{_name}"
    setattr(AsyncCallbackHandler, _name, _twin)
