"""What runs were given and return, as it is drawn: none of it is taken for markup of ours.

A tool's output may come from anywhere, and what a model says may be what that output told it to
say. So they are drawn as code or JSON, where nothing is a link, an image or a heading. What a model
says is Markdown, and shown as such, but for images: a browser fetches them unasked, from an address
that may hold whatever the model has read.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from callboard.integrations.excerpts import counted_excerpt
from callboard.payloads import content_text, field, unwrapped
from callboard.wire import json

__all__ = [
    "MAX_TEXT",
    "Drawing",
    "call_of",
    "drawing_of",
    "plain",
    "text_of",
    "without_images",
]

MAX_TEXT = 20_000
"""How much is drawn of what a run was given or returned, in characters."""
_MAX_LINE = 200


class Drawing(NamedTuple):
    """How something is drawn: by which method of a container, and with what.

    Attributes:
        method: The method's name.
        body: What it draws.
        options: Its keyword arguments.
    """

    method: str
    body: Any
    options: Mapping[str, Any]


def drawing_of(value: Any) -> Drawing:
    """Return how what a run was given or returned is drawn: as code, or as JSON if it is long.

    Args:
        value: What there is to read of it.
    """
    text, is_text = text_of(value), isinstance(value, str)
    if not is_text and _MAX_LINE < len(text) <= MAX_TEXT:
        return Drawing("json", text, {"expanded": False})
    return Drawing(
        "code",
        counted_excerpt(text, MAX_TEXT),
        {"language": None if is_text else "json", "wrap_lines": True},
    )


def text_of(value: Any) -> str:
    """Return what there is to read as text: as it is, or as JSON.

    Args:
        value: What there is to read; None if there is nothing.
    """
    if value is None or isinstance(value, str):
        return value or ""
    return json.encode(value).decode()


def plain(value: Any) -> Any:
    """Return what there is to read in a value: of one field what it holds, of a message its text.

    Args:
        value: A run's inputs or outputs.
    """
    if isinstance(value, dict) and len(value) == 1:
        [value] = value.values()
    if not isinstance(value, list):
        return _readable(value)
    every = [_readable(each) for each in value]
    return "\n\n".join(every) if every and all(isinstance(each, str) for each in every) else every


def _readable(value: Any) -> Any:
    value = unwrapped(value)
    said, calls = field(value, "content"), field(value, "tool_calls")
    if said or calls:
        return "\n".join([*([content_text(said)] if said else []), *map(call_of, calls or ())])
    if found := field(value, "page_content"):
        about = field(value, "metadata")
        return f"{found}\n{json.encode(about).decode()}" if about else str(found)
    return value


def call_of(call: Any) -> str:
    """Return a call that a model asks for, in a line.

    Args:
        call: The call, with ``name`` and ``args``.
    """
    return f"{field(call, 'name')} {json.encode(field(call, 'args')).decode()}"


def without_images(markdown: str) -> str:
    """Return Markdown in which what would be an image is shown as it is written.

    Args:
        markdown: Any Markdown.
    """
    # Only with an address, there or elsewhere, is it an image: vec![1, 2] stays as it is.
    if "](" in markdown or "]:" in markdown:
        return markdown.replace("![", "!\\[")
    return markdown
