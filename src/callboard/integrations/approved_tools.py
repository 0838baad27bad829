"""Tools that a person decides on before they run: approve, edit the inputs, or reject.

What is wrapped is a function, sync or async, or a LangChain tool, which is known by its shape.
Callers see what was there before: the same signature, the same name, the same schema.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from functools import wraps
from typing import Any, Protocol, TypeVar, overload

from callboard.errors import BadOptionError, HumanRejectedException
from callboard.integrations.asking import Asking, verdict
from callboard.integrations.decisions import Answer, Decider, Decision, Edit, Reject, ToolRequest

__all__ = ["approved"]

Tool = TypeVar("Tool")
Rejected = Callable[[HumanRejectedException], Any]


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

    def wrap(tool: Any) -> Any:
        if isinstance(tool, type) or inspect.isasyncgenfunction(tool) or not _is_tool(tool):
            raise BadOptionError(
                f"{tool!r} can't be approved; it takes a function, a coroutine function or a "
                "LangChain tool."
            )
        return _Tool(asking, rejected).wrapped(tool)

    return wrap if tool is None else wrap(tool)


def _is_tool(tool: Any) -> bool:
    return callable(tool) or _is_langchains(tool)


def _is_langchains(tool: Any) -> bool:
    return all(hasattr(tool, name) for name in ("run", "arun", "args", "model_copy"))


class _Tool:
    """How a tool is asked for, and what becomes of a refusal."""

    def __init__(self, asking: Asking, rejected: Rejected | None) -> None:
        self.asking = asking
        self._rejected = rejected

    def wrapped(self, tool: Any) -> Any:
        if _is_langchains(tool):
            return _langchains(tool, self)
        if inspect.iscoroutinefunction(tool) or inspect.iscoroutinefunction(type(tool).__call__):
            return _coroutine_function(tool, self)
        return _function(tool, self)

    def refused(self, request: ToolRequest, decision: Reject) -> Any:
        refusal = request.refusal(decision.reason)
        if self._rejected is None:
            raise refusal
        return self._rejected(refusal)


def _function(function: Callable[..., Any], way: _Tool) -> Callable[..., Any]:
    signature = inspect.signature(function)

    @wraps(function)
    def call(*args: Any, **kwargs: Any) -> Any:
        bound = _Bound(signature, function, args, kwargs)
        decision = way.asking.ask(bound.request)
        if isinstance(decision, Reject):
            return way.refused(bound.request, decision)
        bound.edit(decision)
        return function(*bound.args, **bound.kwargs)

    return call


def _coroutine_function(function: Callable[..., Any], way: _Tool) -> Callable[..., Any]:
    signature = inspect.signature(function)

    @wraps(function)
    async def call(*args: Any, **kwargs: Any) -> Any:
        bound = _Bound(signature, function, args, kwargs)
        decision = await way.asking.aask(bound.request)
        if isinstance(decision, Reject):
            return way.refused(bound.request, decision)
        bound.edit(decision)
        return await function(*bound.args, **bound.kwargs)

    return call


class _Bound:
    """A function's arguments, by name: the object that a method belongs to is none."""

    def __init__(
        self,
        signature: inspect.Signature,
        function: Callable[..., Any],
        args: tuple[Any, ...],
        kwargs: dict[str, Any],
    ) -> None:
        self._bound = signature.bind(*args, **kwargs)
        self._bound.apply_defaults()
        given = self._bound.arguments
        self._hidden = {each: given[each] for each in list(given)[:1] if each in {"self", "cls"}}
        shown = {name: each for name, each in given.items() if name not in self._hidden}
        name = getattr(function, "__name__", type(function).__name__)
        self.request = ToolRequest.of(str(shown), name, shown)

    def edit(self, decision: Decision) -> None:
        if not isinstance(decision, Edit):
            return
        parameters = self._bound.signature.parameters
        _check(decision, self.request, [each for each in parameters if each not in self._hidden])
        self._bound.arguments = {**self._hidden, **decision.inputs}
        self._bound.apply_defaults()

    @property
    def args(self) -> tuple[Any, ...]:
        return self._bound.args

    @property
    def kwargs(self) -> dict[str, Any]:
        return self._bound.kwargs


def _langchains(tool: Any, way: _Tool) -> Any:
    """Return a copy of a LangChain tool that asks before it runs, and so before its run begins.

    Asked for are the inputs that a model gives; those that are injected are kept. Edited inputs
    go through the tool's own validation, and are what is recorded.
    """
    kind: Any = type(tool)

    class Approved(kind):  # type: ignore[misc]
        def run(self, tool_input: Any, *args: Any, **kwargs: Any) -> Any:
            request = _request(self, tool_input, kwargs)
            decision = way.asking.ask(request)
            if isinstance(decision, Reject):
                return way.refused(request, decision)
            given = _as_decided(self, tool_input, request, decision, kwargs)
            return super().run(given, *args, **kwargs)

        async def arun(self, tool_input: Any, *args: Any, **kwargs: Any) -> Any:
            request = _request(self, tool_input, kwargs)
            decision = await way.asking.aask(request)
            if isinstance(decision, Reject):
                return way.refused(request, decision)
            given = _as_decided(self, tool_input, request, decision, kwargs)
            return await super().arun(given, *args, **kwargs)

    Approved.__name__, Approved.__qualname__ = kind.__name__, kind.__qualname__
    twin = tool.model_copy()
    object.__setattr__(twin, "__class__", Approved)
    return twin


def _request(tool: Any, given: Any, told: Mapping[str, Any]) -> ToolRequest:
    if isinstance(given, Mapping):
        inputs = {name: each for name, each in given.items() if name in tool.args}
    else:
        inputs = {next(iter(tool.args), "input"): given}
    call = told.get("tool_call_id")
    return ToolRequest.of(str(inputs), str(tool.name), inputs, tool_call_id=call)


def _as_decided(
    tool: Any, given: Any, request: ToolRequest, decision: Decision, told: dict[str, Any]
) -> Any:
    """Return what to call the tool with, and have its run tell what was decided."""
    told["metadata"] = {**(told.get("metadata") or {}), "approval": verdict(decision)["decision"]}
    if not isinstance(decision, Edit):
        return given
    _check(decision, request, list(tool.args))
    injected = given if isinstance(given, Mapping) else {}
    kept = {name: each for name, each in injected.items() if name not in request.inputs}
    return {**kept, **decision.inputs}


def _check(edit: Edit, request: ToolRequest, known: Sequence[str]) -> None:
    if unknown := [name for name in edit.inputs if name not in known]:
        raise BadOptionError(
            f"The edit names {', '.join(map(repr, unknown))}, and {request.tool} takes "
            f"{', '.join(known) or 'nothing'}. It was not run."
        )
