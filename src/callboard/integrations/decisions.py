"""What is asked before a tool runs, and what may be answered."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

from callboard.errors import BadOptionError, HumanRejectedException

__all__ = ["Answer", "Approve", "Decider", "Decision", "Edit", "Reject", "ToolRequest"]


@dataclass(frozen=True, slots=True)
class Approve:
    """Let the tool run as it was called."""


@dataclass(frozen=True, slots=True)
class Edit:
    """Let the tool run, with other inputs.

    Attributes:
        inputs: All that it is to be called with, by name.
    """

    inputs: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Reject:
    """Have the tool not run.

    Attributes:
        reason: Why; whoever called the tool is told, which may be a model.
    """

    reason: str = ""


Decision: TypeAlias = Approve | Edit | Reject


class ToolRequest(str):
    """A tool that is about to run: its input as text, and what else there is to know.

    Attributes:
        tool: The tool's name.
        inputs: Its input by name.
        tool_call_id: The model's call that it answers, if that is known.
        can_edit: Whether an `Edit` can be honoured here.
    """

    __slots__ = ("can_edit", "inputs", "tool", "tool_call_id")

    tool: str
    inputs: dict[str, Any]
    tool_call_id: str | None
    can_edit: bool

    @classmethod
    def of(
        cls,
        text: str,
        tool: str,
        inputs: Mapping[str, Any],
        *,
        tool_call_id: str | None = None,
        can_edit: bool = True,
    ) -> ToolRequest:
        """Make one.

        Args:
            text: The input as text.
            tool: The tool's name.
            inputs: Its input by name.
            tool_call_id: The model's call that it answers.
            can_edit: Whether an `Edit` can be honoured.
        """
        request = cls(text)
        request.tool, request.inputs = tool, dict(inputs)
        request.tool_call_id, request.can_edit = tool_call_id, can_edit
        return request

    def refusal(self, reason: str) -> HumanRejectedException:
        """Return what to raise when it is rejected.

        Args:
            reason: Why, if that is known.
        """
        told = f"The tool {self.tool} was not run: it was rejected"
        return HumanRejectedException(
            f"{told}: {reason}" if reason else f"{told}.",
            tool=self.tool,
            reason=reason,
            tool_call_id=self.tool_call_id,
        )

    def decision(self, answer: Any) -> Decision:
        """Return what an answer decides.

        Args:
            answer: True, False, or a decision.

        Raises:
            BadOptionError: It is none of these, or an edit where none can be honoured.
        """
        if isinstance(answer, bool):
            return Approve() if answer else Reject()
        if isinstance(answer, Edit) and not self.can_edit:
            raise BadOptionError(
                f"A handler can't change what {self.tool} is called with: wrap the tool with "
                "callboard.integrations.approved to have edits honoured. It was not run."
            )
        if isinstance(answer, (Approve, Edit, Reject)):
            return answer
        raise BadOptionError(
            f"What decides on {self.tool} answered {answer!r}; it takes True, False, Approve(), "
            "Edit(inputs) or Reject(reason). The tool was not run."
        )


Answer: TypeAlias = bool | Decision
Decider: TypeAlias = Callable[[ToolRequest], Answer | Awaitable[Answer]]
"""Decides on a request, in sync or async code; what it raises keeps the tool from running."""
