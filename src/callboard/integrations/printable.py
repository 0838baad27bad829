"""Text as it can be shown on one line of a terminal, whoever wrote it."""

from __future__ import annotations

from collections.abc import Iterator

__all__ = ["printable"]


def printable(text: str) -> str:
    """Return text with what could make a terminal show something else than there is as escapes.

    Args:
        text: The text.
    """
    return text if text.isprintable() else "".join(_escaped(text))


def _escaped(text: str) -> Iterator[str]:
    for each in text:
        yield each if each.isprintable() else each.encode("unicode_escape").decode()
