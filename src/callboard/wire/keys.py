"""Keys of JSON objects, which are text: others may come out the same, and must not get lost."""

from __future__ import annotations

from collections.abc import Collection

__all__ = ["distinct"]


def distinct(key: str, taken: Collection[str]) -> str:
    """Return a key that is not taken: itself, or numbered by its place, as in ``1 (2)``.

    Args:
        key: The key.
        taken: The keys that there are already.
    """
    told, number = key, len(taken)
    while told in taken:
        number += 1
        told = f"{key} ({number})"
    return told
