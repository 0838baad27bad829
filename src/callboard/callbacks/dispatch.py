"""How an event reaches handlers: one rule for who hears it, driven by sync or by async code.

`emit` goes through the handlers, finds those that hear the event, and calls them: that is all
of it, in sync code. `plan` goes through them in the very same way, but only notes whom it
finds; `adeliver` then calls those as async code should. What a handler raises is judged in
one place, `callboard.callbacks.reporting`.

The rules:

- Handlers that ignore the event, or never overrode it, are not called.
- An exception is logged, and raised only if its handler asks for that (``raise_error``).
- So is a cancellation that nobody asked of the host: logged, though never raised.
- A coroutine that a method returns is awaited. A future is not: it runs without being awaited,
  and may be meant to outlive the event.
- In sync code handlers are called in their order; coroutines that they return are run after
  the others, in their order, in an event loop of their own.
- In async code inline handlers (``run_inline``) come first, in their order, in the caller's
  own context; the rest run concurrently, each in a copy of it, sync ones in a thread.
"""

from __future__ import annotations

import inspect
from asyncio import CancelledError
from collections.abc import Callable, Coroutine, Iterable
from contextlib import suppress
from functools import partial, wraps
from typing import Any, ParamSpec, TypeAlias, TypeVar

from callboard.callbacks.handlers import BaseCallbackHandler
from callboard.callbacks.loops import (
    Pending,
    in_thread,
    is_being_cancelled,
    run_to_end,
    shield,
    together,
)
from callboard.callbacks.reporting import report
from callboard.callbacks.sending import send_as_given
from callboard.callbacks.silence import SILENT
from callboard.errors import UnknownEventError
from callboard.events import EVENTS, Event, named
from callboard.payloads import as_text

__all__ = [
    "Listener",
    "Method",
    "adeliver",
    "adeliver_each",
    "ahandle_event",
    "emit",
    "handle_event",
    "is_inline",
    "plan",
    "shielded",
]

Method: TypeAlias = Callable[..., Any]
Subject: TypeAlias = Any
"""What an event is about: what its method takes by position."""
Keywords: TypeAlias = dict[str, Any]

Send: TypeAlias = Callable[[Any, BaseCallbackHandler, Method, Subject, Keywords], Any]
"""Calls a handler's method, given the event's source, the handler and its method, and the
event's subject and own keywords.

The source is the run, as a rule. The call is left to functions that know it (`sending`),
because one with the run's keywords spelt out takes half the time of one with ``**``.
"""

Listener: TypeAlias = tuple[BaseCallbackHandler, Method, Subject]
"""A handler that hears the event, its method, and the subject as that method takes it."""

P = ParamSpec("P")
T = TypeVar("T")


def emit(  # noqa: C901 - the one loop that every event goes through: calls in it would cost
    handlers: Iterable[BaseCallbackHandler],
    event: Event,
    send: Send,
    source: Any,
    subject: Subject,
    kwargs: Keywords,
) -> None:
    """Send an event to those handlers that hear it, from sync code.

    Args:
        handlers: In the order in which they are to hear it.
        event: What happens.
        send: Calls a handler's method.
        source: What it happens to, for `send`.
        subject: What it is about, for `send`.
        kwargs: The event's own keywords, for `send`.

    Raises:
        Exception: What a handler raised that has ``raise_error`` set. Coroutines returned by
            then are run all the same.
    """
    pending: list[Pending] = []
    name, ignore, fallback = event.name, event.ignore, event.fallback
    try:
        for handler in handlers:
            try:
                method: Any = getattr(handler, name, None)
                try:
                    silent = method.__func__ in SILENT
                except AttributeError:  # No bound method: a mock, a plain function, or none.
                    silent = method is None
                if silent and fallback is None:
                    continue
                if ignore and getattr(handler, ignore, False):
                    continue
                if silent:  # As its own method would, were it called.
                    raise NotImplementedError  # noqa: TRY301
                answer = send(source, handler, method, subject, kwargs)
                # To ask the abstract class takes as long as the call, if it is no coroutine.
                if answer is not None and hasattr(answer, "send") and isinstance(answer, Coroutine):
                    listener = (handler, method, subject)
                    call = _call(listener, event, send, source, kwargs, answer)
                    pending.append((call, answer))
            except NotImplementedError as error:
                reworded = _reworded(handler, event, subject, error)
                if fallback and reworded:
                    emit((handler,), fallback, send, source, reworded, kwargs)
            except (Exception, CancelledError) as error:  # noqa: BLE001 - report judges
                _judge(handler, event, error)
    except BaseException:
        # What is raised here is what the caller must see, whatever the coroutines raise.
        with suppress(Exception):
            run_to_end(pending)
        raise
    if pending:
        run_to_end(pending)


