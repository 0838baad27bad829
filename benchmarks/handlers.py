"""What the handlers do: nothing, so that what is measured is the way to them.

The methods are written once, here; each library gets them below its own base class. Called
without a library they are the ceiling: no dispatch can be faster than its handlers.
"""

from typing import Any
from uuid import UUID

__all__ = ["Hears", "HearsAsync", "HearsPrompts"]

Labels = dict[str, Any] | None
Tags = list[str] | None


class Hears:
    """Hears every event that is measured."""

    def on_llm_new_token(
        self,
        token: str,
        *,
        chunk: Any = None,
        run_id: UUID,
        parent_run_id: UUID | None = None,
        tags: Tags = None,
        **kwargs: Any,
    ) -> None:
        pass

    def on_chat_model_start(
        self,
        serialized: Labels,
        messages: list[list[Any]],
        *,
        run_id: UUID,
        parent_run_id: UUID | None = None,
        tags: Tags = None,
        metadata: Labels = None,
        **kwargs: Any,
    ) -> None:
        pass

    def on_chain_start(
        self,
        serialized: Labels,
        inputs: Any,
        *,
        run_id: UUID,
        parent_run_id: UUID | None = None,
        tags: Tags = None,
        metadata: Labels = None,
        **kwargs: Any,
    ) -> None:
        pass

    def on_chain_end(
        self,
        outputs: Any,
        *,
        run_id: UUID,
        parent_run_id: UUID | None = None,
        tags: Tags = None,
        **kwargs: Any,
    ) -> None:
        pass


class HearsAsync:
    """Hears every event that is measured in async code, with coroutines."""

    async def on_llm_new_token(
        self,
        token: str,
        *,
        chunk: Any = None,
        run_id: UUID,
        parent_run_id: UUID | None = None,
        tags: Tags = None,
        **kwargs: Any,
    ) -> None:
        pass

    async def on_chain_start(
        self,
        serialized: Labels,
        inputs: Any,
        *,
        run_id: UUID,
        parent_run_id: UUID | None = None,
        tags: Tags = None,
        metadata: Labels = None,
        **kwargs: Any,
    ) -> None:
        pass

    async def on_chain_end(
        self,
        outputs: Any,
        *,
        run_id: UUID,
        parent_run_id: UUID | None = None,
        tags: Tags = None,
        **kwargs: Any,
    ) -> None:
        pass


class HearsPrompts:
    """Hears text models only, so that a chat model's start has to be reworded for it."""

    def on_llm_start(
        self,
        serialized: Labels,
        prompts: list[str],
        *,
        run_id: UUID,
        parent_run_id: UUID | None = None,
        tags: Tags = None,
        metadata: Labels = None,
        **kwargs: Any,
    ) -> None:
        pass
