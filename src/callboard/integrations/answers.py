"""Answers: what a provider says of a model's answer besides the answer."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from callboard.integrations.records import RunRecord
from callboard.payloads import Payload, field, unwrapped

__all__ = ["generations", "identify"]

_MADE_UP = ("lc_", "run-")
_REASONS = ("finish_reason", "stop_reason", "done_reason")
_MODELS = ("model_name", "model", "model_id")


def generations(outputs: Any) -> Iterator[Payload]:
    """Return the answers in what a model run returned, of all prompts, one after the other.

    Args:
        outputs: The run's outputs.
    """
    told = field(outputs, "generations")
    for candidates in told if isinstance(told, list) else ():
        yield from candidates if isinstance(candidates, list) else (candidates,)


def identify(record: RunRecord, outputs: Any) -> None:
    """Write into a record what the provider calls the answer, who gave it, and why it ended.

    Args:
        record: The record of a model's run, which has ended.
        outputs: What the run returned.
    """
    for answer in generations(outputs):
        message = unwrapped(field(answer, "message"))
        said = field(message, "response_metadata")
        if record.response_id is None:
            record.response_id = _text(field(said, "id")) or _given_id(message)
        if record.response_model is None:  # Unless it was told with what it has used.
            record.response_model = _first(said, _MODELS)
        if reason := _first(field(answer, "generation_info"), _REASONS) or _first(said, _REASONS):
            record.finish_reasons.append(reason)


def _given_id(message: Payload) -> str | None:
    """Return a message's id, if it is the provider's and not one that LangChain has made up."""
    told = _text(field(message, "id"))
    return None if told is None or told.startswith(_MADE_UP) else told


def _first(said: Payload, names: tuple[str, ...]) -> str | None:
    """Return the first text that is told under one of the names."""
    if not said:
        return None
    for name in names:
        if text := _text(field(said, name)):
            return text
    return None


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) and value else None
