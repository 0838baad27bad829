"""What events carry: messages, generations, documents, agent steps; and how they are read.

The classes here are plain data for applications that have none of their own. Nothing
requires them: every reader in Callboard goes by shape (`field`), so that LangChain's
messages, these classes and plain dictionaries, also in the role/content form of the model
providers, are all the same to it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from dataclasses import field as _field
from functools import lru_cache
from typing import Any, TypeAlias

__all__ = [
    "AIMessage",
    "AgentAction",
    "AgentFinish",
    "ChatGeneration",
    "ChatMessage",
    "Document",
    "FunctionMessage",
    "Generation",
    "HumanMessage",
    "LLMResult",
    "Message",
    "Payload",
    "SystemMessage",
    "ToolMessage",
    "as_text",
    "content_text",
    "field",
    "unwrapped",
]

Payload: TypeAlias = Any
"""A value that is read by shape: an object with attributes, or a mapping with keys."""

Content: TypeAlias = str | list[str | dict[str, Any]]
"""A message's content: text, or a list of texts and content blocks such as images."""


@dataclass(slots=True)
class Message:
    """One message of a conversation.

    Attributes:
        content: The text, or a list of content blocks.
        type: Who speaks: human, ai, system, tool, function or chat.
        id: The message's id, if it has one.
        name: The speaker's name, if given.
        additional_kwargs: What the provider sent that has no place of its own.
        response_metadata: What the provider said of its answer, such as ``model_name``.
    """

    content: Content
    type: str = ""
    id: str | None = None
    name: str | None = None
    additional_kwargs: dict[str, Any] = _field(default_factory=dict)
    response_metadata: dict[str, Any] = _field(default_factory=dict)


@dataclass(slots=True)
class HumanMessage(Message):
    """What a person said."""

    type: str = "human"


@dataclass(slots=True)
class SystemMessage(Message):
    """What the application told the model to be."""

    type: str = "system"


@dataclass(slots=True)
class AIMessage(Message):
    """What a model answered.

    Attributes:
        tool_calls: The calls it asks for, each with ``name``, ``args`` and ``id``.
        invalid_tool_calls: Those that it asks for in a way that can't be understood.
        usage_metadata: Tokens used: ``input_tokens``, ``output_tokens``, ``total_tokens``,
            and optionally ``input_token_details`` and ``output_token_details``.
    """

    type: str = "ai"
    tool_calls: list[dict[str, Any]] = _field(default_factory=list)
    usage_metadata: dict[str, Any] | None = None
    invalid_tool_calls: list[dict[str, Any]] = _field(default_factory=list)


@dataclass(slots=True)
class ToolMessage(Message):
    """What a tool returned, as an answer to the call of that id.

    Attributes:
        tool_call_id: The call.
        status: ``success`` or ``error``.
        artifact: What it found besides, which is not for the model.
    """

    type: str = "tool"
    tool_call_id: str = ""
    status: str = "success"
    artifact: Any = None


@dataclass(slots=True)
class FunctionMessage(Message):
    """What a function returned, in the older form of tool calls."""

    type: str = "function"


@dataclass(slots=True)
class ChatMessage(Message):
    """A message of a speaker with a role of its own."""

    type: str = "chat"
    role: str = ""


@dataclass(slots=True)
class Generation:
    """One answer of a text model, or a piece of it while it streams.

    Attributes:
        text: The text.
        generation_info: What the provider said of it, such as the reason why it ended.
        type: What it is.
    """

    text: str
    generation_info: dict[str, Any] | None = None
    type: str = "Generation"


@dataclass(slots=True)
class ChatGeneration:
    """One answer of a chat model, or a piece of it while it streams."""

    message: Message
    generation_info: dict[str, Any] | None = None
    type: str = "ChatGeneration"

    @property
    def text(self) -> str:
        """The text of its message."""
        return content_text(self.message.content)


@dataclass(slots=True)
class LLMResult:
    """What a model run ends with.

    Attributes:
        generations: A list for each prompt, of one or more candidate answers.
        llm_output: What the provider said of the whole, such as ``token_usage``.
        run: The runs that made it, if whoever made it says so.
        type: What it is.
    """

    generations: Sequence[Sequence[Generation | ChatGeneration]]
    llm_output: dict[str, Any] | None = None
    run: list[Any] | None = None
    type: str = "LLMResult"


