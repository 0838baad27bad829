"""Handlers that have a person decide on each tool before it runs.

A handler can keep a tool from running. It can't change what the tool is called with, for whoever
calls the tool has its arguments: `callboard.integrations.approved` wraps the tool for that.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from callboard.callbacks.handlers import AsyncCallbackHandler, BaseCallbackHandler
from callboard.integrations.asking import Asking
from callboard.integrations.decisions import Answer, Decider, Decision, Reject, ToolRequest
from callboard.integrations.turns import in_event_loop

__all__ = ["AsyncHumanApprovalCallbackHandler", "HumanApprovalCallbackHandler"]

Check = Callable[[dict[str, Any]], bool]


class _Approval:
    """What the two handlers have in common."""

    raise_error = True

    def __init__(
        self,
        approve: Decider | None = None,
        should_check: Check | None = None,
        *,
        timeout: float | None = None,
        otherwise: Answer | None = None,
        at_once: bool = False,
    ) -> None:
        """Make a handler.

        Args:
            approve: Decides: is given a `ToolRequest`, which is the input as text and has the
                tool's name and inputs, and returns True, False, ``Approve()`` or
                ``Reject(reason)``, or a coroutine of one. None asks at the terminal.
            should_check: Whether to ask at all, given what the tool is, as a dictionary with its
                ``name``; None asks for every tool.
            timeout: How many seconds there are to decide; None for no limit.
            otherwise: What holds after that; a rejection, by default.
            at_once: Whether parallel tools are asked for at once, not one after the other. The
                terminal is one question's at a time whatever this says.

        Raises:
            BadOptionError: The timeout is not greater than 0.
        """
        self._asking = Asking(approve, timeout=timeout, otherwise=otherwise, at_once=at_once)
        self._should_check = should_check

    def _ask(self, serialized: Any, input_str: str, **kwargs: Any) -> None:
        request = self._request(serialized, input_str, kwargs)
        if request is not None:
            _judge(request, self._asking.ask(request))

    async def _aask(self, serialized: Any, input_str: str, **kwargs: Any) -> None:
        request = self._request(serialized, input_str, kwargs)
        if request is not None:
            _judge(request, await self._asking.aask(request))

    def _request(
        self, serialized: Mapping[str, Any] | None, text: str, told: Mapping[str, Any]
    ) -> ToolRequest | None:
        """Return what to ask; None if this tool is not asked for."""
        known = dict(serialized or {})
        tool = str(known.get("name") or told.get("name") or "<unknown>")
        if self._should_check is not None and not self._should_check({"name": tool, **known}):
            return None
        inputs = told.get("inputs")
        return ToolRequest.of(
            text,
            tool,
            inputs if isinstance(inputs, Mapping) else {"input": text},
            tool_call_id=told.get("tool_call_id"),
            can_edit=False,
        )


class HumanApprovalCallbackHandler(_Approval, BaseCallbackHandler):
    """Asks before each tool whether it may run, and raises `HumanRejectedException` if not.

    For sync code. In async code it is called in a thread, which goes on asking if the task is
    cancelled: take `AsyncHumanApprovalCallbackHandler` there.
    """

    def on_tool_start(
        self, serialized: dict[str, Any] | None, input_str: str, **kwargs: Any
    ) -> None:
        """Ask, and refuse the tool if it is rejected."""
        self._ask(serialized, input_str, **kwargs)


class AsyncHumanApprovalCallbackHandler(_Approval, AsyncCallbackHandler):
    """Asks before each tool, in async code, whose event loop goes on meanwhile.

    LangChain calls sync tools in a thread; there it asks as sync code does. Not for sync code that
    is called where an event loop runs, as in a notebook: LangChain's own managers would log its
    refusal, and go on. Take `HumanApprovalCallbackHandler` there.
    """

    # Before the others: a tool that is refused is then never begun for them.
    run_inline = True

    # LangChain's sync managers run a coroutine to its end, log what it raises, and have the tool
    # run all the same. So where no event loop runs, the method is none that returns one.
    @property
    def on_tool_start(self) -> Any:  # pyright: ignore[reportIncompatibleMethodOverride]
        """What asks, and refuses the tool if it is rejected."""
        return self._aask if in_event_loop() else self._ask


def _judge(request: ToolRequest, decision: Decision) -> None:
    if isinstance(decision, Reject):
        raise request.refusal(decision.reason)
