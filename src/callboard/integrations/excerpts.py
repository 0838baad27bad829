"""Excerpts: the beginning of a text that is too long to be shown whole."""

from __future__ import annotations

__all__ = ["counted_excerpt", "excerpt"]


def excerpt(text: str, limit: int) -> str:
    """Return a text, or its beginning and an ellipsis.

    Args:
        text: The text.
        limit: How much of it is shown at the most, in characters.
    """
    return text if len(text) <= limit else f"{text[:limit]}…"


def counted_excerpt(text: str, limit: int) -> str:
    """Return a text, or its beginning and how much there is more of it.

    Args:
        text: The text.
        limit: How much of it is shown at the most, in characters.
    """
    if len(text) <= limit:
        return text
    return f"{text[:limit]} ... ({len(text) - limit:,} characters more)"
