r"""The patterns of ``like``: ``%`` is any characters, ``_`` any one, ``\%`` and ``\_`` themselves.

They are SQL's. Case does not count in ASCII letters and does in all others, because that is what
SQLite's LIKE does and what ClickHouse's ``lower`` leads to: the stores have to agree.
"""

from __future__ import annotations

import re
from functools import lru_cache
from string import ascii_lowercase, ascii_uppercase

__all__ = ["canonical", "fits"]

_PIECE = re.compile(r"\\[%_\\]|.", re.DOTALL)


def canonical(pattern: str) -> str:
    r"""Return the pattern with its other backslashes doubled, which stand for themselves."""
    return "".join(r"\\" if piece == "\\" else piece for piece in _PIECE.findall(pattern))


def fits(text: str, pattern: str) -> bool:
    """Whether a text has the form of a canonical pattern.

    The parts between two ``%`` are looked for one after the other, each as early as it is found,
    so that it never goes back: even the worst takes no longer than the product of the two lengths.

    Args:
        text: All of it has to fit.
        pattern: As `canonical` returns it.
    """
    text = _folded(text)
    (first, _), *others = _parts(pattern)
    if not others:
        return first.fullmatch(text) is not None
    found = first.match(text)
    *between, (last, length) = others
    for part, _ in between:
        if found is None:
            return False
        found = part.search(text, found.end())
    return (
        found is not None
        and len(text) - found.end() >= length
        and last.fullmatch(text, len(text) - length) is not None
    )


@lru_cache(maxsize=256)
def _parts(pattern: str) -> list[tuple[re.Pattern[str], int]]:
    """Return what stands between the ``%`` of a pattern, each with its length, which is fixed."""
    parts: list[list[str]] = [[]]
    for piece in _PIECE.findall(_folded(pattern)):
        if piece == "%":
            parts.append([])
        else:
            parts[-1].append("." if piece == "_" else re.escape(piece[-1]))
    return [(re.compile("".join(part), re.DOTALL), len(part)) for part in parts]


_FOLD = str.maketrans(ascii_uppercase, ascii_lowercase)


def _folded(text: str) -> str:
    """Return a text with its ASCII letters, and no others, in lower case."""
    return text.lower() if text.isascii() else text.translate(_FOLD)
