"""The handler that tells Sentry of runs that fail, and of all runs as spans."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import sentry_sdk

from callboard.integrations.base import RunRecord, RunTreeHandler
from callboard.integrations.sentry.failures import Failure, has_failed
from callboard.integrations.sentry.spans import finish, start
from callboard.integrations.sentry.traces import Trace

__all__ = ["SentryCallbackHandler"]

_PATIENCE = timedelta(seconds=30)
_MAX_FAILURES = 20


@dataclass(slots=True)
class _Place:
    """What is kept with a run: its trace, its span, and what has failed right inside of it."""

    trace: Trace
    span: Any
    failures: list[Failure] = field(default_factory=list[Failure])
    is_settled: bool = False


class SentryCallbackHandler(RunTreeHandler):
    """Sends an event for what fails, and a span for each run.

    An error is one event, however many runs it goes through: that of the outermost one. It has the
    exception with its stack trace, as breadcrumbs the runs that ended before it in the same trace,
    and what those used. Whether an error was got over shows when the run around it goes on or
    fails, too: it is waited for, half a minute at the most.

    All goes to the client that the application has set up, with the scopes in which the outermost
    run began, in Sentry's own background. The handler sets no client up and closes none.
    """

    def __init__(
        self,
        *,
        errors: bool = True,
        recovered: bool = True,
        spans: bool = True,
        max_breadcrumbs: int = 50,
        **options: Any,
    ) -> None:
        """Make a handler.

        Args:
            errors: Whether errors are sent as events.
            recovered: Whether those are, as warnings, that a run around them got over.
            spans: Whether runs are told as spans, where the client has tracing turned on.
            max_breadcrumbs: How many runs of a trace an event tells of.
            **options: See `RunTreeHandler`: ``redaction``, ``prices``, ``content``, ``max_runs``.
                Content is told only if the client is to tell it, too: by ``send_default_pii`` or
                ``data_collection``.
        """
        super().__init__(**options)
        self._errors, self._recovered, self._spans = errors, recovered, spans
        self._max_breadcrumbs = max_breadcrumbs

    def run_started(self, record: RunRecord) -> None:
        """Start a run's span, under that of the run that it is part of."""
        outer = _place_of(record.parent)
        trace = Trace(self._max_breadcrumbs) if outer is None else outer.trace
        span = None
        if self._spans and (outer is None or outer.span is not None):
            span = start(record, None if outer is None else outer.span, trace)
        record.kept = _Place(trace, span)
        if outer is not None:
            self._tell_overdue(outer, record)

    def run_ended(self, record: RunRecord) -> None:
        """Finish a run's span, and tell what has failed, if that is settled."""
        place = _place_of(record)
        if place is None:
            return
        place.trace.count(record)
        if self._errors:
            self._settle(record, place)
        place.trace.add(record)
        if place.span is not None:
            finish(place.span, record, place.trace)

    def flush(self) -> None:
        """Have the client send what it holds; it waits for that as long as it is set to."""
        sentry_sdk.flush()

    def _settle(self, record: RunRecord, place: _Place) -> None:
        with place.trace.lock:
            inner, place.failures = place.failures, []
            place.is_settled = True
        if not has_failed(record):
            for failure in inner:
                self._tell_inner(failure, gone_on=record.status == "ok")
            return
        failure = Failure(record, place.trace, inner, place.span)
        if not self._is_held(failure, _place_of(record.parent)):
            self._tell(failure, "error", handled=record.parent is not None)

    def _is_held(self, failure: Failure, outer: _Place | None) -> bool:
        """Hold a failure until the run around it has ended, if that is still to come."""
        if outer is None:
            return False
        with outer.trace.lock:
            if outer.is_settled:
                return False
            outer.failures.append(failure)
            pushed = outer.failures[:-_MAX_FAILURES]
            del outer.failures[:-_MAX_FAILURES]
        for each in pushed:
            self._tell_inner(each, gone_on=False)
        return True

    def _tell_overdue(self, outer: _Place, begun: RunRecord) -> None:
        """Tell of what has failed in a run that has gone on for long since then."""
        for failure in list(outer.failures):
            ended = failure.record.end_time
            if ended is not None and begun.start_time - ended > _PATIENCE:
                self._tell_inner(failure, gone_on=False)

    def _tell_inner(self, failure: Failure, *, gone_on: bool) -> None:
        if not gone_on:
            self._tell(failure, "error", handled=True)
        elif self._recovered:
            self._tell(failure, "warning", handled=True)

    def _tell(self, failure: Failure, level: str, *, handled: bool) -> None:
        failure.tell(
            level,
            handled=handled,
            safe=lambda text: self._safe_error(failure.record, text),
            variables=self._content and not self._redactions,
        )


def _place_of(record: RunRecord | None) -> _Place | None:
    return record.kept if record is not None and isinstance(record.kept, _Place) else None
