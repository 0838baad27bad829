"""What tracers of both colours do: every event, written once.

Each event's method has its run made, completed or failed by a step (`callboard.tracing.steps`),
then begins, tells of or finishes it. How hooks are called, at once or awaited, is the colour's
affair (`callboard.tracing.base`).
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from functools import partial
from typing import Any, Generic, TypeVar
from uuid import UUID

from callboard.payloads import Payload
from callboard.tracing.run import Run
from callboard.tracing.steps import Steps

__all__ = ["TracerCore"]

R = TypeVar("R")
"""What telling of a run returns: the run, or a coroutine that does."""


class TracerCore(Steps, ABC, Generic[R]):
    """Records runs, and tells its hooks (`_on_...`) of them."""

    log_missing_parent: bool = True
    """Kept for subclasses that set it: a run whose parent is unknown is a root, silently."""

    # What the colours do.

    @abstractmethod
    def _persist_run(self, run: Run) -> Any:
        """Keep a trace that has ended."""

    def _begin_run(self, run: Run, hook: str) -> R:
        """Place a run that starts, and call the hooks of its start."""
        raise NotImplementedError

    def _tell_hook(self, run: Run, hook: str, *args: Any) -> R:
        """Call a hook of a run that goes on."""
        raise NotImplementedError

    def _finish_run(self, run: Run, hook: str) -> R:
        """Call the hooks of a run that has ended, and let go of it."""
        raise NotImplementedError

    # Starts.

    def on_llm_start(
        self, serialized: dict[str, Any], prompts: list[str], *, run_id: UUID, **kwargs: Any
    ) -> R:
        """Record the start of a text model."""
        run = self._create_llm_run(serialized, prompts, run_id, **kwargs)
        return self._begin_run(run, "_on_llm_start")

    def on_chat_model_start(
        self,
        serialized: dict[str, Any],
        messages: list[list[Payload]],
        *,
        run_id: UUID,
        **kwargs: Any,
    ) -> R:
        """Record the start of a chat model.

        Raises:
            NotImplementedError: In the original format, which knows text models only: the
                manager then tells of a text model's start, with the messages as text.
        """
        run = self._create_chat_model_run(serialized, messages, run_id, **kwargs)
        return self._begin_run(run, "_on_chat_model_start")

    def on_chain_start(
        self,
        serialized: dict[str, Any],
        inputs: dict[str, Any],
        *,
        run_id: UUID,
        tags: list[str] | None = None,
        parent_run_id: UUID | None = None,
        metadata: dict[str, Any] | None = None,
        run_type: str | None = None,
        name: str | None = None,
        **kwargs: Any,
    ) -> R:
        """Record the start of a chain."""
        create = self._create_chain_run
        # To pass on keywords takes long, and as a rule there are none.
        if kwargs:
            create = partial(create, **kwargs)
        run = create(serialized, inputs, run_id, tags, parent_run_id, metadata, run_type, name)
        return self._begin_run(run, "_on_chain_start")

    def on_tool_start(
        self,
        serialized: dict[str, Any],
        input_str: str,
        *,
        run_id: UUID,
        inputs: dict[str, Any] | None = None,
        **kwargs: Any,
    ) -> R:
        """Record the start of a tool."""
        run = self._create_tool_run(serialized, input_str, run_id, inputs=inputs, **kwargs)
        return self._begin_run(run, "_on_tool_start")

    def on_retriever_start(
        self, serialized: dict[str, Any], query: str, *, run_id: UUID, **kwargs: Any
    ) -> R:
        """Record the start of a retriever."""
        run = self._create_retrieval_run(serialized, query, run_id, **kwargs)
        return self._begin_run(run, "_on_retriever_start")

    # Meanwhile.

    def on_llm_new_token(
        self,
        token: str | list[str | dict[str, Any]],
        *,
        chunk: Payload | None = None,
        run_id: UUID,
        **kwargs: Any,
    ) -> R:
        """Record a token."""
        run = self._llm_run_with_token_event(token, run_id, chunk)
        return self._tell_hook(run, "_on_llm_new_token", token, chunk)

    def on_retry(self, retry_state: Payload, *, run_id: UUID, **kwargs: Any) -> R:
        """Record that something is tried again."""
        run = self._llm_run_with_retry_event(retry_state, run_id)
        return self._tell_hook(run, "_on_retry")

    # Ends.

    def on_llm_end(self, response: Payload, *, run_id: UUID, **kwargs: Any) -> R:
        """Record that a model, of either kind, has answered."""
        run = self._complete_llm_run(response, run_id)
        return self._finish_run(self._with_told(run, kwargs), "_on_llm_end")

    def on_llm_error(self, error: BaseException, *, run_id: UUID, **kwargs: Any) -> R:
        """Record that a model has failed, and what it had answered by then."""
        run = self._errored_llm_run(error, run_id, kwargs.get("response"))
        return self._finish_run(self._with_told(run, kwargs), "_on_llm_error")

    def on_chain_end(
        self,
        outputs: dict[str, Any],
        *,
        run_id: UUID,
        inputs: dict[str, Any] | None = None,
        parent_run_id: UUID | None = None,
        tags: list[str] | None = None,
        **kwargs: Any,
    ) -> R:
        """Record that a chain has ended, and its inputs if they are known only now."""
        run = self._complete_chain_run(outputs, run_id, inputs)
        if kwargs:
            self._with_told(run, kwargs)
        return self._finish_run(run, "_on_chain_end")

    def on_chain_error(
        self,
        error: BaseException,
        *,
        inputs: dict[str, Any] | None = None,
        run_id: UUID,
        **kwargs: Any,
    ) -> R:
        """Record that a chain has failed, and its inputs if they are known only now."""
        run = self._errored_chain_run(error, inputs, run_id)
        return self._finish_run(self._with_told(run, kwargs), "_on_chain_error")

    def on_tool_end(self, output: Any, *, run_id: UUID, **kwargs: Any) -> R:
        """Record that a tool has returned."""
        run = self._complete_tool_run(output, run_id)
        return self._finish_run(self._with_told(run, kwargs), "_on_tool_end")

    def on_tool_error(self, error: BaseException, *, run_id: UUID, **kwargs: Any) -> R:
        """Record that a tool has failed."""
        run = self._errored_tool_run(error, run_id)
        return self._finish_run(self._with_told(run, kwargs), "_on_tool_error")

    def on_retriever_end(self, documents: Sequence[Payload], *, run_id: UUID, **kwargs: Any) -> R:
        """Record what a retriever has found."""
        run = self._complete_retrieval_run(documents, run_id)
        return self._finish_run(self._with_told(run, kwargs), "_on_retriever_end")

    def on_retriever_error(self, error: BaseException, *, run_id: UUID, **kwargs: Any) -> R:
        """Record that a retriever has failed."""
        run = self._errored_retrieval_run(error, run_id)
        return self._finish_run(self._with_told(run, kwargs), "_on_retriever_error")
