"""What the environment says, read once.

Looking a variable up costs more than starting a run should, so each is looked up the first
time that it matters and remembered. A program that changes its environment while it runs
calls `reload_environment`.
"""

from __future__ import annotations

import os
from functools import cache

__all__ = ["is_on", "reload_environment"]

_OFF = frozenset({"", "0", "false"})


@cache
def is_on(name: str) -> bool:
    """Whether a variable is set to anything but the empty string, 0 or false.

    Args:
        name: The variable's name.
    """
    return os.environ.get(name, "").lower() not in _OFF


def reload_environment() -> None:
    """Forget what the environment said, so that it is read again."""
    is_on.cache_clear()
