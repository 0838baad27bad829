"""Cursors: the place in a list after which the next page begins, as opaque text."""

from __future__ import annotations

import base64
import binascii
import json
from typing import Any

from callboard.errors import BadOptionError

__all__ = ["read_cursor", "write_cursor"]


def write_cursor(kind: str, *place: Any) -> str:
    """Return a cursor.

    Args:
        kind: What list it is of: it is good for no other.
        *place: What the list is ordered by, of the last item: numbers, text, bytes or None.
    """
    plain = [{"hex": each.hex()} if isinstance(each, bytes) else each for each in place]
    text = json.dumps([kind, *plain], separators=(",", ":"))
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def read_cursor(kind: str, cursor: str, *types: type | tuple[type, ...]) -> tuple[Any, ...]:
    """Return the place that a cursor stands for.

    Args:
        kind: What list it has to be of.
        cursor: It.
        *types: What the place is made of.

    Raises:
        BadOptionError: It is no such cursor.
    """
    try:
        text = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True)
        found, *plain = json.loads(text)
        place = tuple(bytes.fromhex(each["hex"]) if type(each) is dict else each for each in plain)
    except (ValueError, TypeError, KeyError, binascii.Error, RecursionError):
        found, place = None, ()
    fits = len(place) == len(types) and all(map(isinstance, place, types))
    if found != kind or not fits:
        raise BadOptionError(
            f"{cursor[:80]!r} is no cursor of this list; it takes what a page of it has as `next`."
        )
    return place
