"""A model's response, as the outputs of its run."""

from __future__ import annotations

from typing import Any

from callboard.payloads import Payload, field
from callboard.tracing.capture import capture_measured, fields_of

__all__ = ["captured_response", "tool_call_count"]


def captured_response(response: Payload) -> dict[str, Any]:
    """Return a response's fields as they are now, messages in their serialised form.

    Args:
        response: What the run ended with: generations and ``llm_output``.
    """
    told = {name: value for name, value in fields_of(response).items() if name != "generations"}
    told["generations"] = [
        [_fields_of_generation(generation) for generation in candidates]
        for candidates in field(response, "generations") or ()
    ]
    captured: dict[str, Any] = capture_measured(told)
    return captured


def _fields_of_generation(generation: Payload) -> dict[str, Any]:
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
