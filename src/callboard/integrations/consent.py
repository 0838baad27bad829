"""Consent: what a wrapped tool asks for before it runs, and what becomes of a refusal."""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import Any

from callboard.errors import BadOptionError, HumanRejectedException
from callboard.integrations.asking import Asking
from callboard.integrations.decisions import Edit, Reject, ToolRequest

__all__ = ["Consent", "Rejected", "edited"]

Rejected = Callable[[HumanRejectedException], Any]


class Consent:
    """Who is asked for consent, and what a call returns that is rejected."""

    def __init__(self, asking: Asking, rejected: Rejected | None) -> None:
        """Say so.

        Args:
            asking: Who is asked.
            rejected: Makes of a refusal what the call returns; None raises it.
        """
        self.ask, self.aask = asking.ask, asking.aask
        self._rejected = rejected

    def refused(self, request: ToolRequest, decision: Reject) -> Any:
        """Return what a call that is rejected returns.

        Args:
            request: What was about to run.
            decision: Why it does not.

        Raises:
            HumanRejectedException: Nothing is to be returned.
        """
        refusal = request.refusal(decision.reason)
        if self._rejected is None:
            raise refusal
        return self._rejected(refusal)


def edited(edit: Edit, request: ToolRequest, known: Collection[str]) -> dict[str, Any]:
    """Return the inputs that an edit gives.

    Args:
        edit: The edit.
        request: What is about to run.
        known: The names of what the tool takes.

    Raises:
        BadOptionError: The edit has others.
    """
    if unknown := [name for name in edit.inputs if name not in known]:
        raise BadOptionError(
            f"The edit names {', '.join(map(repr, unknown))}, and {request.tool} takes "
            f"{', '.join(known) or 'nothing'}. It was not run."
        )
    return dict(edit.inputs)
