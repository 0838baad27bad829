"""Structures as entries, each a path and a text: what ``metadata_key`` and its like ask for.

``{"documents": [{"page": 4}, {"page": 7}]}`` has the entries ``documents.page: 4`` and
``documents.page: 7``: the keys of a path are joined by dots, and a list adds nothing to it. What a
store keeps of a run's metadata, inputs and outputs to filter by is made with `entries_of`.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator, Mapping
from typing import Any

__all__ = ["entries_of", "leaves_of", "number_of", "text_of"]

_NUMBER = re.compile(r"-?[0-9]+(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?")


def entries_of(structure: Any) -> Iterator[tuple[str, str]]:
    """Yield the entries of a structure in order, however deep it is.

    Null, an empty list and an empty dictionary are no value: a key that has nothing else is not
    among the entries. A value that is not in a dictionary has the empty path.

    Args:
        structure: Dictionaries, lists and plain values, as JSON has them.
    """
    return ((path, text_of(value)) for path, value in leaves_of(structure) if value is not None)


def leaves_of(structure: Any) -> Iterator[tuple[str, Any]]:
    """Yield the plain values of a structure, null too, each with its path."""
    waiting = [("", structure)]
    while waiting:
        path, value = waiting.pop()
        if isinstance(value, Mapping):
            start = f"{path}." if path else ""
            waiting.extend((f"{start}{key}", value[key]) for key in reversed(list(value)))
        elif isinstance(value, list | tuple):
            waiting.extend((path, each) for each in reversed(value))
        else:
            yield path, value


def text_of(value: Any) -> str:
    """Return a value as the text that entries have: text as it is, anything else as JSON."""
    if isinstance(value, str):
        return value
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"), default=str)


def number_of(text: str) -> float | None:
    """Return the number that a text is in JSON's way of writing it, or None if it is none."""
    if not _NUMBER.fullmatch(text):
        return None
    number = float(text)
    return number if math.isfinite(number) else None
