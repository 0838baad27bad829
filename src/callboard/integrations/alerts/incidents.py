"""Incidents: from when a rule is broken until it is not, and what is told of that.

One message when it begins, none while it goes on but the reminders that are asked for, one when
it is over. For a while after that nothing is said if it begins anew; what still goes on then is
told then.
"""

from __future__ import annotations

from typing import Literal, TypeAlias

__all__ = ["Incident", "State"]

State: TypeAlias = Literal["firing", "reminder", "resolved"]


class Incident:
    """What is known of a rule's being broken; moments are microseconds since 1970.

    Attributes:
        since: When it began; None if the rule is kept.
    """

    __slots__ = ("_cooldown", "_over_at", "_remind_every", "_told_at", "since")

    def __init__(self, cooldown: float, remind_every: float | None) -> None:
        """Begin without one.

        Args:
            cooldown: For how many seconds after its end nothing is said.
            remind_every: After how many seconds it is told again; None for never.
        """
        self._cooldown = round(cooldown * 1_000_000)
        self._remind_every = None if remind_every is None else round(remind_every * 1_000_000)
        self.since: int | None = None
        self._told_at = 0
        self._over_at: int | None = None

    def judge(self, now: int, *, is_broken: bool) -> State | None:
        """Return what there is to tell, if anything.

        Args:
            now: The time.
            is_broken: Whether the rule is broken now.
        """
        if self.since is None:
            return self._begin(now) if is_broken and not self._cools(now) else None
        if not is_broken:
            self.since, self._over_at = None, now
            return "resolved"
        if self._remind_every is None or now - self._told_at < self._remind_every:
            return None
        self._told_at = now
        return "reminder"

    def _begin(self, now: int) -> State:
        self.since = self._told_at = now
        return "firing"

    def _cools(self, now: int) -> bool:
        # Not if it ended in the future: the clock was set back.
        return self._over_at is not None and 0 <= now - self._over_at < self._cooldown
