"""Markdown that shows a text as it is: as code, which nothing in the text can end."""

from __future__ import annotations

import re

__all__ = ["fenced", "quoted"]

_TICKS = re.compile(r"`+")


def quoted(text: str) -> str:
    """Return Markdown that shows a text in a line.

    Args:
        text: Any text.
    """
    line = " ".join(text.split())
    ticks = _longer_than_in(line, 1)
    return f"{ticks} {line} {ticks}" if "`" in line else f"{ticks}{line}{ticks}"


def fenced(text: str, language: str = "text") -> str:
    """Return Markdown that shows a text in a block.

    Args:
        text: Any text.
        language: What it is written in, for its colours.
    """
    ticks = _longer_than_in(text, 3)
    return f"{ticks}{language}\n{text}\n{ticks}"


def _longer_than_in(text: str, least: int) -> str:
    return "`" * max([least, *(len(run) + 1 for run in _TICKS.findall(text))])
