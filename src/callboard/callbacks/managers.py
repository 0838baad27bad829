"""Callback managers: they know who listens, and start runs.

A start tells the handlers and returns the manager of the new run; what happens to the run
next is told through that. The sync and the async manager are twins of a few lines each, over
what their base does for both.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from callboard import events, ids
from callboard.callbacks.base_manager import BaseCallbackManager, Callbacks, new_run
from callboard.callbacks.checks import check_conversations, check_prompts
from callboard.callbacks.configuration import configure_function
from callboard.callbacks.dispatch import adeliver, emit, plan
from callboard.callbacks.runs import (
    AsyncCallbackManagerForChainRun,
    AsyncCallbackManagerForLLMRun,
    AsyncCallbackManagerForRetrieverRun,
    AsyncCallbackManagerForToolRun,
    BaseRunManager,
    CallbackManagerForChainRun,
    CallbackManagerForLLMRun,
    CallbackManagerForRetrieverRun,
    CallbackManagerForToolRun,
)
from callboard.callbacks.sending import CustomEvent, send_custom
from callboard.callbacks.starts import Start, atell, tell
from callboard.errors import BadEventError
from callboard.payloads import Payload

if TYPE_CHECKING:
    from uuid import UUID

    from callboard.callbacks.scope import Scope

__all__ = ["AsyncCallbackManager", "CallbackManager"]


def _custom_event(manager: Scope, run_id: UUID | None, kwargs: dict[str, Any]) -> CustomEvent:
    if kwargs:
        raise BadEventError(
            f"A custom event carries a name and data only, got {', '.join(kwargs)} besides; "
            "put it into the data."
        )
    known_id = ids.new_id() if run_id is None else run_id
    return CustomEvent(known_id, manager.tags.copy(), manager.metadata.copy())


class CallbackManager(BaseCallbackManager):
    """Starts runs from sync code."""

    def _tell(
        self,
        event: events.Event,
        subject: tuple[Any, Any],
        run: BaseRunManager,
        kwargs: dict[str, Any],
    ) -> None:
        tell(self.handlers, event, [(subject, run)], kwargs)

    def _tell_each(
        self,
        event: events.Event,
        serialized: dict[str, Any],
        runs: list[tuple[Any, CallbackManagerForLLMRun]],
        kwargs: dict[str, Any],
    ) -> list[CallbackManagerForLLMRun]:
        tell(self.handlers, event, [((serialized, [given]), run) for given, run in runs], kwargs)
        return [run for _, run in runs]

    def on_llm_start(
        self,
        serialized: dict[str, Any],
        prompts: list[str],
        run_id: UUID | None = None,
        **kwargs: Any,
    ) -> list[CallbackManagerForLLMRun]:
        """Start a text model's runs, one a prompt.

        Args:
            serialized: What the model is, as a dictionary.
            prompts: The prompts.
            run_id: The id of the first run; made, like the others, if not given.
            **kwargs: What else handlers are to be told.

        Returns:
            The managers of the runs, in the order of the prompts.

        Raises:
            BadInputError: The prompts are a lone string.
        """
        check_prompts(prompts)
        runs = self._each_started(CallbackManagerForLLMRun, prompts, run_id)
        return self._tell_each(events.LLM_START, serialized, runs, kwargs)

    def on_chat_model_start(
        self,
        serialized: dict[str, Any],
        messages: list[list[Payload]],
        run_id: UUID | None = None,
        **kwargs: Any,
    ) -> list[CallbackManagerForLLMRun]:
        """Start a chat model's runs, one a conversation.

        Args:
            serialized: What the model is, as a dictionary.
            messages: The conversations, each a list of messages.
            run_id: The id of the first run; made, like the others, if not given.
            **kwargs: What else handlers are to be told.

        Returns:
            The managers of the runs, in the order of the conversations.

        Raises:
            BadInputError: The conversations are the messages of one.
        """
        check_conversations(messages)
        runs = self._each_started(CallbackManagerForLLMRun, messages, run_id)
        return self._tell_each(events.CHAT_MODEL_START, serialized, runs, kwargs)

    def on_chain_start(
        self,
        serialized: dict[str, Any] | None,
        inputs: dict[str, Any] | Any,
        run_id: UUID | None = None,
        **kwargs: Any,
    ) -> CallbackManagerForChainRun:
        """Start a chain's run.

        Args:
            serialized: What the chain is, as a dictionary, if known.
            inputs: What it is given.
            run_id: The run's id; made if not given.
            **kwargs: What else handlers are to be told, such as ``name``.

        Returns:
            The manager of the run.
        """
        run = new_run(self, CallbackManagerForChainRun, run_id)
        self._tell(events.CHAIN_START, (serialized, inputs), run, kwargs)
        return run

    def on_tool_start(
        self,
        serialized: dict[str, Any] | None,
        input_str: str,
        run_id: UUID | None = None,
        parent_run_id: UUID | None = None,
        inputs: dict[str, Any] | None = None,
        **kwargs: Any,
    ) -> CallbackManagerForToolRun:
        """Start a tool's run.

        Args:
            serialized: What the tool is, as a dictionary, if known.
            input_str: Its input, as text.
            run_id: The run's id; made if not given.
            parent_run_id: Not used: the parent is the manager's. Taken for compatibility.
            inputs: Its input as it is, by argument name.
            **kwargs: What else handlers are to be told, such as ``name``.

        Returns:
            The manager of the run.
        """
        run = new_run(self, CallbackManagerForToolRun, run_id)
        kwargs["inputs"] = inputs
        self._tell(events.TOOL_START, (serialized, input_str), run, kwargs)
        return run

    def on_retriever_start(
        self,
        serialized: dict[str, Any] | None,
        query: str,
        run_id: UUID | None = None,
        parent_run_id: UUID | None = None,
        **kwargs: Any,
    ) -> CallbackManagerForRetrieverRun:
        """Start a retriever's run.

        Args:
            serialized: What the retriever is, as a dictionary, if known.
            query: What it is asked.
            run_id: The run's id; made if not given.
            parent_run_id: Not used: the parent is the manager's. Taken for compatibility.
            **kwargs: What else handlers are to be told, such as ``name``.

        Returns:
            The manager of the run.
        """
        run = new_run(self, CallbackManagerForRetrieverRun, run_id)
        self._tell(events.RETRIEVER_START, (serialized, query), run, kwargs)
        return run

    def on_custom_event(
        self, name: str, data: Any, run_id: UUID | None = None, **kwargs: Any
    ) -> None:
        """Send an event of the application's own: see `RunManagerMixin.on_custom_event`.

        Args:
            name: The event's name.
            data: Whatever goes with it.
            run_id: The run it belongs to; made if not given.
            **kwargs: Nothing is accepted here.

        Raises:
            BadEventError: Other keywords are given.
        """
        source = _custom_event(self, run_id, kwargs)
        emit(self.handlers, events.CUSTOM, send_custom, source, (name, data), kwargs)

    @classmethod
    def configure(
        cls,
        inheritable_callbacks: Callbacks = None,
        local_callbacks: Callbacks = None,
        verbose: bool = False,
        inheritable_tags: list[str] | None = None,
        local_tags: list[str] | None = None,
        inheritable_metadata: dict[str, Any] | None = None,
        local_metadata: dict[str, Any] | None = None,
        *,
        langsmith_inheritable_metadata: Mapping[str, Any] | None = None,
        langsmith_inheritable_tags: list[str] | None = None,
    ) -> CallbackManager:
        """Make the manager for a call, from all who have a say in who listens to it.

        Args:
            inheritable_callbacks: Who hears of the call and of what runs inside it.
            local_callbacks: Who hears of the call alone.
            verbose: Whether to print what happens, too.
            inheritable_tags: Tags of the call and of what runs inside it.
            local_tags: Tags of the call alone.
            inheritable_metadata: Metadata of the call and of what runs inside it.
            local_metadata: Metadata of the call alone.
            langsmith_inheritable_metadata: Metadata for LangSmith tracers alone, of the call
                and of what runs inside it, where they have no other value.
            langsmith_inheritable_tags: Tags for LangSmith tracers alone, likewise.

        Returns:
            A manager with these, and with what configure hooks and the environment add.

        Raises:
            BadCallbacksError: Callbacks are neither a list of handlers nor a manager.
            BadHandlerError: Something among them is no handler.
            BadTagsError: Tags are not a list of strings.
            BadMetadataError: Metadata is not a dictionary.
        """
        manager: CallbackManager = configure_function()(
            cls,
            inheritable_callbacks,
            local_callbacks,
            inheritable_tags,
            local_tags,
            inheritable_metadata,
            local_metadata,
            verbose=verbose,
            langsmith_inheritable_metadata=langsmith_inheritable_metadata,
            langsmith_inheritable_tags=langsmith_inheritable_tags,
        )
        return manager


class AsyncCallbackManager(BaseCallbackManager):
    """Starts runs from async code."""

    @property
    def is_async(self) -> bool:
        """Whether its methods are to be awaited."""
        return True

    async def _tell(
        self,
        event: events.Event,
        subject: tuple[Any, Any],
        run: BaseRunManager,
        kwargs: dict[str, Any],
    ) -> None:
        await atell(self.handlers, event, [(subject, run)], kwargs)

    async def _tell_each(
        self,
        event: events.Event,
        serialized: dict[str, Any],
        runs: list[tuple[Any, AsyncCallbackManagerForLLMRun]],
        kwargs: dict[str, Any],
    ) -> list[AsyncCallbackManagerForLLMRun]:
        starts: list[Start] = [((serialized, [given]), run) for given, run in runs]
        await atell(self.handlers, event, starts, kwargs)
        return [run for _, run in runs]

    async def on_llm_start(
        self,
        serialized: dict[str, Any],
        prompts: list[str],
        run_id: UUID | None = None,
        **kwargs: Any,
    ) -> list[AsyncCallbackManagerForLLMRun]:
        """Start a text model's runs: see `CallbackManager.on_llm_start`."""
        check_prompts(prompts)
        runs = self._each_started(AsyncCallbackManagerForLLMRun, prompts, run_id)
        return await self._tell_each(events.LLM_START, serialized, runs, kwargs)

    async def on_chat_model_start(
        self,
        serialized: dict[str, Any],
        messages: list[list[Payload]],
        run_id: UUID | None = None,
        **kwargs: Any,
    ) -> list[AsyncCallbackManagerForLLMRun]:
        """Start a chat model's runs: see `CallbackManager.on_chat_model_start`."""
        check_conversations(messages)
        runs = self._each_started(AsyncCallbackManagerForLLMRun, messages, run_id)
        return await self._tell_each(events.CHAT_MODEL_START, serialized, runs, kwargs)

    async def on_chain_start(
        self,
        serialized: dict[str, Any] | None,
        inputs: dict[str, Any] | Any,
        run_id: UUID | None = None,
        **kwargs: Any,
    ) -> AsyncCallbackManagerForChainRun:
        """Start a chain's run: see `CallbackManager.on_chain_start`."""
        run = new_run(self, AsyncCallbackManagerForChainRun, run_id)
        await self._tell(events.CHAIN_START, (serialized, inputs), run, kwargs)
        return run

    async def on_tool_start(
        self,
        serialized: dict[str, Any] | None,
        input_str: str,
        run_id: UUID | None = None,
        parent_run_id: UUID | None = None,
        **kwargs: Any,
    ) -> AsyncCallbackManagerForToolRun:
        """Start a tool's run: see `CallbackManager.on_tool_start`."""
        run = new_run(self, AsyncCallbackManagerForToolRun, run_id)
        await self._tell(events.TOOL_START, (serialized, input_str), run, kwargs)
        return run

    async def on_retriever_start(
        self,
        serialized: dict[str, Any] | None,
        query: str,
        run_id: UUID | None = None,
        parent_run_id: UUID | None = None,
        **kwargs: Any,
    ) -> AsyncCallbackManagerForRetrieverRun:
        """Start a retriever's run: see `CallbackManager.on_retriever_start`."""
        run = new_run(self, AsyncCallbackManagerForRetrieverRun, run_id)
        await self._tell(events.RETRIEVER_START, (serialized, query), run, kwargs)
        return run

    async def on_custom_event(
        self, name: str, data: Any, run_id: UUID | None = None, **kwargs: Any
    ) -> None:
        """Send an event of the application's own: see `CallbackManager.on_custom_event`."""
        source = _custom_event(self, run_id, kwargs)
        listeners = plan(self.handlers, events.CUSTOM, (name, data))
        await adeliver(listeners, events.CUSTOM, send_custom, source, kwargs)

    @classmethod
    def configure(
        cls,
        inheritable_callbacks: Callbacks = None,
        local_callbacks: Callbacks = None,
        verbose: bool = False,
        inheritable_tags: list[str] | None = None,
        local_tags: list[str] | None = None,
        inheritable_metadata: dict[str, Any] | None = None,
        local_metadata: dict[str, Any] | None = None,
        *,
        langsmith_inheritable_metadata: Mapping[str, Any] | None = None,
        langsmith_inheritable_tags: list[str] | None = None,
    ) -> AsyncCallbackManager:
        """Make the manager for a call: see `CallbackManager.configure`."""
        manager: AsyncCallbackManager = configure_function()(
            cls,
            inheritable_callbacks,
            local_callbacks,
            inheritable_tags,
            local_tags,
            inheritable_metadata,
            local_metadata,
            verbose=verbose,
            langsmith_inheritable_metadata=langsmith_inheritable_metadata,
            langsmith_inheritable_tags=langsmith_inheritable_tags,
        )
        return manager
