"""Run managers: what a run in progress tells its handlers.

Each event is written once. What its method returns is a type parameter: None in sync code,
a coroutine in async code, so that type checkers see every signature in both colours and
notice a forgotten ``await``. The colours differ in `_emit` alone, and in the tokens, which
come so often that they are packed by hand.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Coroutine, Sequence
from typing import TYPE_CHECKING, Any, Generic, Self, TypeAlias, TypeVar

from callboard import events, ids
from callboard.callbacks.checks import check_keywords
from callboard.callbacks.dispatch import adeliver, emit, plan
from callboard.callbacks.handlers import BaseCallbackHandler
from callboard.callbacks.loops import shield_reported
from callboard.callbacks.mixins import (
    ChainManagerMixin,
    LLMManagerMixin,
    RetrieverManagerMixin,
    RunManagerMixin,
    ToolManagerMixin,
)
from callboard.callbacks.scope import Scope, twin_scope
from callboard.callbacks.sending import send_event, send_token, send_token_by_position
from callboard.payloads import Payload

if TYPE_CHECKING:
    from uuid import UUID

    from callboard.callbacks.managers import AsyncCallbackManager, CallbackManager

__all__ = [
    "AsyncCallbackManagerForChainRun",
    "AsyncCallbackManagerForLLMRun",
    "AsyncCallbackManagerForRetrieverRun",
    "AsyncCallbackManagerForToolRun",
    "AsyncParentRunManager",
    "AsyncRunManager",
    "BaseRunManager",
    "CallbackManagerForChainRun",
    "CallbackManagerForLLMRun",
    "CallbackManagerForRetrieverRun",
    "CallbackManagerForToolRun",
    "ParentRunManager",
    "RunManager",
]

R = TypeVar("R")
"""What sending an event returns: None, or a coroutine to await."""

Sent: TypeAlias = Coroutine[Any, Any, None]
Token: TypeAlias = str | list[str | dict[str, Any]]


class BaseRunManager(Scope, RunManagerMixin):
    """A run in progress: its id, and the scope whose handlers hear of it."""

    run_id: UUID

    def __init__(
        self,
        *,
        run_id: UUID,
        handlers: list[BaseCallbackHandler],
        inheritable_handlers: list[BaseCallbackHandler],
        parent_run_id: UUID | None = None,
        tags: list[str] | None = None,
        inheritable_tags: list[str] | None = None,
        metadata: dict[str, Any] | None = None,
        inheritable_metadata: dict[str, Any] | None = None,
    ) -> None:
        """Make the manager of a run. Callback managers do this when a run starts.

        Args:
            run_id: The run.
            handlers: Who hears of it.
            inheritable_handlers: Who hears of its children.
            parent_run_id: The run that it is part of, if any.
            tags: Its tags.
            inheritable_tags: Its children's.
            metadata: Its metadata.
            inheritable_metadata: Its children's.
        """
        self.run_id = run_id
        self.handlers = handlers
        self.inheritable_handlers = inheritable_handlers
        self.parent_run_id = parent_run_id
        self.tags = tags or []
        self.inheritable_tags = inheritable_tags or []
        self.metadata = metadata or {}
        self.inheritable_metadata = inheritable_metadata or {}

    @classmethod
    def get_noop_manager(cls) -> Self:
        """Return a manager that nobody hears, for code that requires one."""
        return cls(run_id=ids.new_id(), handlers=[], inheritable_handlers=[])


class _Emits(Generic[R]):
    """What can send an event; in which colour, its subclasses decide."""

    def _emit(self, event: events.Event, subject: Any, kwargs: dict[str, Any]) -> R:
        """Send an event about its subject: a result, an error, a text."""
        raise NotImplementedError


class _RunEvents(_Emits[R]):
    """The events of a run of any kind."""

    def on_text(self, text: str, **kwargs: Any) -> R:
        """Tell of a text: see `RunManagerMixin.on_text`."""
        return self._emit(events.TEXT, text, kwargs)

    def on_retry(self, retry_state: Payload, **kwargs: Any) -> R:
        """Tell that something will be tried again: see `RunManagerMixin.on_retry`."""
        return self._emit(events.RETRY, retry_state, kwargs)


class _LLMEvents(_Emits[R]):
    """The events of a model run, but for its tokens."""

    def on_llm_end(self, response: Payload, **kwargs: Any) -> R:
        """End the run with the model's answer: see `LLMManagerMixin.on_llm_end`."""
        return self._emit(events.LLM_END, response, kwargs)

    def on_llm_error(self, error: BaseException, **kwargs: Any) -> R:
        """End the run with an error: see `LLMManagerMixin.on_llm_error`."""
        return self._emit(events.LLM_ERROR, error, kwargs)

    def on_stream_event(self, event: Payload, **kwargs: Any) -> R:
        """Tell of a streaming protocol's event: see `LLMManagerMixin.on_stream_event`."""
        return self._emit(events.STREAM_EVENT, event, kwargs)


