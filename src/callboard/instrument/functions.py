"""Traced functions and coroutines; and which colour a function is.

What stands for a function is of the same kind, to Python and to `inspect`. Where nobody
listens, it passes everything on.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress
from functools import wraps
from inspect import isasyncgenfunction, iscoroutinefunction, isgeneratorfunction
from typing import Any

from callboard.callbacks.trace import trace_var
from callboard.instrument.generators import wrapped_async_generator, wrapped_generator
from callboard.instrument.traced import Traced

__all__ = ["wrapped"]


def wrapped(function: Callable[..., Any], traced: Traced) -> Callable[..., Any]:
    """Return the function that stands for a traced one.

    Args:
        function: The function.
        traced: What tracing knows of it.
    """
    if isasyncgenfunction(function):
        return wrapped_async_generator(function, traced)
    if isgeneratorfunction(function):
        return wrapped_generator(function, traced)
    if iscoroutinefunction(function) or iscoroutinefunction(type(function).__call__):
        return _wrapped_coroutine(function, traced)
    return _wrapped_function(function, traced)


def _wrapped_function(function: Callable[..., Any], traced: Traced) -> Callable[..., Any]:
    @wraps(function)
    def call(*args: Any, langsmith_extra: Mapping[str, Any] | None = None, **kwargs: Any) -> Any:
        made = traced.call(args, kwargs, langsmith_extra)
        if made is None:
            return function(*args, **kwargs)
        made.start()
        traced.hand_over(made, kwargs)
        token = trace_var.set(made)
        try:
            value = function(*args, **kwargs)
        except BaseException as error:
            trace_var.reset(token)
            made.fail(error)
            raise
        trace_var.reset(token)
        made.end(traced.outputs(value))
        return value

    return call


def _wrapped_coroutine(function: Callable[..., Any], traced: Traced) -> Callable[..., Any]:
    @wraps(function)
    async def call(
        *args: Any, langsmith_extra: Mapping[str, Any] | None = None, **kwargs: Any
    ) -> Any:
        made = traced.call(args, kwargs, langsmith_extra)
        if made is None:
            return await function(*args, **kwargs)
        await made.astart()
        traced.hand_over(made, kwargs)
        token = trace_var.set(made)
        try:
            value = await function(*args, **kwargs)
        except BaseException as error:
            if isinstance(error, GeneratorExit):
                made.speak_sync()
            if (sent := made.fail(error)) is not None:
                await sent
            raise
        finally:
            # A coroutine that is closed may end in another context than it began in.
            with suppress(ValueError):
                trace_var.reset(token)
        if (sent := made.end(traced.outputs(value))) is not None:
            await sent
        return value

    return call
