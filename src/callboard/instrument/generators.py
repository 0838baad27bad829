"""Traced generators: one run each, and each step of theirs inside it.

Whoever asks for the next value, in whichever task or thread, is outside of the run; the
generator is inside, where it was when it yielded. All that is sent and thrown goes through.
"""

from __future__ import annotations

from asyncio import CancelledError
from collections.abc import AsyncGenerator, Awaitable, Callable, Generator, Mapping
from functools import partial, wraps
from typing import Any

from callboard.callbacks.trace import Trace, trace_var
from callboard.instrument.call import Call
from callboard.instrument.traced import Traced
from callboard.tracing.capture import MAX_VALUES

__all__ = ["wrapped_async_generator", "wrapped_generator"]


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
            del step  # It may hold an error that is thrown in, and the error this frame.
            self._inside = trace_var.get()
            trace_var.set(before)

    async def arun(self, step: Callable[[], Awaitable[Any]]) -> Any:
        """Take a step of an async generator."""
        before = trace_var.get()
        trace_var.set(self._inside)
        try:
            return await step()
        finally:
            del step  # It may hold an error that is thrown in, and the error this frame.
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
        if len(self._yielded) < MAX_VALUES:  # Some never end, and more is not recorded.
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


def wrapped_generator(function: Callable[..., Any], traced: Traced) -> Callable[..., Any]:
    """Return the generator function that stands for a traced one.

    Args:
        function: The generator function.
        traced: What tracing knows of it.
    """

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
            step: Callable[[], Any] | None = generator.__next__
            while step is not None:
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
            step = None  # As above.
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


def wrapped_async_generator(function: Callable[..., Any], traced: Traced) -> Callable[..., Any]:
    """Return the async generator function that stands for a traced one.

    Args:
        function: The async generator function.
        traced: What tracing knows of it.
    """

    @wraps(function)
    async def call(
        *args: Any, langsmith_extra: Mapping[str, Any] | None = None, **kwargs: Any
    ) -> AsyncGenerator[Any, Any]:
        made = traced.call(args, kwargs, langsmith_extra)
        steps = _UNHEARD if made is None else _Steps(traced, await made.astart())
        traced.hand_over(made, kwargs)
        try:
            generator = function(*args, **kwargs)
            step: Callable[[], Awaitable[Any]] | None = generator.__anext__
            while step is not None:
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
            step = None  # As above.
            if (sent := steps.failed(error)) is not None:
                await sent
            raise

    return call
