"""What callers may give as handlers, callbacks, tags and metadata, and what they are told if not.

Mistakes are found at the call that makes them, in one sentence that says what was wrong,
what was given and what is accepted; not later, inside some event.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any
from weakref import WeakSet

from callboard.callbacks.handlers import BaseCallbackHandler
from callboard.callbacks.silence import learn_silence
from callboard.errors import (
    BadCallbacksError,
    BadHandlerError,
    BadInputError,
    BadKeywordsError,
    BadMetadataError,
    BadTagsError,
    WrongColourError,
)
from callboard.events import EVENTS

__all__ = [
    "check_colour",
    "check_conversations",
    "check_handler",
    "check_handlers",
    "check_keys",
    "check_keywords",
    "check_metadata",
    "check_prompts",
    "check_tags",
]

# Classes that don't derive from our handler but have been seen to hear events.
_foreign: WeakSet[type] = WeakSet()


def check_handler(handler: object) -> None:
    """Accept anything that can hear an event: our handlers, LangChain's, and their likes.

    Raises:
        BadHandlerError: It is a class instead of an object, or has no event method.
    """
    if isinstance(handler, BaseCallbackHandler) or type(handler) in _foreign:
        return
    if isinstance(handler, type):
        raise BadHandlerError(
            f"A handler must be an object, got the class {handler.__name__}; "
            f"did you mean {handler.__name__}()?"
        )
    if not any(hasattr(handler, name) for name in EVENTS):
        raise BadHandlerError(
            f"A handler must derive from BaseCallbackHandler or have a method for an event "
            f"such as on_llm_end, got {handler!r} of type {type(handler).__name__}."
        )
    _foreign.add(type(handler))
    learn_silence(type(handler))


def check_handlers(handlers: Iterable[Any] | None, what: str) -> None:
    """Accept a list or tuple of handlers.

    Args:
        handlers: What was given.
        what: The argument's name, for the message.

    Raises:
        BadCallbacksError: It is no list or tuple.
        BadHandlerError: Something in it is no handler.
    """
    if not isinstance(handlers, (list, tuple)):
        hint = f"; did you mean [{type(handlers).__name__}(...)]?" if _can_hear(handlers) else "."
        raise BadCallbacksError(
            f"{what} must be a list of handlers, got {type(handlers).__name__}{hint}"
        )
    for handler in handlers:
        check_handler(handler)


def _can_hear(value: object) -> bool:
    return value is not None and any(hasattr(value, name) for name in EVENTS)


# What a run tells of itself with every event, and with its start.
_TOLD = frozenset({"run_id", "parent_run_id", "tags"})
_TOLD_AT_START = _TOLD | {"metadata"}


def check_keywords(kwargs: dict[str, Any], *, start: bool = False) -> None:
    """Accept an event's own keywords.

    Args:
        kwargs: The keywords.
        start: Whether the event is the start of a run.

    Raises:
        BadKeywordsError: The run tells one of them itself.
    """
    told = _TOLD_AT_START if start else _TOLD
    if not told.isdisjoint(kwargs):
        raise BadKeywordsError(
            f"{', '.join(sorted(told & kwargs.keys()))} can't be given with an event: its run "
            "tells handlers what it has of that."
        )


def check_tags(tags: object) -> None:
    """Accept a list or tuple of strings.

    Raises:
        BadTagsError: It is something else, a lone string included.
    """
    if isinstance(tags, str):
        raise BadTagsError(
            f"Tags must be a list of strings, got {tags!r}; did you mean [{tags!r}]?"
        )
    if not isinstance(tags, (list, tuple)):
        raise BadTagsError(f"Tags must be a list of strings, got {type(tags).__name__}.")
    for tag in tags:
        if not isinstance(tag, str):
            raise BadTagsError(
                f"Tags must be strings, got {tag!r} of type {type(tag).__name__} among them."
            )


def check_prompts(prompts: object) -> None:
    """Accept a list of prompts.

    Raises:
        BadInputError: It is one prompt.
    """
    if isinstance(prompts, str):
        raise BadInputError(
            f"Prompts must be a list of strings, got one of {len(prompts)} characters; "
            "did you mean [prompt]?"
        )


def check_conversations(messages: Iterable[Any]) -> None:
    """Accept a list of conversations, each a list of messages.

    Raises:
        BadInputError: It is one conversation, or one message.
    """
    first = next(iter(messages), None)
    if isinstance(first, (list, tuple)):
        return
    if isinstance(first, (str, Mapping)) or hasattr(first, "content"):
        raise BadInputError(
            "Messages must be a list of conversations, each a list of messages, got a list of "
            f"{type(first).__name__}; did you mean [messages]?"
        )


def check_keys(keys: object) -> None:
    """Accept a list of keys of metadata.

    Raises:
        BadMetadataError: It is one key.
    """
    if isinstance(keys, str):
        raise BadMetadataError(f"Keys must be a list, got {keys!r}; did you mean [{keys!r}]?")


def check_metadata(metadata: object) -> None:
    """Accept a dictionary, or another mapping: LangGraph's configs have chained ones.

    Raises:
        BadMetadataError: It is something else.
    """
    if not isinstance(metadata, Mapping):
        raise BadMetadataError(f"Metadata must be a dictionary, got {type(metadata).__name__}.")


def check_colour(given: object, *, wanted: type, other: type, instead: str) -> None:
    """Refuse a manager of the other colour: a sync one in async code, or the reverse.

    Args:
        given: A manager, or None; anything that is known to be of neither colour passes.
        wanted: The class of the right colour.
        other: The class of the wrong colour.
        instead: What to do instead, as a clause.

    Raises:
        WrongColourError: It is of the other colour.
    """
    if isinstance(given, other):
        raise WrongColourError(
            f"{wanted.__name__} expected here, got {type(given).__name__}; {instead}."
        )
