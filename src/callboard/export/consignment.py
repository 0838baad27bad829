"""A consignment: operations under way to a sink, and how much of them is left."""

from __future__ import annotations

from callboard.wire.operations import Operation

__all__ = ["Consignment"]


class Consignment:
    """Operations that are sent together, or in groups if together they are too many.

    Attributes:
        groups: Those not settled yet, in order, each group as it is to be sent.
    """

    __slots__ = ("groups",)

    def __init__(self, operations: list[Operation]) -> None:
        """Make a consignment of one group.

        Args:
            operations: At least one.
        """
        self.groups = [operations]

    @property
    def operations(self) -> list[Operation]:
        """Those not settled yet, in order."""
        return [operation for group in self.groups for operation in group]

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
