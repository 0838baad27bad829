"""The metrics of the GenAI conventions, today's and the next, recorded when a run ends."""

from __future__ import annotations

from functools import partial
from typing import NamedTuple

from opentelemetry.context import Context
from opentelemetry.metrics import Meter

from callboard.integrations.opentelemetry.agent_calls import AgentCalls, agent_around
from callboard.integrations.opentelemetry.conventions import Attributes, without_none
from callboard.integrations.opentelemetry.genai import operation_of, provider_of
from callboard.integrations.opentelemetry.histograms import histogram
from callboard.integrations.opentelemetry.token_metrics import CountedTokens, MeasuredTokens
from callboard.integrations.records import RunRecord

__all__ = ["Metrics"]

_SECONDS = [0.01 * 2**power for power in range(14)]
_AGENT_SECONDS = [0.1 * 2**power for power in range(13)]
_WORKFLOW_SECONDS = [1, 5, 10, 30, 60, 120, 300, 600, 1800, 3600, 7200]


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
    "invoke_agent": ("gen_ai.invoke_agent.duration", _AGENT_SECONDS, "gen_ai.agent.name"),
    "invoke_workflow": (
        "gen_ai.invoke_workflow.duration",
        _WORKFLOW_SECONDS,
        "gen_ai.workflow.name",
    ),
}


class Metrics:
    """The instruments of one meter."""

    def __init__(self, meter: Meter, *, latest: bool = False) -> None:
        """Make the instruments.

        Args:
            meter: The meter.
            latest: Whether the next names are wanted, not today's.
        """
        names = _NEXT if latest else _TODAY
        timed = partial(histogram, meter, unit="s")
        self._duration = timed(names.duration, _SECONDS)
        self._first_chunk = timed(names.first_chunk, _SECONDS)
        self._per_chunk = timed(names.per_chunk, _SECONDS)
        # The next names are those of inference alone; other clients' operations keep today's.
        self._operation = timed(_TODAY.duration, _SECONDS) if latest else self._duration
        self._others = {
            operation: (timed(name, bounds), attribute)
            for operation, (name, bounds, attribute) in _OTHERS.items()
        }
        self._usage = CountedTokens(meter) if latest else MeasuredTokens(meter)
        self._agents = AgentCalls(meter) if latest else None

    def start(self, record: RunRecord) -> None:
        """Count a run that starts among the calls of the agent that it is part of.

        Args:
            record: The record.
        """
        if self._agents is not None:
            self._agents.start(record)

    def end(self, record: RunRecord, context: Context) -> None:
        """Record a run that has ended; one whose end did not come took no time that means anything.

        Args:
            record: The record.
            context: One in which the run's span is current, for exemplars to name it.
        """
        has_ended = record.status != "unfinished"
        if self._agents is not None:
            self._agents.end(record, context if has_ended else None)
        if has_ended:
            self._record(record, context)

    def _record(self, record: RunRecord, context: Context) -> None:
        operation = operation_of(record)
        if record.is_model:
            self._record_call(record, operation, context)
        elif operation in self._others:
            instrument, attribute = self._others[operation]
            told: Attributes = {attribute: record.name, "error.type": record.error_type}
            if self._agents is not None and operation == "execute_tool":
                told |= {"gen_ai.agent.name": agent_around(record), "gen_ai.tool.type": "function"}
            instrument.record(record.latency or 0.0, without_none(told), context)
        elif operation is not None:
            told = {"gen_ai.operation.name": operation, "error.type": record.error_type}
            self._operation.record(record.latency or 0.0, without_none(told), context)

    def _record_call(self, record: RunRecord, operation: str | None, context: Context) -> None:
        told: Attributes = without_none(
            {
                "gen_ai.operation.name": operation,
                "gen_ai.provider.name": provider_of(record),
                "gen_ai.request.model": record.model,
                "gen_ai.response.model": record.response_model,
            }
        )
        failed = told if record.error_type is None else {**told, "error.type": record.error_type}
        self._duration.record(record.latency or 0.0, failed, context)
        first = record.time_to_first_token
        if first is not None:
            self._first_chunk.record(first, told, context)
            if record.token_events > 1 and record.latency is not None:
                each = (record.latency - first) / (record.token_events - 1)
                self._per_chunk.record(each, told, context)
        self._usage.record(record, told, context)
