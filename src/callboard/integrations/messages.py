"""Messages as platforms tell them, by role, read off what a record has of them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from callboard.integrations.answers import generations
from callboard.integrations.records import RunRecord
from callboard.payloads import content_text, field, unwrapped

__all__ = ["Said", "said_in", "said_out"]

_ROLES = {"human": "user", "ai": "assistant", "function": "tool", "developer": "system"}


class Said(NamedTuple):
    """One message.

    Attributes:
        role: system, user, assistant, tool, or another that the application chose.
        text: What it says, without its blocks that are no text.
        tool_calls: The calls that it asks for, each with ``name``, ``args`` and ``id``.
        answers: The id of the call that it answers.
        finish_reason: Why it ended, if it is an answer.
        blocks: The blocks of its content, if it is no mere text; those of text are among them.
    """

    role: str
    text: str
    tool_calls: list[Any]
    answers: str | None = None
    finish_reason: str | None = None
    blocks: Sequence[Any] = ()


def said_in(record: RunRecord) -> list[Said]:
    """Return what a model was given: its messages, or its prompts as a user's.

    Args:
        record: The record of a model's run.
    """
    prompts = field(record.inputs, "prompts")
    if prompts:
        return [Said("user", str(prompt), []) for prompt in prompts]
    return [_said(message) for message in _flat(field(record.inputs, "messages") or ())]


def said_out(record: RunRecord) -> list[Said]:
    """Return what a model answered.

    Args:
        record: The record of a model's run.
    """
    reasons = iter(record.finish_reasons)
    return [_answer(each)._replace(finish_reason=next(reasons, None)) for each in _all(record)]


def _all(record: RunRecord) -> Iterable[Any]:
    return () if record.outputs is None else generations(record.outputs)


def _answer(generation: Any) -> Said:
    message = field(generation, "message")
    if message is None:
        return Said("assistant", str(field(generation, "text") or ""), [])
    return _said(message)._replace(role="assistant")


def _flat(messages: Any) -> list[Any]:
    """Return the messages of all conversations, which are a list each; or of one, if it is told."""
    if not isinstance(messages, list):
        return []
    return [
        message
        for each in messages
        for message in (each if isinstance(each, list) and not _is_pair(each) else [each])
    ]


def _is_pair(value: list[Any]) -> bool:
    """Whether it is a message as role and content."""
    return len(value) == 2 and all(isinstance(each, str) for each in value)


def _said(message: Any) -> Said:
    if isinstance(message, list) and _is_pair(message):
        message = {"role": message[0], "content": message[1]}
    message = unwrapped(message)
    if isinstance(message, str):
        return Said("user", message, [])
    kind = str(field(message, "role") or field(message, "type") or "user")
    kind = kind.removesuffix("MessageChunk").lower()
    content = field(message, "content") or ""
    return Said(
        _ROLES.get(kind, kind),
        content_text(content),
        list(field(message, "tool_calls") or ()),
        field(message, "tool_call_id") or None,
        blocks=content if isinstance(content, list) else (),
    )
