"""Tools that a person decides on before they run: approve, edit the inputs, or reject.

What is wrapped is a function, sync or async, or a LangChain tool. Callers see what was there
before: the same signature, the same name, the same schema.
"""

from __future__ import annotations

import inspect
from typing import Any, Protocol, TypeVar, overload

from callboard.errors import BadOptionError
from callboard.integrations.approved_functions import approved_function
from callboard.integrations.approved_langchain import approved_langchain_tool, is_langchain_tool
from callboard.integrations.asking import Asking
from callboard.integrations.consent import Consent, Rejected
from callboard.integrations.decisions import Answer, Decider

__all__ = ["approved"]

Tool = TypeVar("Tool")


class Wrapper(Protocol):
    """Wraps tools, which are then asked for together: one after the other."""

    def __call__(self, tool: Tool, /) -> Tool: ...


@overload
def approved(tool: Tool, /) -> Tool: ...


@overload
def approved(
    *,
    decide: Decider | None = None,
    timeout: float | None = None,
    otherwise: Answer | None = None,
    at_once: bool = False,
    rejected: Rejected | None = None,
) -> Wrapper: ...


def approved(
    tool: Any = None,
    /,
    *,
    decide: Decider | None = None,
    timeout: float | None = None,
    otherwise: Answer | None = None,
    at_once: bool = False,
    rejected: Rejected | None = None,
) -> Any:
    """Have a person decide on each call of a tool before it is made.

    Args:
        tool: A function, a coroutine function or a LangChain tool. Without it, what is returned
            wraps tools, such as a decorator; those are asked for one after the other.
        decide: Decides: is given a `ToolRequest`, and returns True, False, ``Approve()``,
            ``Edit(inputs)`` or ``Reject(reason)``, or a coroutine of one. None asks at the
            terminal. What it raises is raised, and the tool does not run.
        timeout: How many seconds there are to decide; None for no limit.
        otherwise: What holds after that; a rejection, by default.
        at_once: Whether parallel calls are asked for at once, not one after the other. The
            terminal is one question's at a time whatever this says.
        rejected: Makes of a refusal what the call returns; None raises it.

    Returns:
        The tool, wrapped, or what wraps tools.

    Raises:
        BadOptionError: The timeout is not greater than 0, or the tool can't be wrapped.
        HumanRejectedException: From the call, if it is rejected.
    """
    asking = Asking(decide, timeout=timeout, otherwise=otherwise, at_once=at_once)
    consent = Consent(asking, rejected)

    def wrap(tool: Any) -> Any:
        if is_langchain_tool(tool):
            return approved_langchain_tool(tool, consent)
        if not callable(tool) or isinstance(tool, type) or inspect.isasyncgenfunction(tool):
            raise BadOptionError(
                f"{tool!r} can't be approved; it takes a function, a coroutine function or a "
                "LangChain tool."
            )
        return approved_function(tool, consent)

    return wrap if tool is None else wrap(tool)