class _Reworded(tuple[Any, ...]):
    """The subject of a fallback; a listener that has it hears the fallback."""

    __slots__ = ()


def _as_heard(event: Event, subject: Subject) -> Event:
    """Return what a listener hears of an event: the event, or its fallback."""
    return event.fallback if event.fallback and isinstance(subject, _Reworded) else event


def _reworded(
    handler: BaseCallbackHandler, event: Event, subject: Subject, error: NotImplementedError
) -> Subject | None:
    """Turn the subject of an event that a handler lacks into that of the event's fallback.

    That is a chat model's start, and a text model's. Of any other event, the lack is reported.
    Messages are not put into words for a handler that doesn't hear those either.
    """
    if event.fallback is None:
        report(handler, event.name, error)
        return None
    if not plan((handler,), event.fallback, None):
        return None
    try:
        serialized, messages, *rest = subject
        return _Reworded((serialized, [as_text(each) for each in messages], *rest))
    except Exception as unreadable:  # noqa: BLE001 - messages print as they like
        report(handler, event.name, unreadable)
        return None


def _judge(handler: BaseCallbackHandler, event: Event, error: BaseException) -> None:
    """Report what a handler raised, unless it is the cancellation of the task that calls it.

    A handler that awaits a cancelled task of its own raises the same: that is its failure.
    """
    if isinstance(error, CancelledError) and is_being_cancelled():
        raise error
    report(handler, event.name, error)


def is_inline(handler: BaseCallbackHandler) -> bool:
    """Whether async code calls a handler in order; not if the handler can't say.

    Args:
        handler: The handler.
    """
    try:
        return bool(getattr(handler, "run_inline", False))
    except Exception as unreadable:  # noqa: BLE001 - a property may raise anything
        report(handler, "run_inline", unreadable)
        return False


def plan(handlers: Iterable[BaseCallbackHandler], event: Event, subject: Subject) -> list[Listener]:
    """Find those handlers that hear an event, and call none.

    Args:
        handlers: In the order in which they are to hear it.
        event: What happens.
        subject: What it is about.

    Returns:
        The listeners, in order.
    """
    listeners: list[Listener] = []
    emit(handlers, event, _note, listeners, subject, {})
    return listeners


def _note(
    listeners: list[Listener],
    handler: BaseCallbackHandler,
    method: Method,
    subject: Subject,
    _: Keywords,
) -> None:
    listeners.append((handler, method, subject))


async def adeliver(
    listeners: Iterable[Listener], event: Event, send: Send, source: Any, kwargs: Keywords
) -> None:
    """Call listeners from async code: inline ones first, then the rest at once.

    Args:
        listeners: Who hears the event.
        event: What happens.
        send: Calls a listener's method.
        source: What it happens to, for `send`.
        kwargs: The event's own keywords, for `send`.

    Raises:
        Exception: The first that a listener raised whose handler has ``raise_error`` set.
    """
    await adeliver_each([(listeners, source)], event, send, kwargs)


async def adeliver_each(
    deliveries: Iterable[tuple[Iterable[Listener], Any]],
    event: Event,
    send: Send,
    kwargs: Keywords,
) -> None:
    """Deliver the same event of several sources: all inline listeners first, then the rest."""
    others: list[tuple[Listener, Any]] = []
    for listeners, source in deliveries:
        for listener in listeners:
            if is_inline(listener[0]):
                await _call(listener, event, send, source, kwargs)
            else:
                others.append((listener, source))
    if others:
        off_loop = partial(_send_off_loop, send)
        await together(
            [_call(listener, event, off_loop, source, kwargs) for listener, source in others]
        )


