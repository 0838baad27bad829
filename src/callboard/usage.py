"""Token usage: read off a model's response, and added up.

Providers report it in several forms, LangChain's messages in one of their own; `response_usage`
reads them all into the last::

    {
        "input_tokens": 12,
        "output_tokens": 7,
        "total_tokens": 19,
        "input_token_details": {"cache_read": 8, "cache_creation": 0, "audio": 0},
        "output_token_details": {"reasoning": 3, "audio": 0},
    }

All figures are tokens; details are parts of the figure that they belong to.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, TypeAlias

from callboard.payloads import Payload, field, unwrapped

__all__ = ["Usage", "add_usage", "response_usage"]

Usage: TypeAlias = dict[str, Any]
"""Counts of tokens by kind; the values of ``*_token_details`` are counts by kind in turn."""

UNKNOWN_MODEL = "unknown"
"""Stands for the model where neither the response nor the message names one."""


def add_usage(first: Mapping[str, Any], second: Mapping[str, Any]) -> Usage:
    """Add two usages, kind by kind, details included.

    Args:
        first: Token counts; what is neither a count nor a mapping of counts is left out.
        second: Likewise.
    """
    total: Usage = {}
    for kind in (*first, *(kind for kind in second if kind not in first)):
        one, other = first.get(kind), second.get(kind)
        if isinstance(one, Mapping) or isinstance(other, Mapping):
            total[kind] = add_usage(_mapping(one), _mapping(other))
        elif isinstance(one, int | float) or isinstance(other, int | float):
            total[kind] = (one or 0) + (other or 0)
    return total


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def response_usage(response: Payload) -> list[tuple[str, Usage]]:
    """Read what a model run used off its response.

    Of several candidates for a prompt the first that tells counts: they come of one call,
    and each tells the whole call's usage.

    Args:
        response: What the run ended with: generations and ``llm_output``.

    Returns:
        Pairs of model name and usage, one for each prompt that has any; `UNKNOWN_MODEL`
        where no name is given. Where no message tells, the usage in ``llm_output``.
    """
    output = field(response, "llm_output")
    fallback_name = _model_name(output)
    found = [
        (_model_name(field(message, "response_metadata")) or fallback_name or UNKNOWN_MODEL, usage)
        for message, usage in _told(field(response, "generations") or ())
    ]
    if not found and (usage := _provider_usage(output)):
        found.append((fallback_name or UNKNOWN_MODEL, usage))
    return found


def _told(generations: Any) -> Iterator[tuple[Payload, Usage]]:
    for candidates in generations:
        for candidate in candidates if isinstance(candidates, list | tuple) else (candidates,):
            message = unwrapped(field(candidate, "message"))
            usage = field(message, "usage_metadata")
            if isinstance(usage, Mapping) and usage:
                yield message, dict(usage)
                break


def _model_name(told: Payload) -> str | None:
    name = field(told, "model_name") or field(told, "model") or field(told, "model_id")
    return name if isinstance(name, str) else None


def _provider_usage(output: Payload) -> Usage | None:
    """Read the usage that a provider put into ``llm_output``, in OpenAI's or Anthropic's names."""
    told = field(output, "token_usage") or field(output, "usage")
    if not told:
        return None
    counts = {
        "input_tokens": field(told, "prompt_tokens") or field(told, "input_tokens") or 0,
        "output_tokens": field(told, "completion_tokens") or field(told, "output_tokens") or 0,
    }
    if not all(isinstance(count, int) for count in counts.values()) or not any(counts.values()):
        return None
    return {**counts, "total_tokens": field(told, "total_tokens") or sum(counts.values())}
