"""Every event, made to happen through the managers' public methods, in either colour.

What a handler must then hear is written beside it. `test_dispatch` holds that no event of the
table is missing here.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from callboard.callbacks import AsyncCallbackManager, BaseCallbackHandler, CallbackManager
from callboard.payloads import AgentAction, AgentFinish, Document, Generation, LLMResult

RUN = UUID(int=0xA)
PARENT = UUID(int=0xB)
TAGS = ["red", "inherited"]
METADATA = {"local": 1, "inherited": 2}

SERIALIZED = {"name": "thing"}
PROMPTS = ["What is heard?"]
MESSAGES = [[("user", "What is heard?")]]
RESPONSE = LLMResult([[Generation("An event.")]])
CHUNK = Generation("An")
ERROR = ValueError("it failed")


@dataclass
class Occasion:
    """How an event comes about: on a run of which kind, and with what.

    Attributes:
        kind: The start of the run that it happens to; None for what needs no run.
        given: The method's positional arguments.
        keywords: Its keywords.
        by_keyword: What sync code passes on by keyword, though given by position.
    """

    kind: str | None
    given: tuple[Any, ...]
    keywords: dict[str, Any] = field(default_factory=dict)
    by_keyword: tuple[str, ...] = ()


STARTS: dict[str, Occasion] = {
    "on_llm_start": Occasion(None, (SERIALIZED, PROMPTS), {"name": "n", "batch_size": 1}),
    "on_chat_model_start": Occasion(None, (SERIALIZED, MESSAGES), {"name": "n", "options": {}}),
    "on_chain_start": Occasion(None, (SERIALIZED, {"question": "?"}), {"name": "n"}),
    "on_tool_start": Occasion(None, (SERIALIZED, "2 + 2"), {"name": "n", "inputs": {"a": 2}}),
    "on_retriever_start": Occasion(None, (SERIALIZED, "query"), {"name": "n"}),
}

OCCASIONS: dict[str, Occasion] = {
    **STARTS,
    "on_llm_new_token": Occasion(
        "on_llm_start", ("An",), {"chunk": CHUNK, "index": 0}, by_keyword=("token",)
    ),
    "on_stream_event": Occasion("on_llm_start", ({"event": "message-start"},), {"more": 1}),
    "on_llm_end": Occasion("on_llm_start", (RESPONSE,), {"more": 1}),
    "on_llm_error": Occasion("on_llm_start", (ERROR,), {"response": RESPONSE}),
    "on_chain_end": Occasion("on_chain_start", ({"answer": "!"},), {"more": 1}),
    "on_chain_error": Occasion("on_chain_start", (ERROR,), {"more": 1}),
    "on_agent_action": Occasion("on_chain_start", (AgentAction("t", "2"),), {"color": "red"}),
    "on_agent_finish": Occasion("on_chain_start", (AgentFinish({"a": 4}),), {"color": "red"}),
    "on_tool_end": Occasion("on_tool_start", ("4",), {"name": "n"}),
    "on_tool_error": Occasion("on_tool_start", (ERROR,), {"more": 1}),
    "on_retriever_end": Occasion("on_retriever_start", ([Document("text")],), {"more": 1}),
    "on_retriever_error": Occasion("on_retriever_start", (ERROR,), {"more": 1}),
    "on_text": Occasion("on_chain_start", ("some text",), {"color": "red", "end": "\n"}),
    "on_retry": Occasion("on_llm_start", ({"attempt_number": 2},), {"more": 1}),
    "on_custom_event": Occasion(None, ("progress", {"done": 0.5})),
}


def manager_of(
    kind: type[CallbackManager | AsyncCallbackManager], *handlers: BaseCallbackHandler
) -> Any:
    """Make a manager that has a parent run, tags and metadata, and these handlers."""
    return kind(
        list(handlers),
        list(handlers),
        PARENT,
        tags=list(TAGS),
        inheritable_tags=["inherited"],
        metadata=dict(METADATA),
        inheritable_metadata={"inherited": 2},
    )


def _first(started: Any) -> Any:
    return started[0] if isinstance(started, list) else started


def happen(event: str, *handlers: BaseCallbackHandler) -> None:
    """Make an event happen in sync code; a run's start precedes what happens to a run."""
    occasion = OCCASIONS[event]
    manager = manager_of(CallbackManager, *handlers)
    if occasion.kind is None:
        getattr(manager, event)(*occasion.given, run_id=RUN, **occasion.keywords)
        return
    start = OCCASIONS[occasion.kind]
    run = _first(getattr(manager, occasion.kind)(*start.given, run_id=RUN, **start.keywords))
    getattr(run, event)(*occasion.given, **occasion.keywords)


async def ahappen(event: str, *handlers: BaseCallbackHandler) -> None:
    """Make an event happen in async code; a run's start precedes what happens to a run."""
    occasion = OCCASIONS[event]
    manager = manager_of(AsyncCallbackManager, *handlers)
    if occasion.kind is None:
        await getattr(manager, event)(*occasion.given, run_id=RUN, **occasion.keywords)
        return
    start = OCCASIONS[occasion.kind]
    started = await getattr(manager, occasion.kind)(*start.given, run_id=RUN, **start.keywords)
    await getattr(_first(started), event)(*occasion.given, **occasion.keywords)


def told(event: str, *, colour: str) -> tuple[tuple[Any, ...], dict[str, Any]]:
    """Return what a handler's method must be called with: by position, and by keyword."""
    occasion = OCCASIONS[event]
    if event == "on_custom_event":
        return occasion.given, {"run_id": RUN, "tags": TAGS, "metadata": METADATA}
    keywords: dict[str, Any] = {
        "run_id": RUN,
        "parent_run_id": PARENT,
        "tags": TAGS,
        **occasion.keywords,
    }
    if occasion.kind is None:
        keywords["metadata"] = METADATA
    if occasion.by_keyword and colour == "sync":
        return (), {**keywords, **dict(zip(occasion.by_keyword, occasion.given, strict=True))}
    return occasion.given, keywords
