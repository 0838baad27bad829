"""Headers: what can be said in one, and who says that he sends."""

from __future__ import annotations

import re
from collections.abc import Mapping
from importlib.metadata import PackageNotFoundError, version

from callboard.errors import BadOptionError

__all__ = ["check_headers", "user_agent"]

# What a value of a header may be made of (RFC 9110, section 5.5).
_VALUE = re.compile(r"[\t\x20-\x7e\xa0-\xff]*")


def check_headers(headers: Mapping[str, str]) -> None:
    """Refuse what could never be sent; its value is a key, perhaps, and not for a log.

    Args:
        headers: The headers of a request.

    Raises:
        BadOptionError: One of them has a character that no header can hold.
    """
    for name, value in headers.items():
        if not _VALUE.fullmatch(value):
            what = "The API key" if name == "x-api-key" else f"The header {name}"
            raise BadOptionError(
                f"{what} has a line break or a character in it that no HTTP header can hold; "
                "it takes letters, digits and signs of ASCII."
            )


def user_agent() -> str:
    """Return what requests say that they are sent by."""
    try:
        return f"callboard/{version('callboard')}"
    except PackageNotFoundError:  # Run from its source, without being installed.
        return "callboard"
