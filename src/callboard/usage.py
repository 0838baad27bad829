"""Token usage: read off a model's response, and added up.

LangChain's messages tell it in a form of their own; `response_usage` reads it there, or else off
what OpenAI or Anthropic tell in ``llm_output``, and returns it in the messages' form::

    {
        "input_tokens": 12,
        "output_tokens": 7,
        "total_tokens": 19,
        "input_token_details": {"cache_read": 8, "cache_creation": 0, "audio": 0},
        "output_token_details": {"reasoning": 3, "audio": 0},
    }

Other runs tell it in their metadata, which counts first, or in their outputs (LangSmith
protocol: tokens).

All figures are tokens; details are parts of the figure that they belong to, and only those that
were told are there.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, TypeAlias, TypeGuard

from callboard.payloads import Payload, field, unwrapped

__all__ = [
    "UNKNOWN_MODEL",
    "Usage",
    "add_usage",
    "response_usage",
    "usage_in_metadata",
    "usage_in_outputs",
]

Usage: TypeAlias = dict[str, Any]
"""Counts of tokens by kind; the values of ``*_token_details`` are counts by kind in turn."""

UNKNOWN_MODEL = "unknown"
"""Stands for the model where neither the response nor the message names one."""

# Where providers tell what we count, as paths of keys: OpenAI's completions and responses, and
# Anthropic. Of several paths the first that tells a count other than
# zero is read.
_FIGURES = {
    "input_tokens": ("prompt_tokens", "input_tokens"),
    "output_tokens": ("completion_tokens", "output_tokens"),
    "total_tokens": ("total_tokens",),
}
_DETAILS = {
    "input_token_details": {
        "cache_read": (
            "prompt_tokens_details.cached_tokens",
            "input_tokens_details.cached_tokens",
            "cache_read_input_tokens",
        ),
        "cache_creation": ("cache_creation_input_tokens",),
        "audio": ("prompt_tokens_details.audio_tokens",),
    },
    "output_token_details": {
        "reasoning": (
            "completion_tokens_details.reasoning_tokens",
            "output_tokens_details.reasoning_tokens",
        ),
        "audio": ("completion_tokens_details.audio_tokens",),
    },
}
# Anthropic's ``input_tokens`` leaves these out; every other input figure has them in it.
_BESIDES_INPUT = ("cache_read_input_tokens", "cache_creation_input_tokens")


def add_usage(first: Mapping[str, Any], second: Mapping[str, Any]) -> Usage:
    """Add two usages, kind by kind, details included.

    Args:
        first: Token counts; what is neither a count nor a mapping of counts is left out.
        second: Likewise.

    Returns:
        Their sum, as a new usage.
    """
    total: Usage = {}
    for kind in (*first, *(kind for kind in second if kind not in first)):
        one, other = first.get(kind), second.get(kind)
        if type(other) is int and one is None:  # As most are, and without asking what they are.
            total[kind] = other
        elif isinstance(one, Mapping) or isinstance(other, Mapping):
            total[kind] = add_usage(_mapping(one), _mapping(other))
        elif counts := [count for count in (one, other) if _is_count(count)]:
            total[kind] = sum(counts)
    return total


def _is_count(value: Any) -> TypeGuard[int | float]:
    return isinstance(value, int | float) and not isinstance(value, bool)


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


def usage_in_metadata(metadata: Mapping[str, Any]) -> Usage | None:
    """Return the usage that a run's metadata tells, if it does."""
    usage = metadata.get("usage_metadata")
    return usage if isinstance(usage, dict) and usage else None


def usage_in_outputs(outputs: Any) -> Usage | None:
    """Return the usage that a run's outputs tell, if they do.

    Args:
        outputs: As JSON has them.
    """
    if not isinstance(outputs, dict):
        return None
    usage = outputs.get("usage_metadata")
    if isinstance(usage, dict) and usage:
        return usage
    if not isinstance(outputs.get("generations"), list):
        return None
    total: Usage = {}
    for _, each in response_usage(outputs):
        total = add_usage(total, each)
    return total or None


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
    figures = _counts(told, _FIGURES)
    entered, left = figures.get("input_tokens", 0), figures.get("output_tokens", 0)
    if not _count(told, "prompt_tokens"):
        entered += sum(_count(told, path) or 0 for path in _BESIDES_INPUT)
    # A total may have more in it than the two, but not less.
    total = max(figures.get("total_tokens", 0), entered + left)
    if not entered and not left:
        return {"total_tokens": total} if total else None
    details = {kind: _counts(told, paths) for kind, paths in _DETAILS.items()}
    return {
        "input_tokens": entered,
        "output_tokens": left,
        "total_tokens": total,
        **{kind: counts for kind, counts in details.items() if counts},
    }


def _counts(told: Payload, paths_by_kind: Mapping[str, tuple[str, ...]]) -> Usage:
    """Read those counts that are told, by kind."""
    counts: Usage = {}
    for kind, paths in paths_by_kind.items():
        found = [count for path in paths if (count := _count(told, path)) is not None]
        if found:
            # Clients fill in zeros for what a provider does not tell.
            counts[kind] = next(filter(None, found), 0)
    return counts


def _count(told: Payload, path: str) -> Any:
    """Return the count at a path of keys; None if there is none."""
    for key in path.split("."):
        told = field(told, key)
    return told if _is_count(told) else None
