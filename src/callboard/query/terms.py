"""The words that full text is searched by."""

from __future__ import annotations

import re

__all__ = ["terms_of"]

_TERM = re.compile(r"[^\W_]+")


def terms_of(text: str) -> list[str]:
    """Return the terms of a text in order: its runs of letters and digits, in lower case.

    Both sides of a search are made with it: what is looked for, and what it is looked for in. A
    store whose own way of splitting text differs in some script may index the terms, joined with
    spaces, in place of the text.

    Args:
        text: Any text.
    """
    return _TERM.findall(text.lower())