@dataclass(slots=True)
class Document:
    """A piece of text that a retriever found."""

    page_content: str
    metadata: dict[str, Any] = _field(default_factory=dict)
    id: str | None = None
    type: str = "Document"


@dataclass(slots=True)
class AgentAction:
    """A step that an agent is about to take: the tool, its input, and why (`log`)."""

    tool: str
    tool_input: str | dict[str, Any]
    log: str = ""


@dataclass(slots=True)
class AgentFinish:
    """What an agent ends with: its return values, and why (`log`)."""

    return_values: dict[str, Any]
    log: str = ""


def field(payload: Payload, name: str, default: Any = None) -> Any:
    """Return a payload's value of that name, be it an attribute or a key.

    Args:
        payload: An object, a mapping, or None.
        name: The attribute or key.
        default: What to return where there is none.
    """
    kind: Any = type(payload)
    # The first is the quicker look.
    if kind is dict or _is_mapping(kind):
        return payload.get(name, default)
    return getattr(payload, name, default)


@lru_cache(1024)
def _is_mapping(kind: type) -> bool:
    # To ask the abstract class of an object that is none takes longer than to read its field.
    return issubclass(kind, Mapping)


def unwrapped(payload: Payload) -> Payload:
    """Return what a serialised object of LangChain's holds (its ``kwargs``); others as they are.

    Args:
        payload: Any payload.
    """
    if isinstance(payload, Mapping) and "lc" in payload:
        kwargs = payload.get("kwargs")
        return kwargs if isinstance(kwargs, Mapping) else payload
    return payload


_SPEAKERS = {
    "human": "Human",
    "user": "Human",
    "ai": "AI",
    "assistant": "AI",
    "system": "System",
    "developer": "System",
    "tool": "Tool",
    "function": "Function",
}


def as_text(messages: Iterable[Payload]) -> str:
    r"""Write a conversation as text, a line a message: ``"Human: hi\nAI: hello"``.

    This is what a handler that only knows text models is given when a chat model starts.
    A message of unknown shape is written as it prints.

    Args:
        messages: Message objects, dictionaries with role (or type) and content, or pairs of
            role and content.
    """
    return "\n".join(_line(message) for message in messages)


def _line(message: Payload) -> str:
    try:
        return _spoken(message)
    except Exception:  # noqa: BLE001 - what is no message may raise anything when it is read
        return object.__repr__(message)


def _spoken(message: Payload) -> str:
    if isinstance(message, tuple) and len(message) == 2:
        message = {"role": message[0], "content": message[1]}
    message = unwrapped(message)
    kind = str(field(message, "type") or "").removesuffix("MessageChunk").lower()
    speaker = _SPEAKERS.get(kind)
    if speaker is None:
        # A chat message is one whose speaker has a role of its own: told as it is, even if known.
        role = str(field(message, "role") or kind)
        if not role:
            return str(message)
        speaker = role if kind == "chat" else _SPEAKERS.get(role, role)
        kind = kind or role
    text = content_text(field(message, "content") or "")
    return f"{speaker}: {text}{_calls(message, kind)}"


def _calls(message: Payload, kind: str) -> str:
    """Write the tool calls of a model's message, which may have no text at all."""
    if _SPEAKERS.get(kind) != "AI":
        return ""
    called = field(message, "tool_calls") or field(
        field(message, "additional_kwargs"), "function_call"
    )
    return "" if called is None else str(called)


def content_text(content: Content | Any) -> str:
    """Return the text of a message's content or of a streamed token, without other blocks.

    Args:
        content: Text, or a list of texts and content blocks.
    """
    if isinstance(content, str):
        return content
    if not isinstance(content, list):
        return str(content)
    return "".join(_block_text(block) for block in content)


def _block_text(block: Payload) -> str:
    if isinstance(block, str):
        return block
    text = field(block, "text") if field(block, "type") == "text" else None
    return text if isinstance(text, str) else ""