def _send_off_loop(
    send: Send, source: Any, handler: Any, method: Method, subject: Subject, kwargs: Keywords
) -> Any:
    """Send in a thread what is no coroutine function: it might block the event loop."""
    code = getattr(method, "__code__", None)
    # The flag answers for nearly all methods, in a tenth of the time that inspect takes.
    if (code and code.co_flags & inspect.CO_COROUTINE) or inspect.iscoroutinefunction(method):
        return send(source, handler, method, subject, kwargs)
    return _hop(send, source, handler, method, subject, kwargs)


async def _hop(send: Send, *args: Any) -> None:
    """Send in a thread; what coroutine comes back from there is awaited here, in the loop."""
    answer = await in_thread(send, *args)
    if isinstance(answer, Coroutine):
        await answer


async def _call(
    listener: Listener,
    event: Event,
    send: Send,
    source: Any,
    kwargs: Keywords,
    begun: Coroutine[Any, Any, Any] | None = None,
) -> None:
    """Call one listener, unless it is `begun`; await its coroutine; judge what it raises."""
    handler, method, subject = listener
    try:
        answer = begun if begun is not None else send(source, handler, method, subject, kwargs)
        # Once: what a coroutine returns, or a future, is the handler's own affair.
        if answer is not None and isinstance(answer, Coroutine):
            await answer
    except NotImplementedError as error:
        heard = _as_heard(event, subject)
        reworded = _reworded(handler, heard, subject, error)
        if heard.fallback and reworded:
            for second in plan((handler,), heard.fallback, reworded):
                await _call(second, heard.fallback, send, source, kwargs)
    except (Exception, CancelledError) as error:  # noqa: BLE001 - report judges
        _judge(handler, _as_heard(event, subject), error)


def handle_event(
    handlers: list[BaseCallbackHandler],
    event_name: str,
    ignore_condition_name: str | None,
    *args: Any,
    **kwargs: Any,
) -> None:
    """Send an event to handlers, from sync code.

    Args:
        handlers: Who may hear it, in order.
        event_name: The method that hears it, such as ``"on_llm_end"``, or one of an
            application's own if a handler has it.
        ignore_condition_name: The handler attribute that silences it, or None.
        *args: The event's positional arguments.
        **kwargs: Its keywords, such as ``run_id``.

    Raises:
        UnknownEventError: No event has that name, nor has any handler a method for it.
        Exception: What a handler raised that has ``raise_error`` set.
    """
    event = _known(event_name, ignore_condition_name, handlers)
    emit(handlers, event, send_as_given, None, args, kwargs)


async def ahandle_event(
    handlers: list[BaseCallbackHandler],
    event_name: str,
    ignore_condition_name: str | None,
    *args: Any,
    **kwargs: Any,
) -> None:
    """Send an event to handlers, from async code.

    Args:
        handlers: Who may hear it, in order.
        event_name: The method that hears it, such as ``"on_llm_end"``, or one of an
            application's own if a handler has it.
        ignore_condition_name: The handler attribute that silences it, or None.
        *args: The event's positional arguments.
        **kwargs: Its keywords, such as ``run_id``.

    Raises:
        UnknownEventError: No event has that name, nor has any handler a method for it.
        Exception: What a handler raised that has ``raise_error`` set.
    """
    event = _known(event_name, ignore_condition_name, handlers)
    await adeliver(plan(handlers, event, args), event, send_as_given, None, kwargs)


def _known(name: str, ignore: str | None, handlers: list[BaseCallbackHandler]) -> Event:
    if name not in EVENTS and handlers and not any(hasattr(each, name) for each in handlers):
        raise UnknownEventError(
            f"Unknown event {name!r}, and none of the handlers has a method of that name; "
            f"the known events are {', '.join(EVENTS)}."
        )
    return named(name, ignore)


def shielded(func: Callable[P, Coroutine[Any, Any, T]]) -> Callable[P, Coroutine[Any, Any, T]]:
    """Make a coroutine function finish its work even when its caller is cancelled.

    It runs as a task of its own, in the caller's context; the caller, if cancelled, stops
    waiting at once.

    Args:
        func: The coroutine function.
    """

    @wraps(func)
    async def wrapped(*args: P.args, **kwargs: P.kwargs) -> T:
        return await shield(func, *args, **kwargs)

    return wrapped
