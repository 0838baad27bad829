"""How often agents call models and tools, by the next conventions: a point for each agent's run."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from opentelemetry.context import Context
from opentelemetry.metrics import Meter

from callboard.integrations.holds import Hold
from callboard.integrations.opentelemetry.conventions import Attributes
from callboard.integrations.opentelemetry.genai import operation_of
from callboard.integrations.opentelemetry.histograms import histogram
from callboard.integrations.records import RunRecord

__all__ = ["AgentCalls", "agent_around"]

_BOUNDS = [2**power for power in range(8)]


@dataclass(slots=True)
class _Calls:
    inferences: int = 0
    tools: int = 0


class AgentCalls:
    """Counts the calls of agents that run: each call once, with the innermost agent around it."""

    def __init__(self, meter: Meter) -> None:
        """Make the instruments.

        Args:
            meter: The meter.
        """
        self._inferences = histogram(
            meter, "gen_ai.invoke_agent.inference_calls", _BOUNDS, "{inference_call}"
        )
        self._tools = histogram(meter, "gen_ai.invoke_agent.tool_calls", _BOUNDS, "{tool_call}")
        self._running: dict[UUID, _Calls] = {}
        self._lock = Hold()

    def start(self, record: RunRecord) -> None:
        """Count a run that starts, if it is a call; from now on count those of an agent.

        Args:
            record: The record.
        """
        if operation_of(record) == "invoke_agent":
            self._running[record.id] = _Calls()
        elif self._running and (record.is_model or record.type == "tool"):
            self._count(record)

    def end(self, record: RunRecord, context: Context | None) -> None:
        """Record an agent's calls, and let go of it.

        Args:
            record: The record.
            context: One in which the run's span is current; None for one that did not end.
        """
        calls = self._running.pop(record.id, None)
        if calls is not None and context is not None:
            told: Attributes = {"gen_ai.agent.name": record.name}
            self._inferences.record(calls.inferences, told, context)
            self._tools.record(calls.tools, told, context)

    def _count(self, record: RunRecord) -> None:
        around = record.parent
        while around is not None and around.id not in self._running:
            around = around.parent
        calls = None if around is None else self._running.get(around.id)
        if calls is not None:
            with self._lock:  # An agent's calls may run at once.
                calls.inferences += record.is_model
                calls.tools += not record.is_model


def agent_around(record: RunRecord) -> str | None:
    """Return the name of the innermost agent that a run is part of, if there is one.

    Args:
        record: The record.
    """
    around = record.parent
    while around is not None:
        if operation_of(around) == "invoke_agent":
            return around.name
        around = around.parent
    return None
