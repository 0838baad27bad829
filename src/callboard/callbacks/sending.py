"""What a handler's method is called with: the event's subject, and which run it is about.

Each function here is a `dispatch.Send`. They spell the run's keywords out, and handle events
without keywords of their own apart, because that halves the time of the call.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable
    from uuid import UUID

    from callboard.callbacks.runs import BaseRunManager

    Method = Callable[..., Any]

__all__ = [
    "CustomEvent",
    "send_as_given",
    "send_custom",
    "send_event",
    "send_start",
    "send_token",
    "send_token_by_position",
]


def send_event(
    run: BaseRunManager, _: object, method: Method, subject: Any, kwargs: dict[str, Any]
) -> Any:
    """Send what happens to a run: one thing, such as its outputs or its error."""
    if kwargs:
        return method(
            subject, run_id=run.run_id, parent_run_id=run.parent_run_id, tags=run.tags, **kwargs
        )
    return method(subject, run_id=run.run_id, parent_run_id=run.parent_run_id, tags=run.tags)


def send_start(
    run: BaseRunManager,
    _: object,
    method: Method,
    subject: tuple[Any, Any],
    kwargs: dict[str, Any],
) -> Any:
    """Send the start of a run: what runs, and what it is given."""
    serialized, given = subject
    if kwargs:
        return method(
            serialized,
            given,
            run_id=run.run_id,
            parent_run_id=run.parent_run_id,
            tags=run.tags,
            metadata=run.metadata,
            **kwargs,
        )
    return method(
        serialized,
        given,
        run_id=run.run_id,
        parent_run_id=run.parent_run_id,
        tags=run.tags,
        metadata=run.metadata,
    )


def send_token(
    run: BaseRunManager,
    _: object,
    method: Method,
    subject: tuple[Any, Any],
    kwargs: dict[str, Any],
) -> Any:
    """Send a token and its chunk by keyword, as the original does in sync code.

    In async code it sends the token by position; there are handlers that rely on either.
    """
    token, chunk = subject
    if kwargs:
        return method(
            token=token,
            chunk=chunk,
            run_id=run.run_id,
            parent_run_id=run.parent_run_id,
            tags=run.tags,
            **kwargs,
        )
    return method(
        token=token,
        chunk=chunk,
        run_id=run.run_id,
        parent_run_id=run.parent_run_id,
        tags=run.tags,
    )


def send_token_by_position(
    run: BaseRunManager,
    _: object,
    method: Method,
    subject: tuple[Any, Any],
    kwargs: dict[str, Any],
) -> Any:
    """Send a token by position and its chunk by keyword, as the original does in async code."""
    token, chunk = subject
    if kwargs:
        return send_event(run, _, method, token, {"chunk": chunk, **kwargs})
    return method(
        token,
        chunk=chunk,
        run_id=run.run_id,
        parent_run_id=run.parent_run_id,
        tags=run.tags,
    )


class CustomEvent:
    """The source of a custom event: less than a run, for its parent's id is not told.

    Attributes:
        run_id: The run it belongs to.
        tags: That run's tags.
        metadata: That run's metadata.
    """

    __slots__ = ("metadata", "run_id", "tags")

    def __init__(self, run_id: UUID, tags: list[str], metadata: dict[str, Any]) -> None:
        self.run_id = run_id
        self.tags = tags
        self.metadata = metadata


def send_custom(
    event: CustomEvent,
    _: object,
    method: Method,
    subject: tuple[str, Any],
    __: dict[str, Any],
) -> Any:
    """Send a custom event: its name and data."""
    name, data = subject
    return method(name, data, run_id=event.run_id, tags=event.tags, metadata=event.metadata)


def send_as_given(
    _: object, __: object, method: Method, subject: tuple[Any, ...], kwargs: dict[str, Any]
) -> Any:
    """Send exactly what was given, by position and by keyword."""
    return method(*subject, **kwargs)
