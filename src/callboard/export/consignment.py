"""A consignment: operations under way to a sink, and how much of them is left."""

from __future__ import annotations

from collections.abc import Iterable
from uuid import UUID

from callboard.wire.operations import Operation

__all__ = ["Consignment"]


class Consignment:
    """Operations that are sent together, or in groups if together they are too many.

    Some of them may be set apart: such a part is a consignment too, sent and settled on its
    own. The whole is settled when it and all of its parts are.

    Attributes:
        groups: Those not settled yet and not set apart, in order, each group as it is to be sent.
        parts: What was set apart.
        failures: How often a sink has failed over it.
    """

    __slots__ = ("_whole", "failures", "groups", "parts")

    def __init__(self, operations: list[Operation], whole: Consignment | None = None) -> None:
        """Make a consignment of one group.

        Args:
            operations: What is in it.
            whole: What it is a part of, if it is one.
        """
        self.groups = [operations] if operations else []
        self.parts: list[Consignment] = []
        self.failures = 0
        self._whole = whole

    @property
    def whole(self) -> Consignment:
        """What it is a part of; itself, if it is no part."""
        return self if self._whole is None else self._whole

    @property
    def operations(self) -> list[Operation]:
        """Those in its groups, in order."""
        # Copied in one step: another thread may be settling them.
        return [operation for group in list(self.groups) for operation in group]

    @property
    def unsettled(self) -> list[Operation]:
        """Those in its groups and in its parts."""
        return self.operations + [each for part in self.parts for each in part.operations]

    @property
    def is_settled(self) -> bool:
        """Whether nothing is left of it."""
        return not self.groups and not any(part.groups for part in self.parts)

    def strike(self, count: int) -> None:
        """Strike the first operations off: they are settled.

        Args:
            count: How many.
        """
        while count:
            group = self.groups[0]
            if len(group) > count:
                self.groups[0] = group[count:]
                return
            count -= len(group)
            del self.groups[0]

    def split(self) -> None:
        """Make two groups of the first."""
        group = self.groups[0]
        half = len(group) // 2
        self.groups[:1] = [group[:half], group[half:]]

    def set_apart(self, runs: Iterable[UUID]) -> Consignment:
        """Take what tells of some runs out of it.

        Args:
            runs: The runs' ids.

        Returns:
            A part; its groups are empty if there was nothing of the kind.
        """
        chosen = frozenset(runs)
        apart = [each for each in self.operations if each.run_id in chosen]
        part = Consignment(apart, self.whole)
        if apart:
            kept = ([each for each in group if each.run_id not in chosen] for group in self.groups)
            self.groups = [group for group in kept if group]
            self.whole.parts.append(part)
        return part

    def halve(self) -> list[Consignment]:
        """Set everything in it apart, in two parts.

        What tells of one run stays together, and in order. If it all tells of one run, the
        first operation is one part, and the others, which come after it, are the other.
        """
        runs = list(dict.fromkeys(each.run_id for each in self.operations))
        if len(runs) > 1:
            halves = [self.set_apart(runs[: len(runs) // 2]), self.set_apart(runs)]
        else:
            first, *others = self.operations
            halves = [Consignment([first], self.whole), Consignment(others, self.whole)]
            self.whole.parts += halves
            self.groups = []
        return halves
