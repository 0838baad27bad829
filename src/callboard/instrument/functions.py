"""Traced functions of each colour: plain ones, coroutines, generators and async generators.

Each is of the kind that it stands for, to Python and to `inspect`. Where nobody listens, they
pass everything on.
"""

from __future__ import annotations

import logging
from asyncio import CancelledError
from collections.abc import AsyncGenerator, Awaitable, Callable, Generator, Mapping
from contextlib import suppress
from functools import partial, wraps
from inspect import isasyncgenfunction, iscoroutinefunction, isgeneratorfunction
from typing import Any

from callboard.callbacks.surroundings import surroundings
from callboard.callbacks.trace import Trace, trace_var
from callboard.instrument.call import Call, prepared_call
from callboard.instrument.parameters import Parameters
from callboard.instrument.settings import Settings

__all__ = ["Traced", "wrapped"]

logger = logging.getLogger(__name__)

Process = Callable[[Any], Any]


class Traced:
    """What tracing knows of a decorated function."""

    def __init__(
        self,
        function: Callable[..., Any],
        settings: Settings,
        *,
        process_inputs: Process | None = None,
        process_outputs: Process | None = None,
        process_chunk: Process | None = None,
        reduce_fn: Process | None = None,
    ) -> None:
        """Read a function.

        Args:
            function: The function.
            settings: How its runs are named, told and placed.
            process_inputs: Makes of the arguments by name what is recorded of them.
            process_outputs: Makes of what is returned what is recorded of it.
            process_chunk: Makes of each value yielded what is recorded of it.
            reduce_fn: Makes of all the values yielded what is recorded as returned.
        """
        self.settings = settings
        self._parameters = Parameters(function)
        self._process_inputs = process_inputs
        self._process_outputs = process_outputs
        self._process_chunk = process_chunk
        self._reduce = reduce_fn
        self._takes_config = (
            self._parameters.takes_any_keyword or "config" in self._parameters.names
        )
        self._takes_tree = "run_tree" in self._parameters.names
        self._is_off = settings.enabled is False
        self._asks_first = not settings.is_heard_by_itself

    def call(
        self,
        args: tuple[Any, ...],
        kwargs: dict[str, Any],
        extra: Mapping[str, Any] | None,
    ) -> Call | None:
        """Return a call of the function, to be started; None if nobody would hear of it.

        Args:
            args: Its arguments by position.
            kwargs: Those by keyword. A config that the function doesn't take is taken out, and
                a place for the run put in where it has a parameter for that.
            extra: What it is told of its run.
        """
        if self._takes_tree and not self._parameters.is_given("run_tree", args, kwargs):
            kwargs["run_tree"] = None
        config = None
        if "config" in kwargs:
            config = kwargs["config"] if self._takes_config else kwargs.pop("config")
        if self._is_off:
            return None
        if extra or (isinstance(config, Mapping) and config.get("callbacks")):
            inputs = partial(self._inputs, args, kwargs)
            return prepared_call(self.settings, inputs, extra or {}, config)
        if self._asks_first and not surroundings().may_listen():
            return None
        return prepared_call(self.settings, partial(self._inputs, args, kwargs))

    def hand_over(self, call: Call | None, kwargs: dict[str, Any]) -> None:
        """Give the run to a function that has a parameter for it.

        Args:
            call: The call, if it is heard.
            kwargs: The function's arguments by keyword.
        """
        if self._takes_tree and call is not None and kwargs.get("run_tree", call) is None:
            kwargs["run_tree"] = call.run_tree

    def _inputs(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> dict[str, Any]:
        inputs = self._parameters.inputs(args, kwargs)
        inputs.pop("run_tree", None)
        if self._process_inputs is None:
            return inputs
        processed = self._processed(self._process_inputs, inputs, "inputs")
        return processed if isinstance(processed, dict) else {"input": processed}

    def outputs(self, value: Any) -> Any:
        """Return what is recorded of what the function returned.

        Args:
            value: What it returned.
        """
        if self._process_outputs is None:
            return value
        return self._processed(self._process_outputs, value, "outputs")

    def chunk(self, value: Any) -> Any:
        """Return what is recorded of a value that it yielded.

        Args:
            value: What it yielded.
        """
        if self._process_chunk is None:
            return value
        return self._processed(self._process_chunk, value, "chunk")

    def reduced(self, yielded: list[Any]) -> Any:
        """Return what is recorded of all the values that it yielded.

        Args:
            yielded: What it yielded, and what it returned, if that is anything.
        """
        if self._reduce is None or not yielded:
            return self.outputs(yielded)
        try:
            return self.outputs(self._reduce(yielded))
        except Exception:
            logger.warning("reduce_fn of %s failed", self.settings.name, exc_info=True)
            return self.outputs(yielded)

    def _processed(self, process: Process, value: Any, what: str) -> Any:
        """Process a value. One that can't be is not recorded: it may hold what must not be."""
        try:
            return process(value)
        except Exception as error:
            logger.warning("process_%s of %s failed", what, self.settings.name, exc_info=True)
            return {"error": f"{what} left out: process_{what} raised {type(error).__name__}"}


def wrapped(function: Callable[..., Any], traced: Traced) -> Callable[..., Any]:
    """Return the function that stands for a traced one.

    Args:
        function: The function.
        traced: What tracing knows of it.
    """
    if isasyncgenfunction(function):
        return _wrapped_async_generator(function, traced)
    if isgeneratorfunction(function):
        return _wrapped_generator(function, traced)
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


class _Steps:
    """The steps of a generator: each inside its run, and what it has yielded so far."""

    def __init__(self, traced: Traced, call: Call) -> None:
        self._traced = traced
        self.call = call
        self._inside: Trace | None = call
        self._yielded: list[Any] = []
        self._sent_away: BaseException | None = None

    def run(self, step: Callable[[], Any]) -> Any:
        """Take a step inside the run, whatever surrounds whoever asks for it."""
        before = trace_var.get()
        trace_var.set(self._inside)
        try:
            return step()
        finally:
            self._inside = trace_var.get()
            trace_var.set(before)

    async def arun(self, step: Callable[[], Awaitable[Any]]) -> Any:
        """Take a step of an async generator."""
        before = trace_var.get()
        trace_var.set(self._inside)
        try:
            return await step()
        finally:
            self._inside = trace_var.get()
            trace_var.set(before)

    def thrown(self, error: BaseException) -> None:
        """Learn what is thrown in where a value was yielded.

        A loop that ends closes the generators that were abandoned in it, and cancels that: what
        comes is a cancellation that was raised nowhere.
        """
        raised = error.__traceback__
        if isinstance(error, CancelledError) and (raised is None or raised.tb_next is None):
            self._sent_away = error

    def heard(self, value: Any) -> Any:
        """Keep a value, and tell of it before whoever asked for it has it."""
        value = self._traced.chunk(value)
        self._yielded.append(value)
        return self.call.heard_token(value)

    def ended(self, returned: Any = None) -> Any:
        """End the run, with what the generator has returned too if that is anything."""
        if returned is not None:
            self._yielded.append(returned)
        return self.call.end(self._traced.reduced(self._yielded))

    def failed(self, error: BaseException) -> Any:
        """End the run with what went wrong; being abandoned half-way is nothing wrong."""
        if isinstance(error, GeneratorExit) or error is self._sent_away:
            self.call.speak_sync()
            return self.ended()
        return self.call.fail(error, self._traced.reduced(self._yielded) if self._yielded else None)


def _wrapped_generator(function: Callable[..., Any], traced: Traced) -> Callable[..., Any]:
    @wraps(function)
    def call(
        *args: Any, langsmith_extra: Mapping[str, Any] | None = None, **kwargs: Any
    ) -> Generator[Any, Any, Any]:
        made = traced.call(args, kwargs, langsmith_extra)
        if made is None:
            return (yield from function(*args, **kwargs))
        steps = _Steps(traced, made.start())
        traced.hand_over(made, kwargs)
        try:
            generator = function(*args, **kwargs)
            step: Callable[[], Any] = generator.__next__
            while True:
                value = steps.run(step)
                steps.heard(value)
                try:
                    step = partial(generator.send, (yield value))
                except BaseException as error:  # noqa: BLE001 - the generator's to judge
                    step = partial(generator.throw, error)
        except StopIteration as stop:
            steps.ended(stop.value)
            return stop.value
        except BaseException as error:
            steps.failed(error)
            raise

    return call


class _Unheard:
    """The steps of an async generator that nobody hears of."""

    async def arun(self, step: Callable[[], Awaitable[Any]]) -> Any:
        return await step()

    def thrown(self, error: BaseException) -> None:
        """Leave it to the generator."""

    def heard(self, value: Any) -> None:
        """Keep nothing."""

    def ended(self) -> None:
        """Tell nobody."""

    def failed(self, error: BaseException) -> None:
        """Tell nobody."""


_UNHEARD = _Unheard()


def _wrapped_async_generator(function: Callable[..., Any], traced: Traced) -> Callable[..., Any]:
    @wraps(function)
    async def call(
        *args: Any, langsmith_extra: Mapping[str, Any] | None = None, **kwargs: Any
    ) -> AsyncGenerator[Any, Any]:
        made = traced.call(args, kwargs, langsmith_extra)
        steps = _UNHEARD if made is None else _Steps(traced, await made.astart())
        traced.hand_over(made, kwargs)
        try:
            generator = function(*args, **kwargs)
            step: Callable[[], Awaitable[Any]] = generator.__anext__
            while True:
                value = await steps.arun(step)
                if (sent := steps.heard(value)) is not None:
                    await sent
                try:
                    step = partial(generator.asend, (yield value))
                except BaseException as error:  # noqa: BLE001 - the generator's to judge
                    steps.thrown(error)
                    step = partial(generator.athrow, error)
        except StopAsyncIteration:
            if (sent := steps.ended()) is not None:
                await sent
        except BaseException as error:
            if (sent := steps.failed(error)) is not None:
                await sent
            raise

    return call
