"""Spans: runs as the operations that Sentry's AI agent monitoring reads.

Names and attributes are those of OpenTelemetry's GenAI conventions, and some that Sentry has added.
Sentry takes every operation that it does not know for a call of a model: what the conventions have
besides, such as workflows and retrieval, is told as a plain function.
"""

from __future__ import annotations

from typing import Any

import sentry_sdk

from callboard.integrations.extras import load
from callboard.integrations.opentelemetry.conventions import Attributes, without_none
from callboard.integrations.opentelemetry.genai import GenAI, operation_of
from callboard.integrations.records import RunRecord
from callboard.integrations.sentry.consent import Consent
from callboard.integrations.sentry.failures import has_failed
from callboard.integrations.sentry.traces import Trace

__all__ = ["finish", "start"]

_ORIGIN = "auto.ai.callboard"
_OPERATIONS = frozenset({"chat", "embeddings", "execute_tool", "invoke_agent", "text_completion"})
_GIVEN = (
    "gen_ai.input.messages",
    "gen_ai.retrieval.query.text",
    "gen_ai.system_instructions",
    "gen_ai.tool.call.arguments",
    "gen_ai.tool.definitions",
)
_RETURNED = ("gen_ai.output.messages", "gen_ai.retrieval.documents", "gen_ai.tool.call.result")

_convention = GenAI()


def start(record: RunRecord, outer: Any, trace: Trace) -> Any:
    """Return a run's span, which has started; None if no spans are recorded here.

    Args:
        record: The run's record.
        outer: The span of the run that it is part of. If there is none, it is under the current
            span, or begins a transaction.
        trace: The trace of both.
    """
    operation = operation_of(record)
    is_known = operation in _OPERATIONS
    op = f"gen_ai.{operation}" if is_known else "function"
    name = _convention.name(record) if is_known else record.name
    attributes = _at_start(record, op)
    if outer is not None and not _is_streamed(outer):
        span = outer.start_child(op=op, name=name, start_timestamp=record.start_time)
    else:
        with trace.scopes():  # Slow, and without meaning to what is sent with its transaction.
            span = _start(record, op, name, attributes, outer)
    if span is not None and not _is_streamed(span):
        span.origin = _ORIGIN
        for key, value in attributes.items():
            span.set_data(key, value)
    return span


def finish(span: Any, record: RunRecord, trace: Trace) -> None:
    """Finish a run's span.

    Args:
        span: The span.
        record: The run's record, as it is at its end.
        trace: The trace of both.
    """
    attributes = _at_end(record, trace.consent)
    failed = has_failed(record)
    if _is_streamed(span):
        span.set_attributes(attributes)
        span.status = "error" if failed else "ok"
        with trace.scopes():
            span.end(record.end_time)
        return
    for key, value in attributes.items():
        span.set_data(key, value)
    stopped = "ok" if record.status == "ok" else "cancelled"
    span.set_status("internal_error" if failed else stopped)
    if span.containing_transaction is not span:
        span.finish(trace.scope, record.end_time)
    else:
        with trace.scopes():
            span.finish(end_timestamp=record.end_time)


def _is_streamed(span: Any) -> bool:
    """Whether a span is one of those that are sent by themselves."""
    return hasattr(span, "set_attributes")


def _start(record: RunRecord, op: str, name: str, attributes: Attributes, outer: Any) -> Any:
    """Start a span in the scopes of its trace, if tracing is on there."""
    options = sentry_sdk.get_client().options
    if options.get("traces_sample_rate") is None and options.get("traces_sampler") is None:
        return None
    if _streams(options):
        return _start_streamed(name, op, attributes, outer)
    told: dict[str, Any] = {"op": op, "name": name, "start_timestamp": record.start_time}
    around = sentry_sdk.get_current_span()
    if around is None:
        return sentry_sdk.start_transaction(**told)
    return around.start_child(**told) if around.sampled else None


def _streams(options: dict[str, Any]) -> bool:
    """Whether spans are sent one by one, and not with the transaction that they are in."""
    asked = options.get("trace_lifecycle")
    return (asked or (options.get("_experiments") or {}).get("trace_lifecycle")) == "stream"


def _start_streamed(name: str, op: str, attributes: Attributes, outer: Any) -> Any:
    told = {"sentry.op": op, "sentry.origin": _ORIGIN, **attributes}
    around = {} if outer is None else {"parent_span": outer}
    traces = load("sentry_sdk.traces", "sentry-sdk", "sentry")
    return traces.start_span(name, told, active=False, **around)


def _at_start(record: RunRecord, op: str) -> Attributes:
    attributes = _convention.at_start(record)
    if op == "function":
        attributes.pop("gen_ai.operation.name", None)
    attributes["gen_ai.function_id"] = record.name
    if isinstance(agent := record.metadata.get("lc_agent_name"), str):
        attributes["gen_ai.agent.name"] = agent
    return attributes


def _at_end(record: RunRecord, allowed: Consent) -> Attributes:
    attributes = _convention.at_end(record)
    for name in (*(() if allowed.inputs else _GIVEN), *(() if allowed.outputs else _RETURNED)):
        attributes.pop(name, None)
    if record.is_model:
        attributes["gen_ai.response.streaming"] = record.token_events > 0
    if (tokens := record.tokens) is not None:
        attributes["gen_ai.usage.total_tokens"] = tokens.total
    if (cost := record.cost) is not None:
        attributes["gen_ai.cost.input_tokens"] = cost.prompt
        attributes["gen_ai.cost.output_tokens"] = cost.completion
        attributes["gen_ai.cost.total_tokens"] = cost.total
    if record.status == "unfinished":
        attributes["callboard.unfinished"] = True
    return without_none(attributes)