class _ChainEvents(_Emits[R]):
    """The events of a chain run."""

    def on_chain_end(self, outputs: dict[str, Any] | Any, **kwargs: Any) -> R:
        """End the run with its outputs: see `ChainManagerMixin.on_chain_end`."""
        return self._emit(events.CHAIN_END, outputs, kwargs)

    def on_chain_error(self, error: BaseException, **kwargs: Any) -> R:
        """End the run with an error: see `ChainManagerMixin.on_chain_error`."""
        return self._emit(events.CHAIN_ERROR, error, kwargs)

    def on_agent_action(self, action: Payload, **kwargs: Any) -> R:
        """Tell of an agent's next step: see `ChainManagerMixin.on_agent_action`."""
        return self._emit(events.AGENT_ACTION, action, kwargs)

    def on_agent_finish(self, finish: Payload, **kwargs: Any) -> R:
        """Tell what an agent ends with: see `ChainManagerMixin.on_agent_finish`."""
        return self._emit(events.AGENT_FINISH, finish, kwargs)


class _ToolEvents(_Emits[R]):
    """The events of a tool run."""

    def on_tool_end(self, output: Any, **kwargs: Any) -> R:
        """End the run with the tool's output: see `ToolManagerMixin.on_tool_end`."""
        return self._emit(events.TOOL_END, output, kwargs)

    def on_tool_error(self, error: BaseException, **kwargs: Any) -> R:
        """End the run with an error: see `ToolManagerMixin.on_tool_error`."""
        return self._emit(events.TOOL_ERROR, error, kwargs)


class _RetrieverEvents(_Emits[R]):
    """The events of a retriever run."""

    def on_retriever_end(self, documents: Sequence[Payload], **kwargs: Any) -> R:
        """End the run with what was found: see `RetrieverManagerMixin.on_retriever_end`."""
        return self._emit(events.RETRIEVER_END, documents, kwargs)

    def on_retriever_error(self, error: BaseException, **kwargs: Any) -> R:
        """End the run with an error: see `RetrieverManagerMixin.on_retriever_error`."""
        return self._emit(events.RETRIEVER_ERROR, error, kwargs)


class RunManager(_RunEvents[None], BaseRunManager):
    """A run in progress, in sync code."""

    def _emit(self, event: events.Event, subject: Any, kwargs: dict[str, Any]) -> None:
        if self.handlers:
            if kwargs:
                check_keywords(kwargs)
            emit(self.handlers, event, send_event, self, subject, kwargs)


class ParentRunManager(RunManager):
    """A run in progress that other runs can be part of, in sync code."""

    def get_child(self, tag: str | None = None) -> CallbackManager:
        """Return the callback manager for the runs that are part of this one.

        Args:
            tag: A tag for them, which their own children don't inherit.
        """
        # Here, for managers are made of runs.
        from callboard.callbacks.base_manager import manager_of_children  # noqa: PLC0415
        from callboard.callbacks.managers import CallbackManager  # noqa: PLC0415

        return manager_of_children(CallbackManager, self, tag)


