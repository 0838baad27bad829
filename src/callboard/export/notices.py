"""Notices: what is said once, however often it happens."""

from __future__ import annotations

import logging
from typing import Any

__all__ = ["Notices"]


class Notices:
    """Logs each notice the first time only.

    A program that runs into trouble runs into it thousands of times; its log should tell, and
    not drown. The counters tell how often.
    """

    def __init__(self, logger: logging.Logger) -> None:
        """Make notices of which none has been given yet.

        Args:
            logger: Where they go.
        """
        self._logger = logger
        self._given: set[str] = set()

    def once(self, key: str, message: str, *args: Any, level: int = logging.WARNING) -> None:
        """Log a message, unless one with the same key was logged before.

        Args:
            key: What the notice is about.
            message: The message, with places for `args`.
            *args: What to put there.
            level: How grave it is.
        """
        if key not in self._given:
            self._given.add(key)
            self._logger.log(level, message, *args)

    def forget(self, key: str) -> None:
        """Let a notice be given again: what it told of is over."""
        self._given.discard(key)
