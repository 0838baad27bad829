"""Parts of messages that are no text, as the conventions have them: images, sound, reasoning.

Providers each have a form of their own for these, and LangChain two.
"""

from __future__ import annotations

from typing import Any

from callboard.payloads import field

__all__ = ["part_of"]

_MODALITIES = {
    "audio": "audio",
    "document": "document",
    "file": "document",
    "image": "image",
    "image_url": "image",
    "input_audio": "audio",
    "input_file": "document",
    "input_image": "image",
    "video": "video",
}
# Calls of tools have a place of their own in a message, and so has text.
_TOLD_ELSEWHERE = frozenset({"function_call", "text", "tool_call", "tool_call_chunk", "tool_use"})


def part_of(block: Any) -> dict[str, Any] | None:
    """Return a content block as a part; None for one that is told elsewhere.

    Args:
        block: A block of a message's content, as a provider or LangChain has it.
    """
    kind = field(block, "type")
    if not isinstance(kind, str) or kind in _TOLD_ELSEWHERE:
        return None
    if kind in {"reasoning", "thinking"}:
        return _reasoning(block)
    if kind in _MODALITIES:
        return _media(block, kind, _MODALITIES[kind])
    return dict(block)


def _reasoning(block: Any) -> dict[str, Any] | None:
    told = field(block, "reasoning") or field(block, "thinking")
    if told is None:
        steps = field(block, "summary")
        texts = (field(step, "text") for step in (steps if isinstance(steps, list) else ()))
        told = "\n".join(text for text in texts if isinstance(text, str))
    return {"type": "reasoning", "content": told} if told else None


def _media(block: Any, kind: str, modality: str) -> dict[str, Any]:
    """Return what is sent itself, or where it is, or what the provider calls it."""
    inner = field(block, "source") or field(block, kind) or field(block, "image_url")
    held = {"url": inner} if isinstance(inner, str) else inner or block
    mime_type = _first(held, "mime_type", "media_type")
    url, data = _first(held, "url", "uri"), _first(held, "base64", "data", "file_data")
    if url is not None and url.startswith("data:"):
        head, _, data = url.partition(",")
        mime_type, url = head.removeprefix("data:").partition(";")[0], None
    told = {"mime_type": mime_type, "modality": modality}
    if data is not None:
        part = {"type": "blob", **told, "content": data}
    elif url is not None:
        part = {"type": "uri", **told, "uri": url}
    elif (file_id := _first(held, "file_id", "id")) is not None:
        part = {"type": "file", **told, "file_id": file_id}
    else:
        part = dict(block)
    return {name: value for name, value in part.items() if value is not None}


def _first(held: Any, *names: str) -> str | None:
    told = (field(held, name) for name in names)
    return next((each for each in told if isinstance(each, str) and each), None)
