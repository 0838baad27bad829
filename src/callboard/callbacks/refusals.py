"""Starts that a handler refuses, by raising: whoever has heard of the run by then hears its end.

The application gets the exception in place of the run, so that it can't end it. Without an end a
tracer would show it as running for ever, and a limit count it as under way. Chains are not seen to
here: what starts them ends them (`callboard.callbacks.groups`).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from typing import TYPE_CHECKING, Generic, Self, TypeVar

from callboard import events
from callboard.callbacks.dispatch import Listener, adeliver, emit, is_inline, plan
from callboard.callbacks.handlers import BaseCallbackHandler
from callboard.callbacks.loops import shield_reported
from callboard.callbacks.sending import send_event

if TYPE_CHECKING:
    from callboard.callbacks.runs import BaseRunManager

__all__ = ["REFUSED", "AsyncHeard", "Heard"]

REFUSED: Mapping[events.Event, events.Event] = {
    events.LLM_START: events.LLM_ERROR,
    events.CHAT_MODEL_START: events.LLM_ERROR,
    events.RETRIEVER_START: events.RETRIEVER_ERROR,
    events.TOOL_START: events.TOOL_ERROR,
}
"""How those runs end whose starts are refused."""

T = TypeVar("T")


class _Noting(Generic[T]):
    """Who has heard the starts of some runs."""

    __slots__ = ("_end", "_heard")

    def __init__(self, start: events.Event) -> None:
        """Note nobody yet.

        Args:
            start: What is told.
        """
        self._end = REFUSED[start]
        self._heard: list[tuple[BaseRunManager, list[T]]] = []

    def of(self, run: BaseRunManager, told: Iterable[T]) -> Iterator[T]:
        """Return those who are told of a run's start, and note each when it has heard it.

        Args:
            run: The run.
            told: Who is to hear it, in order.
        """
        heard: list[T] = []
        self._heard.append((run, heard))
        for each in told:
            yield each
            heard.append(each)  # The next is asked for: so this one has not raised.


class Heard(_Noting[BaseCallbackHandler]):
    """Has runs end for the handlers that heard them start, if an exception leaves its block."""

    __slots__ = ()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        if error is not None:
            for run, handlers in self._heard:
                # The application gets the refusal, whatever is raised because of it.
                with suppress(Exception):
                    emit(handlers, self._end, send_event, run, error, {})


class AsyncHeard(_Noting[Listener]):
    """The same in async code, for inline handlers: the others are told at once, none before one."""

    __slots__ = ()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        # When a coroutine is closed, nothing can be awaited any more.
        if error is None or isinstance(error, GeneratorExit):
            return
        for run, listeners in self._heard:
            inline = [handler for handler, _, _ in listeners if is_inline(handler)]
            with suppress(Exception):
                told = plan(inline, self._end, error)
                await shield_reported(adeliver, told, self._end, send_event, run, {})
