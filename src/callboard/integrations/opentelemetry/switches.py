"""What OpenTelemetry's own variables ask for: which conventions, and where content goes."""

from __future__ import annotations

import logging
from typing import Literal, NamedTuple, TypeAlias

from callboard.environment import value_of
from callboard.errors import BadOptionError

__all__ = ["Content", "ContentPlace", "ConventionName", "content_told", "convention_chosen"]

logger = logging.getLogger(__name__)

ConventionName: TypeAlias = Literal["genai", "genai-latest", "openinference"]
ContentPlace: TypeAlias = Literal["no_content", "span_only", "event_only", "span_and_event"]

_CONVENTIONS = ("genai", "genai-latest", "openinference")
_OPT_IN = "gen_ai_latest_experimental"
_CAPTURE = "OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT"
_EMIT = "OTEL_INSTRUMENTATION_GENAI_EMIT_EVENT"


class Content(NamedTuple):
    """Where content goes.

    Attributes:
        in_spans: Whether spans tell it.
        in_events: Whether events tell it.
        emits_events: Whether there are events, with content or without.
    """

    in_spans: bool
    in_events: bool
    emits_events: bool


_PLACES = {
    "no_content": Content(in_spans=False, in_events=False, emits_events=False),
    "span_only": Content(in_spans=True, in_events=False, emits_events=False),
    "event_only": Content(in_spans=False, in_events=True, emits_events=True),
    "span_and_event": Content(in_spans=True, in_events=True, emits_events=True),
}
# What instrumentations took before places could be told apart.
_FORMER = {"true": "span_only", "false": "no_content"}


def convention_chosen(asked: str | None) -> str:
    """Return the conventions that are asked for, or else those that the environment asks for.

    Args:
        asked: Their name, or None.

    Raises:
        BadOptionError: There are no such conventions.
    """
    if asked is None:
        opted_in = (value_of("OTEL_SEMCONV_STABILITY_OPT_IN") or "").split(",")
        return "genai-latest" if _OPT_IN in map(str.strip, opted_in) else "genai"
    if asked not in _CONVENTIONS:
        raise BadOptionError(
            f"Unknown conventions {asked!r}; accepted are {', '.join(_CONVENTIONS)}."
        )
    return asked


def content_told(asked: bool | str | None, convention: str) -> Content:
    """Return where content goes: as asked for, or else as the environment asks for.

    Args:
        asked: Whether spans are to tell it, or a place by name, or None.
        convention: The conventions: OpenInference's have no events, and tell content unless the
            environment says otherwise.

    Raises:
        BadOptionError: There is no such place.
    """
    if asked is None:
        place = _place_in_environment(
            "span_only" if convention == "openinference" else "no_content"
        )
    else:
        place = _named(asked)
    told = _with_events_switched(_PLACES[place])
    if convention == "openinference":
        return told._replace(in_events=False, emits_events=False)
    return told


def _named(asked: bool | str) -> str:
    place = _FORMER.get(str(asked).strip().lower(), str(asked).strip().lower())
    if place not in _PLACES:
        raise BadOptionError(
            f"Content can't go to {asked!r}; accepted are True, False, {', '.join(_PLACES)}."
        )
    return place


def _place_in_environment(otherwise: str) -> str:
    value = value_of(_CAPTURE)
    if value is None or not value.strip():
        return otherwise
    try:
        return _named(value)
    except BadOptionError as error:
        logger.warning("%s: %s No content is told.", _CAPTURE, error)
        return "no_content"


def _with_events_switched(told: Content) -> Content:
    """Return where content goes if events are turned on or off for themselves."""
    switch = (value_of(_EMIT) or "").strip().lower()
    if switch == "true":
        return told._replace(emits_events=True)
    if switch == "false":
        return told._replace(emits_events=False, in_events=False)
    return told
