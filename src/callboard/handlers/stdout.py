"""The handler that prints the steps of chains and agents."""

from __future__ import annotations

import sys

from callboard.handlers.steps import StepsHandler

__all__ = ["StdOutCallbackHandler"]


class StdOutCallbackHandler(StepsHandler):
    """Prints chains as they start and end, agents' actions, tools' outputs, and texts."""

    def _write(self, text: str) -> None:
        sys.stdout.write(text)

    def _heading(self, text: str) -> str:
        return f"\x1b[1m{text}\x1b[0m"
