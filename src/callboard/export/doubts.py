"""Doubts: operations that a sink fails over, set aside so that the others get through.

A sink that fails may be out of order, or it may fail over what it was sent. Which of the two it
is shows when something else is sent: if that is taken, there is no outage.

What is in doubt is tried again beside the rest, at intervals that grow. If it fails while the
sink takes other things, it is halved, down to the single operation; and that is condemned when
it has failed alone often enough, each time with something else taken before and after, or for an
hour. While nothing at all is taken, nobody is condemned. Where there is nothing else to be sent,
the halves serve each other for that.

What tells of a run that is in doubt waits behind it, so that a run is told of in order.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from uuid import UUID

from callboard.export.consignment import Consignment

__all__ = ["Doubts", "Suspect"]

_STRIKES = 8
"""By the default backoff, a minute or two: it holds nobody up."""
_HOUR = 3600.0
_FULL = 16 * 1024 * 1024
"""Bytes. More is not set aside: they are held in memory."""


@dataclass(slots=True, eq=False)
class Suspect:
    """A consignment that is in doubt.

    Attributes:
        consignment: What it is.
        since: When it was set aside.
        due: When it is to be tried again.
        attempts: How often it has failed since.
        strikes: How often it has failed with something else taken before and after.
        failed_at: How much the sink had taken by the time that it failed last; None if it has
            not failed since, or nothing else was taken then.
    """

    consignment: Consignment
    since: float
    due: float = 0.0
    attempts: int = 0
    strikes: int = 0
    failed_at: int | None = None

    @property
    def is_one(self) -> bool:
        """Whether it is a single operation."""
        return len(self.consignment.operations) == 1

    def failed(self, passes: int | None, due: float) -> None:
        """Say that it has failed again.

        Args:
            passes: How much the sink has taken so far; None if it takes nothing now.
            due: When to try again.
        """
        self.attempts += 1
        self.failed_at = passes
        self.due = due

    def was_blamed(self, passes: int) -> bool:
        """Whether it is known since its last failure that the sink is not to blame for that.

        Args:
            passes: How much the sink has taken so far.
        """
        return self.failed_at is not None and passes > self.failed_at

    def is_condemned(self, now: float, *, sink_is_well: bool) -> bool:
        """Whether there is no sense in trying again.

        Args:
            now: The time.
            sink_is_well: Whether there is no outage.
        """
        if not self.is_one:
            return False
        long_enough = self.attempts >= _STRIKES and now - self.since > _HOUR
        return self.strikes >= _STRIKES or (sink_is_well and long_enough)


class Doubts:
    """What is in doubt, in order."""

    def __init__(self) -> None:
        """Begin without any."""
        self._suspects: list[Suspect] = []

    def __bool__(self) -> bool:
        return bool(self._suspects)

    @property
    def is_full(self) -> bool:
        """Whether nothing more is to be set aside."""
        wholes = {id(each): each for each in (it.consignment.whole for it in self._suspects)}
        return sum(getattr(each, "size", 0) for each in wholes.values()) >= _FULL

    @property
    def are_of_one(self) -> bool:
        """Whether all of it came together."""
        return len({id(suspect.consignment.whole) for suspect in self._suspects}) == 1

    def add(self, consignment: Consignment, due: float, now: float) -> None:
        """Set a consignment aside.

        Args:
            consignment: Which.
            due: When it is to be tried again.
            now: The time.
        """
        self._suspects.append(Suspect(consignment, now, due))

    def remove(self, suspect: Suspect) -> None:
        """Let go of one that is settled."""
        self._suspects.remove(suspect)

    def halve(self, suspect: Suspect) -> None:
        """Put the two halves of one in its place.

        Args:
            suspect: One of more than one operation.
        """
        at = self._suspects.index(suspect)
        self._suspects[at : at + 1] = [
            Suspect(half, suspect.since, suspect.due) for half in suspect.consignment.halve()
        ]

    def runs(self) -> set[UUID]:
        """Return the runs that are told of by what is in doubt."""
        return {run for suspect in self._suspects for run in _runs(suspect)}

    def next(self) -> Suspect | None:
        """Return the one that is to be tried next, now or later; None if there is none."""
        return min(self._first(), key=lambda suspect: suspect.due, default=None)

    def _first(self) -> Iterator[Suspect]:
        """Yield those before which none tells of the same run."""
        before: set[UUID] = set()
        for suspect in self._suspects:
            runs = set(_runs(suspect))
            if before.isdisjoint(runs):
                yield suspect
            before |= runs


def _runs(suspect: Suspect) -> Iterator[UUID]:
    return (each.run_id for each in suspect.consignment.operations)
