"""The metrics of the GenAI conventions, today's and the next, recorded when a run ends."""

from __future__ import annotations

from typing import Any, NamedTuple

from callboard.integrations.opentelemetry.conventions import Attributes, without_none
from callboard.integrations.opentelemetry.genai import operation_of, provider_of
from callboard.integrations.records import RunRecord

__all__ = ["Metrics"]

_SECONDS = [0.01 * 2**power for power in range(14)]
_TOKENS = [4**power for power in range(14)]
_LONG = [1, 5, 10, 30, 60, 120, 300, 600, 1800, 3600, 7200]


class _Names(NamedTuple):
    """What a version of the conventions calls the metrics of model calls."""

    duration: str
    first_chunk: str
    per_chunk: str


_TODAY = _Names(
    "gen_ai.client.operation.duration",
    "gen_ai.client.operation.time_to_first_chunk",
    "gen_ai.client.operation.time_per_output_chunk",
)
_NEXT = _Names(
    "gen_ai.client.inference.duration",
    "gen_ai.client.inference.time_to_first_chunk",
    "gen_ai.client.inference.time_per_output_chunk",
)
# Metric and bounds of operations that are no model calls, and the attribute that names what runs.
_OTHERS = {
    "execute_tool": ("gen_ai.execute_tool.duration", _SECONDS, "gen_ai.tool.name"),
    "invoke_agent": ("gen_ai.invoke_agent.duration", _LONG, "gen_ai.agent.name"),
    "invoke_workflow": ("gen_ai.invoke_workflow.duration", _LONG, "gen_ai.workflow.name"),
}


class Metrics:
    """The instruments of one meter."""

    def __init__(self, meter: Any, *, latest: bool = False) -> None:
        """Make the instruments.

        Args:
            meter: The meter.
            latest: Whether the next names are wanted, not today's.
        """
        names = _NEXT if latest else _TODAY

        def histogram(name: str, bounds: list[float] | list[int], unit: str = "s") -> Any:
            return meter.create_histogram(
                name, unit=unit, explicit_bucket_boundaries_advisory=bounds
            )

        self._duration = histogram(names.duration, _SECONDS)
        self._first_chunk = histogram(names.first_chunk, _SECONDS)
        self._per_chunk = histogram(names.per_chunk, _SECONDS)
        self._others = {
            operation: (histogram(name, bounds), attribute)
            for operation, (name, bounds, attribute) in _OTHERS.items()
        }
        self._usage = _Counted(meter) if latest else _Measured(histogram)

    def record(self, record: RunRecord) -> None:
        """Record a run that has ended.

        Args:
            record: The record.
        """
        operation = operation_of(record)
        if record.is_model:
            self._record_call(record, operation)
        elif operation in self._others:
            instrument, attribute = self._others[operation]
            told = {attribute: record.name, "error.type": record.error_type}
            instrument.record(record.latency or 0.0, without_none(told))

    def _record_call(self, record: RunRecord, operation: str | None) -> None:
        told: Attributes = without_none(
            {
                "gen_ai.operation.name": operation,
                "gen_ai.provider.name": provider_of(record),
                "gen_ai.request.model": record.model,
                "gen_ai.response.model": record.response_model,
            }
        )
        failed = {} if record.error_type is None else {"error.type": record.error_type}
        self._duration.record(record.latency or 0.0, told | failed)
        first = record.time_to_first_token
        if first is not None:
            self._first_chunk.record(first, told)
            if record.token_events > 1 and record.latency is not None:
                self._per_chunk.record((record.latency - first) / (record.token_events - 1), told)
        self._usage.record(record, told)


class _Measured:
    """Tokens as today: one histogram, by type."""

    def __init__(self, histogram: Any) -> None:
        self._tokens = histogram("gen_ai.client.token.usage", _TOKENS, "{token}")

    def record(self, record: RunRecord, told: Attributes) -> None:
        if (tokens := record.tokens) is not None:
            for kind, count in (("input", tokens.prompt), ("output", tokens.completion)):
                if count is not None:
                    self._tokens.record(count, told | {"gen_ai.token.type": kind})


class _Counted:
    """Tokens as they are to become: a counter for each kind."""

    _KINDS = (
        "input_tokens",
        "output_tokens",
        "cache_read.input_tokens",
        "cache_write.input_tokens",
        "reasoning.output_tokens",
    )

    def __init__(self, meter: Any) -> None:
        self._counters = [
            meter.create_counter(f"gen_ai.client.inference.usage.{kind}", unit="{token}")
            for kind in self._KINDS
        ]

    def record(self, record: RunRecord, told: Attributes) -> None:
        if (tokens := record.tokens) is None:
            return
        counts = (
            tokens.prompt,
            tokens.completion,
            tokens.prompt_details.get("cache_read"),
            tokens.prompt_details.get("cache_creation"),
            tokens.completion_details.get("reasoning"),
        )
        for counter, count in zip(self._counters, counts, strict=True):
            if count:
                counter.add(count, told)
