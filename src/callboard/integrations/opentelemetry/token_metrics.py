"""The metrics of tokens that calls use, today's and the next."""

from __future__ import annotations

from collections.abc import Mapping

from opentelemetry.context import Context
from opentelemetry.metrics import Meter

from callboard.integrations.opentelemetry.conventions import Attributes
from callboard.integrations.opentelemetry.histograms import histogram
from callboard.integrations.records import RunRecord
from callboard.prices import Tokens

__all__ = ["CountedTokens", "MeasuredTokens"]

_BOUNDS = [4**power for power in range(14)]
_SIDES = ("input_tokens", "output_tokens")
_PARTS = ("cache_read.input_tokens", "cache_write.input_tokens", "reasoning.output_tokens")
_MODALITIES = ("text", "image", "audio")
_NONE = Tokens()


class MeasuredTokens:
    """Tokens as today: one histogram, by type."""

    def __init__(self, meter: Meter) -> None:
        """Make the instrument."""
        self._tokens = histogram(meter, "gen_ai.client.token.usage", _BOUNDS, "{token}")

    def record(self, record: RunRecord, told: Attributes, context: Context) -> None:
        """Record what a call has used, if it says.

        Args:
            record: The record of a model's run that has ended.
            told: The attributes of the call.
            context: One in which the run's span is current.
        """
        if (tokens := record.tokens) is not None:
            for kind, count in (("input", tokens.prompt), ("output", tokens.completion)):
                if count is not None:
                    self._tokens.record(count, {**told, "gen_ai.token.type": kind}, context)


class CountedTokens:
    """Tokens as they are to become: a counter for each kind, and a histogram for each side.

    A call that has failed, or does not say what it used, is recorded with none.
    """

    def __init__(self, meter: Meter) -> None:
        """Make the instruments."""
        self._counters = [
            meter.create_counter(f"gen_ai.client.inference.usage.{kind}", unit="{token}")
            for kind in (*_SIDES, *_PARTS)
        ]
        self._operations = [
            histogram(meter, f"gen_ai.client.inference.operation.{side}", _BOUNDS, "{token}")
            for side in _SIDES
        ]

    def record(self, record: RunRecord, told: Attributes, context: Context) -> None:
        """Record what a call has used.

        Args:
            record: The record of a model's run that has ended.
            told: The attributes of the call.
            context: One in which the run's span is current.
        """
        tokens = record.tokens or _NONE
        given, returned = tokens.prompt_details, tokens.completion_details
        sides = tokens.prompt or 0, tokens.completion or 0
        counts = (
            _by_modality(sides[0], given),
            _by_modality(sides[1], returned),
            {"unknown": given.get("cache_read", 0)},
            {"unknown": given.get("cache_creation", 0)},
            {"unknown": returned.get("reasoning", 0)},
        )
        for counter, parts in zip(self._counters, counts, strict=True):
            for modality, count in parts.items():
                counter.add(count, {**told, "gen_ai.token.modality": modality}, context)
        if record.error_type is not None:
            told = {**told, "error.type": record.error_type}
        for operation, count in zip(self._operations, sides, strict=True):
            operation.record(count, told, context)


def _by_modality(count: int, details: Mapping[str, int]) -> dict[str, int]:
    """Return tokens by what they are of; what providers do not tell apart is unknown."""
    told = {each: details[each] for each in _MODALITIES if details.get(each)}
    rest = count - sum(told.values())
    return told if told and rest <= 0 else {**told, "unknown": max(rest, 0)}
