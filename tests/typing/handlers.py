"""Handlers: what their writers override, and what they may get wrong."""

from __future__ import annotations

from typing import Any, assert_type
from uuid import UUID

from langchain_core.messages import BaseMessage
from langchain_core.outputs import LLMResult as LangChainResult

from callboard.callbacks import (
    AsyncCallbackHandler,
    BaseCallbackHandler,
    CallbackManager,
    FileCallbackHandler,
    StdOutCallbackHandler,
    StreamingStdOutCallbackHandler,
    UsageMetadataCallbackHandler,
    get_usage_metadata_callback,
)
from callboard.payloads import LLMResult


class Short(BaseCallbackHandler):
    """Takes what it needs, and leaves the rest to ``**kwargs``."""

    def on_llm_start(self, serialized: dict[str, Any], prompts: list[str], **kwargs: Any) -> None:
        """Hear it."""

    def on_llm_end(self, response: LLMResult, **kwargs: Any) -> None:
        """Hear a narrower payload than Any."""

    def on_llm_error(self, error: BaseException, *, run_id: UUID, **kwargs: Any) -> None:
        """Hear it, with the run's id."""


class LangChains(BaseCallbackHandler):
    """Takes LangChain's payloads."""

    def on_chat_model_start(
        self, serialized: dict[str, Any], messages: list[list[BaseMessage]], **kwargs: Any
    ) -> None:
        """Hear it."""

    def on_llm_end(self, response: LangChainResult, **kwargs: Any) -> None:
        """Hear it."""


class Whole(BaseCallbackHandler):
    """Takes all there is, by name."""

    def on_chain_start(
        self,
        serialized: dict[str, Any],
        inputs: dict[str, Any],
        *,
        run_id: UUID,
        parent_run_id: UUID | None = None,
        tags: list[str] | None = None,
        metadata: dict[str, Any] | None = None,
        **kwargs: Any,
    ) -> None:
        """Hear it."""


class Coroutines(AsyncCallbackHandler):
    """Hears by coroutines."""

    async def on_llm_new_token(
        self, token: str | list[str | dict[str, Any]], **kwargs: Any
    ) -> None:
        """Hear it."""

    async def on_llm_end(self, response: LLMResult, **kwargs: Any) -> None:
        """Hear it."""

    def on_text(self, text: str, **kwargs: Any) -> None:
        """Hear it without a coroutine: a handler is asked what its methods return."""


class Mixed(BaseCallbackHandler):
    """Hears one event by a coroutine and another without."""

    def on_tool_end(self, output: Any, **kwargs: Any) -> None:
        """Hear it."""

    async def on_tool_error(self, error: BaseException, **kwargs: Any) -> None:
        """Hear it."""


class Choosy(BaseCallbackHandler):
    """Says itself what it ignores."""

    raise_error = True
    run_inline = True

    @property
    def ignore_llm(self) -> bool:
        """Whether not to hear models."""
        return True


class ChoosyByAttribute(BaseCallbackHandler):
    """Says what it ignores by attributes."""

    # Handlers have plain attributes; pyright lets no attribute stand for the property that they
    # are declared as, here or in langchain-core.
    ignore_chain = True  # pyright: ignore[reportIncompatibleMethodOverride, reportAssignmentType]
    ignore_agent: bool = True  # pyright: ignore[reportIncompatibleMethodOverride]


class TakesAnotherPayload(BaseCallbackHandler):
    """Expects a text where an error comes."""

    def on_llm_error(self, error: str, **kwargs: Any) -> None:  # type: ignore[override]  # pyright: ignore[reportIncompatibleMethodOverride]
        """Mishear it."""


class TakesTooLittle(BaseCallbackHandler):
    """Has no room for the run's id."""

    def on_text(self, text: str) -> None:  # type: ignore[override]  # pyright: ignore[reportIncompatibleMethodOverride]
        """Mishear it."""


class RenamesThePositional(BaseCallbackHandler):
    """Gives the token another name, though it comes by name from sync code."""

    def on_llm_new_token(self, word: str | list[str | dict[str, Any]], **kwargs: Any) -> None:  # type: ignore[override]  # pyright: ignore[reportIncompatibleMethodOverride]
        """Mishear it."""


class IgnoresByText(BaseCallbackHandler):
    """Says what it ignores by something that is no bool."""

    @property
    def ignore_chain(self) -> str:  # type: ignore[override]  # pyright: ignore[reportIncompatibleMethodOverride]
        """Return something that happens to be true."""
        return "yes"


def accepted_as_handlers() -> CallbackManager:
    """Put every kind into one manager."""
    handlers: list[BaseCallbackHandler] = [Short(), LangChains(), Whole(), Coroutines(), Mixed()]
    handlers += [Choosy(), ChoosyByAttribute()]
    assert_type(Choosy().ignore_llm, bool)
    assert_type(Short().ignore_llm, bool)
    assert_type(Short().raise_error, bool)
    return CallbackManager(handlers, [StdOutCallbackHandler(color="red")])


def refused_as_handlers() -> None:
    """Offer what is no handler."""
    CallbackManager([Short])  # type: ignore[list-item]  # pyright: ignore[reportArgumentType]
    CallbackManager([print])  # type: ignore[list-item]  # pyright: ignore[reportArgumentType]
    CallbackManager(Short())  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]


def ready_made() -> None:
    """Use the handlers that are there."""
    with FileCallbackHandler("run.log", mode="w", color="green") as to_file:
        assert_type(to_file, FileCallbackHandler)
    with get_usage_metadata_callback() as usage:
        assert_type(usage, UsageMetadataCallbackHandler)
        assert_type(usage.usage_metadata, dict[str, dict[str, Any]])
    StreamingStdOutCallbackHandler()
    FileCallbackHandler()  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    FileCallbackHandler(1)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    StdOutCallbackHandler(color=1)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    get_usage_metadata_callback(name=1)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