class AsyncRunManager(_RunEvents[Sent], BaseRunManager, ABC):
    """A run in progress, in async code."""

    @abstractmethod
    def get_sync(self) -> RunManager:
        """Return the manager of the same run for sync code."""

    def _emit(self, event: events.Event, subject: Any, kwargs: dict[str, Any]) -> Sent:
        if kwargs:
            check_keywords(kwargs)
        if self.handlers and (listeners := plan(self.handlers, event, subject)):
            if event.closes:
                return shield_reported(adeliver, listeners, event, send_event, self, kwargs)
            return adeliver(listeners, event, send_event, self, kwargs)
        return _nothing()


async def _nothing() -> None:
    """Await this where nobody listens."""


class AsyncParentRunManager(AsyncRunManager):
    """A run in progress that other runs can be part of, in async code."""

    def get_child(self, tag: str | None = None) -> AsyncCallbackManager:
        """Return the callback manager for the runs that are part of this one.

        Args:
            tag: A tag for them, which their own children don't inherit.
        """
        # Here, for managers are made of runs.
        from callboard.callbacks.base_manager import manager_of_children  # noqa: PLC0415
        from callboard.callbacks.managers import AsyncCallbackManager  # noqa: PLC0415

        return manager_of_children(AsyncCallbackManager, self, tag)


class CallbackManagerForLLMRun(_LLMEvents[None], RunManager, LLMManagerMixin):
    """A model run in progress, in sync code."""

    def on_llm_new_token(
        self, token: Token, *, chunk: Payload | None = None, **kwargs: Any
    ) -> None:
        """Tell of a piece of the answer: see `LLMManagerMixin.on_llm_new_token`."""
        if self.handlers:
            if kwargs:
                check_keywords(kwargs)
            subject = (token, chunk)
            emit(self.handlers, events.LLM_NEW_TOKEN, send_token, self, subject, kwargs)


class AsyncCallbackManagerForLLMRun(_LLMEvents[Sent], AsyncRunManager, LLMManagerMixin):
    """A model run in progress, in async code."""

    async def on_llm_new_token(
        self, token: Token, *, chunk: Payload | None = None, **kwargs: Any
    ) -> None:
        """Tell of a piece of the answer: see `LLMManagerMixin.on_llm_new_token`."""
        if kwargs:
            check_keywords(kwargs)
        event = events.LLM_NEW_TOKEN
        if self.handlers and (listeners := plan(self.handlers, event, (token, chunk))):
            await adeliver(listeners, event, send_token_by_position, self, kwargs)

    def get_sync(self) -> CallbackManagerForLLMRun:
        """Return the manager of the same run for sync code."""
        return twin_scope(self, CallbackManagerForLLMRun)


class CallbackManagerForChainRun(_ChainEvents[None], ParentRunManager, ChainManagerMixin):
    """A chain run in progress, in sync code."""


class AsyncCallbackManagerForChainRun(_ChainEvents[Sent], AsyncParentRunManager, ChainManagerMixin):
    """A chain run in progress, in async code."""

    def get_sync(self) -> CallbackManagerForChainRun:
        """Return the manager of the same run for sync code."""
        return twin_scope(self, CallbackManagerForChainRun)


class CallbackManagerForToolRun(_ToolEvents[None], ParentRunManager, ToolManagerMixin):
    """A tool run in progress, in sync code."""


class AsyncCallbackManagerForToolRun(_ToolEvents[Sent], AsyncParentRunManager, ToolManagerMixin):
    """A tool run in progress, in async code."""

    def get_sync(self) -> CallbackManagerForToolRun:
        """Return the manager of the same run for sync code."""
        return twin_scope(self, CallbackManagerForToolRun)


class CallbackManagerForRetrieverRun(
    _RetrieverEvents[None], ParentRunManager, RetrieverManagerMixin
):
    """A retriever run in progress, in sync code."""


class AsyncCallbackManagerForRetrieverRun(
    _RetrieverEvents[Sent], AsyncParentRunManager, RetrieverManagerMixin
):
    """A retriever run in progress, in async code."""

    def get_sync(self) -> CallbackManagerForRetrieverRun:
        """Return the manager of the same run for sync code."""
        return twin_scope(self, CallbackManagerForRetrieverRun)
