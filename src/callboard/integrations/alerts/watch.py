"""A watch: one rule, what it has measured, and whether it is broken."""

from __future__ import annotations

from collections.abc import Callable
from uuid import UUID

from callboard import ids
from callboard.clock import moment_at
from callboard.integrations.alerts.alert import Alert, Example
from callboard.integrations.alerts.incidents import Incident, State
from callboard.integrations.alerts.rules import Rule
from callboard.integrations.alerts.windows import Window

__all__ = ["Watch"]


class Watch:
    """Keeps a rule's window and its incident. Not locked."""

    def __init__(self, rule: Rule) -> None:
        """Begin to watch.

        Args:
            rule: What.
        """
        self.rule = rule
        self._statistic = rule.computed
        self._limit, self._is_worse = rule.limit, rule.is_worse
        self._window: Window[Example] = Window(
            rule.window,
            self._limit,
            self._is_worse,
            sizes=self._statistic.percent is not None,
        )
        self._incident = Incident(rule.cooldown, rule.remind_every)
        self._id = UUID(int=0)

    def add(self, moment: int, value: float, example: Callable[[], Example]) -> Alert | None:
        """Take in what was measured, and return what there is to tell, if anything.

        Args:
            moment: When, in microseconds since 1970.
            value: The value.
            example: Returns what it was measured of.
        """
        self._window.add(moment, value, example)
        return self._judged()

    def advance(self, moment: int) -> Alert | None:
        """Let it be so late, and return what there is to tell, if anything.

        Args:
            moment: In microseconds since 1970.
        """
        if self._incident.since is None or moment <= self._window.now:
            return None  # By time alone nothing begins; and what is over was told.
        self._window.advance(moment)
        return self._judged()

    def _judged(self) -> Alert | None:
        window, since = self._window, self._incident.since
        # While it goes on, few runs are as telling as many: that they fail keeps others away.
        least = self.rule.min_count if since is None else 1
        is_broken = window.count >= least and self._statistic.is_beyond(
            window, self._limit, self._is_worse
        )
        state = self._incident.judge(window.now, is_broken=is_broken)
        if state is None:
            return None
        if since is None:
            since, self._id = window.now, ids.new_id()
        return self._alert(state, since)

    def _alert(self, state: State, since: int) -> Alert:
        window = self._window
        return Alert(
            id=self._id,
            state=state,
            rule=self.rule,
            value=self._statistic.value(window) if window.count else None,
            count=window.count,
            at=moment_at(window.now),
            since=moment_at(since),
            example=None if state == "resolved" else window.example(),
        )
