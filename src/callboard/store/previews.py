"""Previews: the beginning of what a run was given or returned, as a person would say it.

Of a conversation that is the last message's text, of a search its question, of most other things
the one text in them. They are for lists, so they are short, of one line, and cheap: what is too
big to be read for a preview is looked at from the outside.
"""

from __future__ import annotations

import re
from typing import Any

from callboard.errors import BadBodyError
from callboard.payloads import content_text, unwrapped
from callboard.wire import json

__all__ = ["LENGTH", "preview", "preview_of"]

LENGTH = 200
"""How many characters a preview has at the most."""

_MAX_DECODED = 64 * 1024
_MAX_DEPTH = 12
# Where the text of a structure is, as a rule; the first of these that has anything in it.
_TELLING = (
    "messages",
    "generations",
    "message",
    "prompts",
    "choices",
    "input",
    "question",
    "query",
    "output",
    "answer",
    "text",
    "page_content",
    "result",
    "inputs",
    "outputs",
    "documents",
    "error",
)
_CONTENT = re.compile(rb'"(?:content|text|page_content|input|output)": ?"((?:[^"\\]|\\.){1,800})')


def preview_of(part: bytes) -> str | None:
    """Return the preview of a part.

    Args:
        part: Inputs or outputs, as JSON; what is no JSON has no preview.

    Returns:
        At most `LENGTH` characters; None if there is nothing in it.
    """
    if len(part) > _MAX_DECODED:
        return _glimpse(part)
    try:
        return preview(json.decode(part))
    except BadBodyError:
        return None


def preview(value: Any) -> str | None:
    """Return the preview of inputs or outputs.

    Args:
        value: As JSON has it.
    """
    text = _text(value, _MAX_DEPTH)
    return _line(text) if text else None


def _line(text: str) -> str:
    start = text[:LENGTH]
    if start.isprintable() and "  " not in start:  # As most are; the rest takes ten times as long.
        return start.strip()
    return " ".join(text[: LENGTH * 2].split())[:LENGTH]


def _text(value: Any, depth: int) -> str:
    if isinstance(value, str):
        return value
    if value is None or not depth:
        return ""
    if isinstance(value, list):
        return _text(value[-1], depth - 1) if value else ""
    if isinstance(value, dict):
        return _text_in(unwrapped(value), depth - 1)
    return json.encode(value).decode()


def _text_in(found: dict[str, Any], depth: int) -> str:
    if "content" in found:
        return content_text(found["content"] or "").strip() or _calls(found)
    for name in _TELLING:
        if found.get(name):
            text = _text(found[name], depth)
            if text:
                return text
    if len(found) == 1:
        return _text(next(iter(found.values())), depth)
    return json.encode(found)[: LENGTH * 4].decode(errors="ignore") if found else ""


def _calls(message: dict[str, Any]) -> str:
    """Return the tool calls that a message without text asks for."""
    calls = message.get("tool_calls")
    if not isinstance(calls, list):
        return ""
    named = [call.get("name") or _function(call) for call in calls if isinstance(call, dict)]
    return ", ".join(f"{name}(...)" for name in named if isinstance(name, str))


def _function(call: dict[str, Any]) -> Any:
    function = call.get("function")
    return function.get("name") if isinstance(function, dict) else None


def _glimpse(part: bytes) -> str | None:
    """Return the last text near the end of a big part, which is not read as a whole."""
    for piece in (part[-_MAX_DECODED:], part[:_MAX_DECODED]):
        texts = _CONTENT.findall(piece)
        if texts:
            return _line(_unescaped(texts[-1])) or None
    return _line(part[: LENGTH * 2].decode(errors="ignore"))


def _unescaped(text: bytes) -> str:
    try:
        # A character that is written as two may have been cut in half.
        return str(json.decode(b'"%s"' % text)).encode(errors="ignore").decode()
    except BadBodyError:
        return text.decode(errors="ignore")
