"""A model's response, as the outputs of its run."""

from __future__ import annotations

from typing import Any

from callboard.payloads import Payload, field
from callboard.tracing.capture import Serialised, capture_measured
from callboard.tracing.objects import fields_of

__all__ = ["captured_response", "response_fields", "tool_call_count"]


def captured_response(response: Payload) -> dict[str, Any]:
    """Return a response's fields as they are now, messages in their serialised form.

    Args:
        response: What the run ended with: generations and ``llm_output``.
    """
    told = response_fields(response)
    for candidates in told["generations"]:
        for generation in candidates:
            if "message" in generation:
                generation["message"] = Serialised(generation["message"])
    captured: dict[str, Any] = capture_measured(told)
    return captured


def response_fields(response: Payload) -> dict[str, Any]:
    """Return a response's fields and those of its generations; what is in them as it is.

    Args:
        response: What the run ended with: generations and ``llm_output``.
    """
    told = dict(fields_of(response))
    told["generations"] = [
        [_generation_fields(generation) for generation in candidates]
        for candidates in told.get("generations") or field(response, "generations") or ()
    ]
    return told


def _generation_fields(generation: Payload) -> dict[str, Any]:
    told = dict(fields_of(generation))
    if "text" not in told:
        told["text"] = field(generation, "text", "")
    return told


def tool_call_count(response: Payload) -> int:
    """Return how many tool calls the messages of a response ask for."""
    return sum(
        len(field(field(generation, "message"), "tool_calls") or ())
        for candidates in field(response, "generations") or ()
        for generation in candidates
    )
