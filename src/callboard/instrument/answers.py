"""What a function returned or yielded, read as outputs of a run or as a model's answer.

Values are read by shape: strings, messages, and the responses of OpenAI's and Anthropic's
clients, as objects or dictionaries.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from callboard.payloads import (
    AIMessage,
    ChatGeneration,
    Generation,
    LLMResult,
    Payload,
    content_text,
    field,
    unwrapped,
)
from callboard.usage import Usage, add_usage, response_usage

__all__ = ["chunk_text", "conversation_in", "model_result", "outputs_of", "question_in", "usage_in"]

# Where a function's one question is looked for, if it has other arguments too.
_QUESTIONS = ("query", "question", "prompt", "input", "text")


def outputs_of(value: Any) -> dict[str, Any]:
    """Return what a call returned as the outputs of its run: a dictionary stands for itself."""
    # Not by `isinstance`: that asks an object what it is, which may raise, or be a mock's word.
    return value if issubclass(type(value), dict) else {"output": value}


def question_in(inputs: Mapping[str, Any]) -> str:
    """Return what a tool, retriever or text model is asked, as text.

    Args:
        inputs: The call's arguments by name.
    """
    found = list(inputs.values()) if len(inputs) == 1 else [inputs.get(key) for key in _QUESTIONS]
    texts = (value for value in found if issubclass(type(value), str))
    return next(texts, None) or _printed(inputs)


def conversation_in(inputs: Mapping[str, Any]) -> list[Payload] | None:
    """Return the messages that a chat model is given, if it is given any.

    Args:
        inputs: The call's arguments by name.
    """
    try:
        told = inputs.get("messages")
        messages = list(told) if isinstance(told, list | tuple) else []
        return messages if messages and all(map(_is_message, messages)) else None
    except Exception:  # noqa: BLE001 - a value may raise anything when it is looked at
        return None


def _is_message(value: Any) -> bool:
    if isinstance(value, tuple):
        return len(value) == 2 and isinstance(value[0], str)
    message = unwrapped(value)
    return field(message, "content") is not None or field(message, "role") is not None


def chunk_text(chunk: Payload) -> str | None:
    """Return the text of a piece of a model's answer; None if it has none.

    Args:
        chunk: A string, or a chunk of a message, or of OpenAI's or Anthropic's stream.
    """
    if isinstance(chunk, str):
        return chunk
    for choice in _listed(field(chunk, "choices"))[:1]:
        chunk = field(choice, "delta") or field(choice, "message") or choice
    for told in (chunk, field(chunk, "delta")):
        for name in ("text", "content"):
            text = field(told, name)
            if isinstance(text, str | list):
                return content_text(text)
    return None


def usage_in(value: Payload) -> tuple[str | None, Usage] | None:
    """Return the model that answered and the tokens that it used, if the value tells.

    Args:
        value: What a call returned; or, in a list, what it yielded: pieces may each tell a part.
    """
    if isinstance(value, list):
        return _usage_of_pieces(value)
    told = value if field(value, "output") is None else field(value, "output")
    for each in (value, told):
        usage = field(each, "usage_metadata")
        if isinstance(usage, Mapping) and usage:
            return _model_of(each), dict(usage)
        for model, counted in response_usage({"llm_output": each}):
            return model, counted
    return None


def _usage_of_pieces(pieces: Sequence[Any]) -> tuple[str | None, Usage] | None:
    """LangChain's pieces add up; a provider's last one tells the whole."""
    model, total = None, Usage()
    for piece in pieces:
        found = None if isinstance(piece, str | list) else usage_in(piece)
        if found is not None:
            model = found[0] or model
            adds_up = isinstance(field(piece, "usage_metadata"), Mapping)
            total = add_usage(total, found[1]) if adds_up else found[1]
    return (model, total) if total else None


def model_result(value: Payload, found: tuple[str | None, Usage] | None) -> Payload:
    """Return what a model function returned in the form in which handlers hear of answers.

    Args:
        value: What it returned; or what it yielded, in a list.
        found: What `usage_in` found.
    """
    if field(value, "generations") is not None:
        return value
    if field(value, "response_metadata") is not None and field(value, "content") is not None:
        return LLMResult([[ChatGeneration(value)]])
    model, usage = found if found is not None else (None, None)
    metadata = {} if model is None else {"model_name": model}
    answers = _answers(value)
    if usage is None and all(isinstance(answer, str) for answer in answers):
        return LLMResult([[Generation(answer) for answer in answers]], metadata or None)
    messages = [_message(answer, metadata, usage) for answer in answers]
    return LLMResult([[ChatGeneration(message) for message in messages]], metadata or None)


def _answers(value: Payload) -> list[Payload]:
    """Return the candidates of a response: strings, or what has a message's fields."""
    if isinstance(value, list):
        return ["".join(filter(None, map(chunk_text, value)))]
    choices = [field(choice, "message") for choice in _listed(field(value, "choices"))]
    if choices and all(choice is not None for choice in choices):
        return choices
    told = field(value, "output") if isinstance(value, Mapping) and "output" in value else value
    if isinstance(told, str) or field(told, "content") is not None:
        return [told]
    return [chunk_text(told) or _printed(told)]


def _message(answer: Payload, metadata: dict[str, Any], usage: Usage | None) -> AIMessage:
    content = answer if isinstance(answer, str) else field(answer, "content") or ""
    return AIMessage(
        content,
        tool_calls=_listed(field(answer, "tool_calls")),
        response_metadata=dict(metadata),
        usage_metadata=usage,
    )


def _model_of(value: Payload) -> str | None:
    for told in (value, field(value, "response_metadata")):
        for name in ("model_name", "model"):
            if isinstance(model := field(told, name), str):
                return model
    return None


def _listed(value: Any) -> list[Any]:
    return list(value) if isinstance(value, list | tuple) else []


def _printed(value: Any) -> str:
    try:
        return str(value)
    except Exception as error:  # noqa: BLE001 - a value may raise anything when it is printed
        return f"<{type(value).__qualname__}: unreadable, {type(error).__name__}>"
