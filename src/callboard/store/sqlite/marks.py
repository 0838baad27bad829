"""Marks: a tag, or an entry of metadata, as one number, which indexes of them are made of.

They are 63 bits of a hash, so two may have the same mark, and numbers that are equal have the same
however they are written: who finds a run by a mark still has to look what it has.
"""

from __future__ import annotations

from functools import lru_cache
from hashlib import blake2b
from typing import Any

from callboard.query.entries import entries_of, number_of
from callboard.store.derived import read

__all__ = ["mark_of_entry", "mark_of_tag", "marks_of"]

# Longer metadata is seldom the same twice, and would fill memory.
_MAX_KEPT = 8 * 1024


@lru_cache(maxsize=16_384)
def mark_of_tag(tag: str) -> int:
    """Return the mark of a tag."""
    return _mark("tag", tag)


@lru_cache(maxsize=16_384)
def mark_of_entry(path: str, text: str) -> int:
    """Return the mark of an entry of metadata.

    Args:
        path: Its path (`callboard.query.entries`).
        text: Its value as text, or a number as text.
    """
    number = number_of(text)
    return _mark("entry", path, text if number is None else repr(number))


def marks_of(tags: str | None, metadata: str | None) -> frozenset[int]:
    """Return the marks of a run.

    Args:
        tags: Its tags, as JSON; None if it has none.
        metadata: Likewise.
    """
    is_big = metadata is not None and len(metadata) > _MAX_KEPT
    of_metadata = _of_metadata.__wrapped__ if is_big else _of_metadata
    return _of_tags(tags) | of_metadata(metadata)


# The runs of a trace have much the same, each by itself more often than both together.
@lru_cache(maxsize=1024)
def _of_tags(tags: str | None) -> frozenset[int]:
    return frozenset(map(mark_of_tag, read(tags.encode()) if tags else ()))


@lru_cache(maxsize=1024)
def _of_metadata(metadata: str | None) -> frozenset[int]:
    marks: set[int] = set()
    told: dict[str, Any] = read(metadata.encode()) if metadata else {}
    for key, value in told.items():
        if type(value) is str:
            marks.add(mark_of_entry(key, value))
        else:
            marks.update(mark_of_entry(path, text) for path, text in entries_of({key: value}))
    return frozenset(marks)


def _mark(*what: str) -> int:
    digest = blake2b("\0".join(what).encode(), digest_size=8).digest()
    return int.from_bytes(digest, "big") >> 1
