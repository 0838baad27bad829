"""The words that full text is searched by."""

from __future__ import annotations

import re
from unicodedata import normalize

__all__ = ["terms_of"]

_TERM = re.compile(r"[^\W_]+")


def terms_of(text: str) -> list[str]:
    """Return the terms of a text in order: its runs of letters and digits, whatever their case.

    Both sides of a search are made with it: what is looked for, and what it is looked for in. So
    a store indexes the terms, joined with spaces, and not the text: the ways in which databases
    split text differ beyond ASCII (SQLite's ``unicode61`` takes newer emoji for letters,
    ClickHouse's ``splitByNonAlpha`` all that is not ASCII), but not where spaces are.

    Args:
        text: Any text. How its accents are encoded does not count.
    """
    return _TERM.findall(normalize("NFC", text.casefold()))
