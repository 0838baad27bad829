"""The handler that watches runs by rules, and sends alerts."""

from __future__ import annotations

import logging
import os
import threading
from collections.abc import Awaitable, Callable, Iterable, Sequence
from datetime import datetime
from math import isfinite
from time import monotonic
from typing import Any, TypeAlias
from uuid import UUID
from weakref import WeakSet

from callboard import clock
from callboard.errors import BadOptionError
from callboard.export.notices import Notices
from callboard.integrations.alerts.alert import Alert, Example
from callboard.integrations.alerts.channels import Channel, channel_to
from callboard.integrations.alerts.courier import Courier, Deliveries
from callboard.integrations.alerts.links import Link, check_link
from callboard.integrations.alerts.rules import Cost, Rule, RunCost
from callboard.integrations.alerts.watch import Watch
from callboard.integrations.base import RunRecord, RunTreeHandler
from callboard.redaction import redacted
from callboard.wire.operations import Operation

__all__ = ["AlertCallbackHandler"]

logger = logging.getLogger(__name__)

Target: TypeAlias = Channel | Callable[[Alert], Awaitable[object] | object]

_handlers: WeakSet[AlertCallbackHandler] = WeakSet()


class AlertCallbackHandler(RunTreeHandler):
    """Sends an alert when a rule begins to be broken, and one when it is kept again.

    The time is that of the runs, not the clock's. A run is measured when it ends; one whose end
    does not come is not. Alerts are sent from threads of their own, one for each channel. Each
    process watches its own runs, a fork's child too.
    """

    def __init__(
        self,
        rules: Rule | Iterable[Rule],
        to: Target | Iterable[Target],
        *,
        link: Link | None = None,
        max_waiting: int = 100,
        exit_timeout: float = 5.0,
        **options: Any,
    ) -> None:
        """Make a handler.

        Args:
            rules: What to watch.
            to: Where alerts go: a `Webhook`, a `Slack`, a function or coroutine function that
                takes an `Alert`, or a `Channel` of your own; or several of them.
            link: Where a run can be looked at: a URL with ``{run_id}`` or ``{trace_id}`` in it,
                or a function of an alert's example that returns one, called in the background.
            max_waiting: How many alerts may wait for a channel; then the oldest is lost.
            exit_timeout: How many seconds `flush`, `close` and the end of the program may wait
                for what is not sent yet.
            **options: See `RunTreeHandler`: ``redaction``, ``prices``, ``max_runs``.

        Raises:
            BadOptionError: There is no rule or nowhere to send to, or one of them is none, or
                another option has a value that is not accepted.
        """
        super().__init__(content=False, **options)
        rules = [rules] if isinstance(rules, Rule) else list(rules)
        _check(rules, max_waiting, exit_timeout)
        if link is not None:
            check_link(link)
        self._rules = rules
        self._exit_timeout = exit_timeout
        self._counts_costs = any(isinstance(rule, (Cost, RunCost)) for rule in rules)
        self._couriers = [
            Courier(channel, link=link, max_waiting=max_waiting, exit_timeout=exit_timeout)
            for channel in _channels(to)
        ]
        self._notices = Notices(logger)
        self._is_closed = False
        self._begin()
        _handlers.add(self)

    def _begin(self) -> None:
        self._watches = [Watch(rule) for rule in self._rules]
        # Reentrant: the garbage collector may end a run, in the middle of anything.
        self._judging = threading.RLock()

    def after_fork(self) -> None:
        """Begin anew, in the child of a fork: what was measured is the parent's to tell.

        Some thread of the parent may have held the lock, and is not here to let go of it.
        """
        self._begin()

    # What is heard.

    def run_ended(self, record: RunRecord) -> None:
        """Measure a run, and tell what there is to tell of it."""
        self._add_cost(record)
        if record.status != "unfinished" and record.end_time is not None:
            self._hear(
                record.end_time,
                record,
                lambda rule: rule.measure(record),
                lambda: Example.of(record.id, record),
            )

    def feedback(
        self,
        run_id: UUID | str,
        key: str,
        score: float | None,
        comment: str | None = None,
        *,
        at: datetime | None = None,
    ) -> None:
        """Hear how a run was judged, by a person or an evaluator.

        Of the run, what is known is known if it has not ended long ago: rules that choose runs
        leave out the others.

        Args:
            run_id: The run.
            key: What was judged.
            score: How; without one, or if it is no number, there is nothing to watch.
            comment: What was said with it; told in the alert, redacted.
            at: When, aware; now, by default.

        Raises:
            BadOptionError: The id is none, or the moment has no time zone.
        """
        found, value = _id(run_id), _number(score)
        if value is None:
            return
        record = self._known(found)
        self._hear(
            _moment(at),
            record,
            lambda rule: rule.rate(key, value),
            lambda: Example.of(found, record, self._redacted_comment(found, comment)),
        )

    def advance(self, moment: datetime | None = None) -> None:
        """Let it be so late, though no run has ended: what is over then is told.

        Call it from a timer where runs are rare; nothing else is told by time alone.

        Args:
            moment: Which, aware; now, by default.

        Raises:
            BadOptionError: The moment has no time zone.
        """
        self._hear(_moment(moment), None, lambda _: None, None)

    def _hear(
        self,
        moment: datetime,
        record: RunRecord | None,
        measure: Callable[[Rule], float | None],
        example: Callable[[], Example] | None,
    ) -> None:
        if self._is_closed:
            return
        now = clock.microseconds(moment)
        values = [self._measured(watch.rule, record, measure) for watch in self._watches]
        with self._judging:
            for watch, value in zip(self._watches, values, strict=True):
                if value is None or example is None:
                    alert = watch.advance(now)
                else:
                    alert = watch.add(now, value, example)
                if alert is not None:
                    self._send(alert)

    def _measured(
        self, rule: Rule, record: RunRecord | None, measure: Callable[[Rule], float | None]
    ) -> float | None:
        try:
            value = measure(rule) if rule.selects(record) else None
        except Exception as error:  # noqa: BLE001 - a rule of somebody's own, and not the only one
            self._notices.once(rule.title, "%r can't measure a run: %r", rule, error)
            return None
        return value if value is not None and isfinite(value) else None

    def _send(self, alert: Alert) -> None:
        for courier in self._couriers:
            courier.put(alert)

    # What is known of costs, and of comments.

    def _add_cost(self, record: RunRecord) -> None:
        """Add what a run has cost to what it is inside of."""
        if record.cost is not None and record.cost.total is not None:
            outer: RunRecord | None = record
            with self._judging:
                while outer is not None:
                    outer.kept = (outer.kept or 0.0) + record.cost.total
                    outer = outer.parent
        elif self._counts_costs and record.is_model and record.status == "ok":
            self._notices.once(
                "unpriced",
                "What %s costs is not known: alerts on costs leave its calls out. Said once.",
                record.response_model or record.model or "a model without name",
            )

    def _redacted_comment(self, run_id: UUID, comment: str | None) -> str | None:
        if comment is None or not self._redactions:
            return comment
        said = Operation("update", run_id, {}, {"outputs": {"comment": comment}})
        told = (redacted(said, self._redactions).parts.get("outputs") or {}).get("comment")
        return told if isinstance(told, str) else None

    # What becomes of alerts.

    @property
    def deliveries(self) -> Deliveries:
        """What became of the alerts so far, all channels together."""
        told = [courier.deliveries for courier in self._couriers]
        return Deliveries(
            sum(each.sent for each in told),
            sum(each.lost for each in told),
            sum(each.waiting for each in told),
        )

    def flush(self, timeout: float | None = None) -> None:
        """Wait until alerts are sent, or lost.

        Args:
            timeout: How long at the most, in seconds; None: `exit_timeout`.
        """
        deadline = monotonic() + (self._exit_timeout if timeout is None else timeout)
        for courier in self._couriers:
            courier.flush(max(0.0, deadline - monotonic()))

    def close(self) -> None:
        """Hear nothing more, and send what is left, for `exit_timeout` at the most."""
        super().close()
        self._is_closed = True
        for courier in self._couriers:
            courier.shutdown(0.0)


