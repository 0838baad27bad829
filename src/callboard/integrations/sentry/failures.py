"""Failures: which of them are one, and what Sentry is told of it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import sentry_sdk
from sentry_sdk.utils import event_from_exception

from callboard.integrations.records import RunRecord
from callboard.integrations.sentry.traces import Trace
from callboard.wire import json

__all__ = ["Failure", "has_failed"]

# What ends a run and is nobody's mistake; the last is how LangGraph interrupts a graph.
_NO_FAILURES = frozenset(
    {
        "CancelledError",
        "GeneratorExit",
        "GraphInterrupt",
        "KeyboardInterrupt",
        "SystemExit",
        "GraphBubbleUp",
    }
)
_MAX_CHAIN = 20
_MAX_TEXT = 8_192
_MAX_TAG = 200


def has_failed(record: RunRecord) -> bool:
    """Whether a run was ended by an error, and not by whoever started it.

    Args:
        record: The record of a run that has ended.
    """
    if record.status != "error":
        return False
    if record.exception is None:
        return record.error_type not in _NO_FAILURES
    return not any(each.__name__ in _NO_FAILURES for each in type(record.exception).__mro__)


class Failure:
    """A run that has failed, as it was then.

    Attributes:
        record: The run's record.
        origin: The record of the innermost run that the error went through.
        is_told: Whether Sentry has been told of it.
    """

    def __init__(self, record: RunRecord, trace: Trace, inner: list[Failure], span: Any) -> None:
        """Take down a failure.

        Args:
            record: The record of the run, which is just ending.
            trace: The run's trace.
            inner: The failures of the runs right inside of it.
            span: The run's span, if it has one.
        """
        self.record = record
        self._error = record.exception
        same = next((each for each in reversed(inner) if each.went_on_as(record)), None)
        self.origin: RunRecord = record if same is None else same.origin
        self.is_told: bool = same is not None and same.is_told
        self._trace, self._span = trace, span
        self._breadcrumbs, self._usage = trace.breadcrumbs(), trace.usage()
        self._inputs = record.inputs

    def tell(
        self, level: str, *, handled: bool, safe: Callable[[str], str], variables: bool
    ) -> None:
        """Send an event to the client of the trace, once.

        Args:
            level: How grave it is: ``"error"`` or ``"warning"``.
            handled: Whether something in the application got over it, or may have.
            safe: Returns what may be told of what an exception says.
            variables: Whether local variables may be told, if the client is to tell content.
        """
        with self._trace.lock:
            if self.is_told:
                return
            self.is_told = True
        with self._trace.scopes(), sentry_sdk.new_scope() as scope:
            allowed = self._trace.consent.inputs
            event, hint = self._event({"type": "callboard", "handled": handled})
            _redact(event, safe, variables=variables and allowed)
            event |= {"level": level, "timestamp": self.record.end_time}
            event |= {"tags": self._tags(), "contexts": self._contexts(allowed)}
            for crumb in self._breadcrumbs:
                scope.add_breadcrumb(crumb)
            if self._span is not None:
                scope.span = self._span
            scope.capture_event(event, hint)

    def went_on_as(self, outer: RunRecord) -> bool:
        """Whether an outer run has failed of the same, or of what that has led to.

        Args:
            outer: The record of the outer run, which is just ending.
        """
        if self._error is None or outer.exception is None:
            return self.record.error_message == outer.error_message
        return any(each is self._error for each in _causes(outer.exception))

    def _event(self, mechanism: dict[str, Any]) -> tuple[Any, dict[str, Any]]:
        if self._error is not None:
            options = sentry_sdk.get_client().options
            event, hint = event_from_exception(self._error, options, mechanism)
            return event, hint
        kind = self.record.error_type or "Error"
        said = (self.record.error_message or "").removeprefix(f"{kind}: ")
        value = {"type": kind, "value": said, "mechanism": mechanism}
        return {"exception": {"values": [value]}}, {}

    def _tags(self) -> dict[str, str]:
        every = {
            "callboard.run": self.record.name,
            "callboard.run_type": self.record.type,
            "callboard.failed_in": self.origin.name,
            "callboard.trace_id": str(self.record.trace_id),
            "callboard.model": self.origin.response_model or self.origin.model,
            "callboard.provider": self.origin.provider,
        }
        return {name: " ".join(each.split())[:_MAX_TAG] for name, each in every.items() if each}

    def _contexts(self, inputs: bool) -> dict[str, Any]:
        told: dict[str, Any] = {
            "run_id": str(self.record.id),
            "trace_id": str(self.record.trace_id),
            "run": self.record.name,
            "failed_in": self.origin.name,
            "inside": _around(self.record),
            "latency": self.record.latency,
            "tags": self.record.tags,
            "conversation": self.record.conversation,
        }
        if inputs and self._inputs is not None:
            told["inputs"] = json.encode(self._inputs).decode()[:_MAX_TEXT]
        known = {name: value for name, value in told.items() if value not in (None, [])}
        return {"callboard": known, "gen_ai": self._usage}


def _causes(error: BaseException) -> list[BaseException]:
    """Return an exception, what it was raised from, and what a group of them holds."""
    found: list[BaseException] = []
    ahead: list[BaseException | None] = [error]
    while ahead and len(found) < _MAX_CHAIN:
        each = ahead.pop()
        if each is None or any(each is known for known in found):
            continue
        found.append(each)
        held = each.exceptions if isinstance(each, BaseExceptionGroup) else ()
        ahead += [each.__cause__, each.__context__, *held]
    return found


def _around(record: RunRecord) -> list[str]:
    """Return the names of the runs around one, the outermost first."""
    names: list[str] = []
    around = record.parent
    while around is not None and len(names) < _MAX_CHAIN:
        names.append(around.name)
        around = around.parent
    return names[::-1]


def _redact(event: Any, safe: Callable[[str], str], *, variables: bool) -> None:
    for error in event["exception"]["values"]:
        if isinstance(error.get("value"), str):
            error["value"] = safe(error["value"])
        for frame in (error.get("stacktrace") or {}).get("frames") or ():
            if not variables:
                frame.pop("vars", None)
