"""What runs were given and return, as it is drawn: none of it is taken for markup of ours.

A tool's output may come from anywhere, and what a model says may be what that output told it to
say. So they are drawn as code or JSON, where nothing is a link, an image or a heading. What a model
says is Markdown, and shown as such, but for images: a browser fetches them unasked, from an address
that may hold whatever the model has read.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, NamedTuple

from callboard.payloads import content_text, field, unwrapped
from callboard.wire import json

__all__ = ["Drawing", "drawing_of", "fenced", "plain", "quoted", "without_images"]

_MAX_CHARACTERS = 20_000
_TICKS = re.compile(r"`+")


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
    """Return how what a run was given or returned is drawn: text as code, the rest as JSON.

    Args:
        value: Its inputs or outputs.
    """
    value = plain(value)
    if not isinstance(value, str):
        value = json.encode(value).decode()
        if len(value) <= _MAX_CHARACTERS:
            return Drawing("json", value, {"expanded": False})
    return Drawing("code", _short(value), {"language": None, "wrap_lines": True})


def plain(value: Any) -> Any:
    """Return what there is to read in a value: of one field what it holds, of a message its text.

    Args:
        value: A run's inputs or outputs.
    """
    if isinstance(value, dict) and len(value) == 1:
        [value] = value.values()
    value = unwrapped(value)
    if isinstance(value, list):
        return [_readable(each) for each in value]
    return _readable(value)


def _readable(value: Any) -> Any:
    value = unwrapped(value)
    for name in ("content", "page_content"):
        if said := field(value, name):
            return content_text(said)
    return value


def quoted(text: str) -> str:
    """Return Markdown that shows a text as it is, in a line.

    Args:
        text: Any text.
    """
    line = " ".join(text.split())
    ticks = _longer_than_in(line, 1)
    return f"{ticks} {line} {ticks}" if "`" in line else f"{ticks}{line}{ticks}"


def fenced(text: str) -> str:
    """Return Markdown that shows a text as it is, in a block.

    Args:
        text: Any text.
    """
    ticks = _longer_than_in(text, 3)
    return f"{ticks}text\n{_short(text)}\n{ticks}"


def without_images(markdown: str) -> str:
    """Return Markdown in which what would be an image is shown as it is written.

    Args:
        markdown: Any Markdown.
    """
    # Only with an address, there or elsewhere, is it an image: vec![1, 2] stays as it is.
    if "](" in markdown or "]:" in markdown:
        return markdown.replace("![", "!\\[")
    return markdown


def _longer_than_in(text: str, least: int) -> str:
    return "`" * max([least, *(len(run) + 1 for run in _TICKS.findall(text))])


def _short(text: str) -> str:
    if len(text) <= _MAX_CHARACTERS:
        return text
    return f"{text[:_MAX_CHARACTERS]}\n... {len(text) - _MAX_CHARACTERS:,} more characters"