def _check(rules: Sequence[object], max_waiting: int, exit_timeout: float) -> None:
    strange = [each for each in rules if not isinstance(each, Rule)]
    if strange or not rules:
        got = repr(strange[0]) if strange else "none"
        raise BadOptionError(
            f"Alerts need rules, such as ErrorRate(above=0.1), and there is {got}."
        )
    if max_waiting < 1:
        raise BadOptionError(f"max_waiting is {max_waiting}; it takes a number of at least 1.")
    if not exit_timeout >= 0:
        raise BadOptionError(f"exit_timeout is {exit_timeout}; it takes seconds, at least 0.")


def _channels(to: Any) -> list[Channel]:
    if isinstance(to, (Channel, str)) or callable(to) or not isinstance(to, Iterable):
        return [channel_to(to)]
    channels = [channel_to(each) for each in to]
    if not channels:
        raise BadOptionError(
            "Alerts need somewhere to go: a Webhook, a Slack or a function, and there is none."
        )
    return channels


def _id(run_id: UUID | str) -> UUID:
    try:
        return run_id if isinstance(run_id, UUID) else UUID(run_id)
    except (ValueError, AttributeError, TypeError):
        raise BadOptionError(
            f"Feedback is for the run {run_id!r}; it takes the id of a run, a UUID."
        ) from None


def _number(score: Any) -> float | None:
    try:
        value = float(score)
    except (TypeError, ValueError):
        return None
    return value if isfinite(value) else None


def _moment(moment: datetime | None) -> datetime:
    if moment is None:
        return clock.now()
    if moment.utcoffset() is None:
        raise BadOptionError(f"The moment {moment} has no time zone; it takes one that has.")
    return moment


def _after_fork() -> None:
    for handler in list(_handlers):
        handler.after_fork()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)
