"""A tree of runs as HTML, for whoever shows HTML.

What runs are called, are given and say was written by strangers: all of it is escaped, and marked
as no mathematics, which notebooks would look for in it. There is neither script nor style sheet.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from html import escape
from typing import Any

from callboard.integrations.excerpts import excerpt
from callboard.integrations.lines import Line

__all__ = ["brief", "html_tree"]

_MAX_TEXT = 2_000
_STYLES = {
    "running": "color:#b26a00",
    "ok": "color:#2e7d32",
    "error": "color:#c62828",
    "unfinished": "opacity:.6",
    "type": "opacity:.6",
    "name": "font-weight:bold",
    "figure": "opacity:.6",
    "message": "color:#c62828",
}
_NO_MATHEMATICS = 'class="tex2jax_ignore mathjax_ignore"'
_INDENT = "margin-left:1.2em"
_TEXT = "margin:0;white-space:pre-wrap;max-height:20em;overflow:auto"


def html_tree(root: Line) -> str:
    """Return a tree as HTML: a box for each run, inside its parent's, that can be folded.

    Args:
        root: The outermost line.
    """
    return f"<div {_NO_MATHEMATICS}>{''.join(_box(root))}</div>"


def brief(value: Any) -> str:
    """Return a value as text of which there is not too much; nothing for nothing.

    Args:
        value: Plain data, or text.
    """
    if value is None:
        return ""
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)
    return excerpt(text, _MAX_TEXT)


def _box(line: Line) -> Iterator[str]:
    is_open = " open" if line.children or line.left_out or _is_speaking(line) else ""
    label = " ".join(_span(_STYLES[kind], text) for kind, text in line.pieces())
    yield f"<details{is_open}><summary>{label}</summary><div style='{_INDENT}'>"
    yield from _content(line)
    if line.missing:
        yield f"<div>{_span(_STYLES['figure'], line.missing)}</div>"
    for child in list(line.children):
        yield from _box(child)
    yield "</div></details>"


def _content(line: Line) -> Iterator[str]:
    told = "".join(_text(each) for each in (line.given, line.returned) if each)
    if told and line.children:
        yield f"<details><summary>{_span(_STYLES['figure'], 'content')}</summary>{told}</details>"
    else:
        yield told
    if line.text and not line.returned:  # It is under way, or ended before it had said all.
        yield _text(line.text)


def _is_speaking(line: Line) -> bool:
    return bool(line.text) and line.record.status == "running"


def _text(text: str) -> str:
    return f"<pre style='{_TEXT}'>{_escaped(text)}</pre>"


def _span(style: str, text: str) -> str:
    return f"<span style='{style}'>{_escaped(text)}</span>"


def _escaped(text: str) -> str:
    """Return text as HTML that can be sent: halves of characters can't be."""
    return escape(text.encode("utf-8", "replace").decode())
