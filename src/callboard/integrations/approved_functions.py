"""Functions that ask for consent before they run: each call is bound to its parameters first."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from functools import wraps
from typing import Any

from callboard.integrations.consent import Consent, edited
from callboard.integrations.decisions import Decision, Edit, Reject, ToolRequest

__all__ = ["approved_function"]


def approved_function(function: Callable[..., Any], consent: Consent) -> Callable[..., Any]:
    """Return a function, or a coroutine function, that asks and then calls the one it is given.

    Args:
        function: The function.
        consent: Who is asked.
    """
    kinds = (function, type(function).__call__)
    wrapped = _coroutine_function if any(map(inspect.iscoroutinefunction, kinds)) else _function
    return wrapped(function, inspect.signature(function), consent)


def _function(
    function: Callable[..., Any], signature: inspect.Signature, consent: Consent
) -> Callable[..., Any]:
    @wraps(function)
    def call(*args: Any, **kwargs: Any) -> Any:
        bound = _Call(function, signature.bind(*args, **kwargs))
        decision = consent.ask(bound.request)
        if isinstance(decision, Reject):
            return consent.refused(bound.request, decision)
        args, kwargs = bound.decided(decision)
        return function(*args, **kwargs)

    return call


def _coroutine_function(
    function: Callable[..., Any], signature: inspect.Signature, consent: Consent
) -> Callable[..., Any]:
    @wraps(function)
    async def call(*args: Any, **kwargs: Any) -> Any:
        bound = _Call(function, signature.bind(*args, **kwargs))
        decision = await consent.aask(bound.request)
        if isinstance(decision, Reject):
            return consent.refused(bound.request, decision)
        args, kwargs = bound.decided(decision)
        return await function(*args, **kwargs)

    return call


class _Call:
    """A call that is about to be made: the object that a method belongs to is no input of it."""

    def __init__(self, function: Callable[..., Any], bound: inspect.BoundArguments) -> None:
        bound.apply_defaults()
        given = bound.arguments
        self._bound = bound
        self._hidden = {name: given[name] for name in list(given)[:1] if name in {"self", "cls"}}
        inputs = {name: each for name, each in given.items() if name not in self._hidden}
        name = getattr(function, "__name__", type(function).__name__)
        self.request = ToolRequest.of(str(inputs), name, inputs)

    def decided(self, decision: Decision) -> tuple[tuple[Any, ...], dict[str, Any]]:
        """Return the arguments to call the function with, by position and by keyword."""
        if isinstance(decision, Edit):
            parameters = self._bound.signature.parameters
            known = [name for name in parameters if name not in self._hidden]
            self._bound.arguments = {**self._hidden, **edited(decision, self.request, known)}
            self._bound.apply_defaults()
        return self._bound.args, self._bound.kwargs
