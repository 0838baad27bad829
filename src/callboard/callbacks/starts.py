"""Starts of runs: how handlers are told, and what becomes of one that a handler refuses.

A handler refuses a start by raising, and the application gets that in place of the run: so it can't
end it. Whoever has heard of the run by then hears its end here; else a tracer would show it as
running for ever, and a limit count it as under way. Chains are not ended here: what starts them
does (`callboard.callbacks.groups`).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Generic, Self, TypeAlias, TypeVar

from callboard import events
from callboard.callbacks.checks import check_keywords
from callboard.callbacks.dispatch import (
    Listener,
    adeliver,
    adeliver_each,
    emit,
    is_inline,
    plan,
)
from callboard.callbacks.handlers import BaseCallbackHandler
from callboard.callbacks.loops import shield_reported
from callboard.callbacks.sending import send_event, send_start

if TYPE_CHECKING:
    from callboard.callbacks.runs import BaseRunManager

__all__ = ["Start", "atell", "tell"]

Start: TypeAlias = "tuple[tuple[Any, Any], BaseRunManager]"
"""A run, after what it is and what it is given."""

_REFUSED: Mapping[events.Event, events.Event] = {
    events.LLM_START: events.LLM_ERROR,
    events.CHAT_MODEL_START: events.LLM_ERROR,
    events.RETRIEVER_START: events.RETRIEVER_ERROR,
    events.TOOL_START: events.TOOL_ERROR,
}

T = TypeVar("T")


def tell(
    handlers: Sequence[BaseCallbackHandler],
    event: events.Event,
    starts: Sequence[Start],
    kwargs: dict[str, Any],
) -> None:
    """Tell handlers of the starts of runs, from sync code.

    Args:
        handlers: In the order in which they are to hear it.
        event: What starts.
        starts: The runs.
        kwargs: What else they are to be told.

    Raises:
        Exception: What a handler raised that has ``raise_error`` set.
    """
    if kwargs:
        check_keywords(kwargs, start=True)
    if not handlers:
        return
    if _is_nobody_elses(handlers, event, starts):
        for subject, run in starts:
            emit(handlers, event, send_start, run, subject, kwargs)
        return
    with _Heard(event) as heard:
        for subject, run in starts:
            emit(heard.of(run, handlers), event, send_start, run, subject, kwargs)


async def atell(
    handlers: Sequence[BaseCallbackHandler],
    event: events.Event,
    starts: Sequence[Start],
    kwargs: dict[str, Any],
) -> None:
    """Tell handlers of the starts of runs, from async code: see `tell`."""
    if kwargs:
        check_keywords(kwargs, start=True)
    if not handlers:
        return
    listening = [(plan(handlers, event, subject), run) for subject, run in starts]
    if _is_nobody_elses(handlers, event, starts):
        await adeliver_each(listening, event, send_start, kwargs)
        return
    async with _AsyncHeard(event) as heard:
        noted = [(heard.of(run, listeners), run) for listeners, run in listening]
        await adeliver_each(noted, event, send_start, kwargs)


def _is_nobody_elses(
    handlers: Sequence[BaseCallbackHandler], event: events.Event, starts: Sequence[Start]
) -> bool:
    """Whether a refusal would end nothing here; to note who has heard takes as long as a call."""
    return event not in _REFUSED or len(handlers) == len(starts) == 1


class _Noting(Generic[T]):
    """Who has heard the starts of some runs."""

    __slots__ = ("_end", "_heard")

    def __init__(self, start: events.Event) -> None:
        """Note nobody yet.

        Args:
            start: What is told.
        """
        self._end = _REFUSED[start]
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


class _Heard(_Noting[BaseCallbackHandler]):
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


class _AsyncHeard(_Noting[Listener]):
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
