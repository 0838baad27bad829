"""What the handlers that print have in common: colours, and the name of a run."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from callboard.errors import BadOptionError

__all__ = ["check_color", "colored", "run_name"]

# Names as in the original system, each with its SGR parameters (ECMA-48, section 8.3.117).
_COLORS = {
    "blue": "36;1",
    "yellow": "33;1",
    "pink": "38;5;200",
    "green": "32;1",
    "red": "31;1",
}


def check_color(color: str | None) -> str | None:
    """Return a colour that can be printed in, or None.

    Raises:
        BadOptionError: There is no such colour.
    """
    if color is not None and color not in _COLORS:
        raise BadOptionError(f"Unknown color {color!r}; accepted are {', '.join(_COLORS)}.")
    return color


def colored(text: str, color: str | None) -> str:
    """Return text with the control sequences for a colour around it, if one is given."""
    code = _COLORS.get(color) if color else None
    return f"\x1b[{code}m\x1b[1;3m{text}\x1b[0m" if code else text


def run_name(serialized: Mapping[str, Any] | None, kwargs: Mapping[str, Any]) -> str:
    """Return the name of a run that starts: the one it was given, else its component's.

    Args:
        serialized: What the component is: its ``name``, or its ``id``, a path that ends in
            the class's name.
        kwargs: What else the start told: perhaps the run's ``name``.
    """
    known = serialized or {}
    path = known.get("id") or [None]
    return str(kwargs.get("name") or known.get("name") or path[-1] or "<unknown>")
