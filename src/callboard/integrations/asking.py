"""Asking: has a request decided in sync or async code, in time, one after the other."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Awaitable
from contextlib import nullcontext
from typing import Any, TypeAlias, cast

from callboard.errors import BadOptionError
from callboard.instrument.place import current_tree
from callboard.integrations.decisions import Answer, Decider, Decision, Edit, Reject, ToolRequest
from callboard.integrations.terminal import TERMINAL, prompt
from callboard.integrations.turns import Turn, in_daemon, run_to_end

__all__ = ["Asking", "verdict"]

_Turns: TypeAlias = "Turn | nullcontext[None]"


class Asking:
    """Who is asked, how long there is to answer, and what holds if nobody does.

    Whatever the decider raises, or answers that is no decision, is raised: nothing then runs.
    """

    def __init__(
        self,
        decide: Decider | None = None,
        *,
        timeout: float | None = None,
        otherwise: Answer | None = None,
        at_once: bool = False,
    ) -> None:
        """Say who is asked.

        Args:
            decide: The decider, sync or async; None asks at the terminal.
            timeout: How many seconds there are to decide, counted from when it is asked.
            otherwise: What holds after that; a rejection, by default.
            at_once: Whether the decider may be asked again before it has answered; the terminal
                never is.

        Raises:
            BadOptionError: The timeout is not greater than 0.
        """
        if timeout is not None and timeout <= 0:
            raise BadOptionError(f"timeout is {timeout!r}; it takes seconds, more than 0, or None.")
        self._decide: Decider = prompt if decide is None else decide
        self._turn: _Turns = TERMINAL
        if decide is not None:
            self._turn = nullcontext() if at_once else Turn()
        self._timeout = timeout
        too_late = Reject(f"nobody decided within {timeout or 0:g} seconds")
        self._otherwise: Answer = too_late if otherwise is None else otherwise

    def ask(self, request: ToolRequest) -> Decision:
        """Have a request decided, from sync code.

        Args:
            request: What is about to run.
        """
        with self._turn:
            answer = self._decide(request) if self._timeout is None else self._in_time(request)
            if inspect.isawaitable(answer):
                answer = run_to_end(_awaited(answer))
        return _noted(request, request.decision(answer))

    async def aask(self, request: ToolRequest) -> Decision:
        """Have a request decided, from async code, whose event loop goes on meanwhile.

        Args:
            request: What is about to run.
        """
        async with self._turn:
            answer = await self._in_time(request)
        return _noted(request, request.decision(answer))

    async def _in_time(self, request: ToolRequest) -> Answer:
        limit = asyncio.timeout(self._timeout)
        try:
            async with limit:
                return await self._answer(request)
        except TimeoutError:
            if not limit.expired():
                raise
            return self._otherwise

    async def _answer(self, request: ToolRequest) -> Answer:
        if inspect.iscoroutinefunction(self._decide):
            return cast("Answer", await self._decide(request))
        answer = await in_daemon(self._decide, request)
        return await answer if inspect.isawaitable(answer) else answer


async def _awaited(answer: Awaitable[Answer]) -> Answer:
    return await answer


def verdict(decision: Decision) -> dict[str, Any]:
    """Return a decision as a trace notes it.

    Args:
        decision: The decision.
    """
    told: dict[str, Any] = {"decision": type(decision).__name__.lower()}
    if isinstance(decision, Edit):
        told["inputs"] = dict(decision.inputs)
    if isinstance(decision, Reject) and decision.reason:
        told["reason"] = decision.reason
    return told


def _noted(request: ToolRequest, decision: Decision) -> Decision:
    """Note a decision in the run around it, if that is a traced function's or block's."""
    if (tree := current_tree()) is not None:
        kwargs = {"tool": request.tool, **verdict(decision)}
        tree.add_event({"name": "approval", "kwargs": kwargs})
    return decision
