"""What several operations say of one run, field by field: the rules of `wire.operations.merge`.

A store does not keep operations, so it keeps for each field how much what it knows of it weighs.
Fields of a run that are told apart have weights of their own; `merge`, which has whole operations,
gives the same wherever it is asked to merge a create with its update, or repetitions of either.

The weights of all fields go into one number, three bits each, which is what a store keeps.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any
from uuid import UUID

from callboard.wire.operations import PARTS, Attachment, Operation

__all__ = ["DEFAULT", "FIELDS", "UPDATE", "Draft", "drafts", "outweighs", "weight_of"]

FIELDS = (
    "trace_id",
    "parent_run_id",
    "dotted_order",
    "name",
    "run_type",
    "start_time",
    "end_time",
    "tags",
    "project",
    "reference_example_id",
    *PARTS,
)
"""What has a weight: heads, parts, and the project, whichever field it is named by."""

_BITS = 3
_MASK = (1 << _BITS) - 1
_SHIFTS: Mapping[str, int] = {name: index * _BITS for index, name in enumerate(FIELDS)}

DEFAULT, START, WHOLE, UPDATE = range(1, 5)
"""What is assumed, or said as a placeholder; what a create says; one that tells of the end too;
an update. Zero is: nothing was said."""

_EMPTY = frozenset({b"{}", b"[]"})
_PROJECT_FIELDS = ("session_id", "session_name", "address")
_HEADS = frozenset(FIELDS) - {*PARTS, "project"}


def outweighs(new: int, known: int) -> bool:
    """Whether what is said replaces what is known: of updates the later, of creates the first."""
    return new > known or new == known == UPDATE


def weight_of(weights: int, name: str) -> int:
    """Return the weight of a field.

    Args:
        weights: Those of all fields.
        name: Which field.
    """
    return weights >> _SHIFTS[name] & _MASK


class Draft:
    """What operations of one run say of it together.

    Attributes:
        run_id: The run.
        values: What is said, by field; a project as the fields that name it.
        attachments: Files by name, each with the weight of what told of it.
    """

    __slots__ = ("_weights", "attachments", "run_id", "values")

    def __init__(self, run_id: UUID) -> None:
        self.run_id = run_id
        self.values: dict[str, Any] = {}
        self.attachments: dict[str, tuple[int, Attachment]] = {}
        self._weights: dict[str, int] = {}

    def add(self, operation: Operation) -> None:
        """Take in another operation, which came after those before."""
        head = operation.head
        weight = UPDATE
        if operation.kind == "create":
            weight = START if head.get("end_time") is None else WHOLE
        for name, value in head.items():
            if name in _HEADS and value is not None:
                self._say(name, weight, value)
        self._say_project(head, weight)
        for name, part in operation.parts.items():
            if part is not None and part != b"null":
                # A create says `outputs: {}` and `events: []` where it knows of none yet.
                is_placeholder = weight == START and len(part) == 2 and part in _EMPTY
                self._say(name, DEFAULT if is_placeholder else weight, part)
        for name, attachment in operation.attachments.items():
            if outweighs(weight, self.attachments.get(name, (0,))[0]):
                self.attachments[name] = weight, attachment

    def _say_project(self, head: Mapping[str, Any], weight: int) -> None:
        named = {name: head[name] for name in _PROJECT_FIELDS if head.get(name) is not None}
        if named:
            self._say("project", weight, named)
        elif weight != UPDATE:
            self._say("project", DEFAULT, {})

    def _say(self, name: str, weight: int, value: Any) -> None:
        known = self._weights.get(name, 0)
        if weight > known or weight == known == UPDATE:  # `outweighs`, without the call.
            self._weights[name] = weight
            self.values[name] = value

    def settle(self, known: int) -> int:
        """Leave out what does not outweigh what is known already.

        Args:
            known: The weights of what is known.

        Returns:
            The weights of what is known then.
        """
        for name, weight in self._weights.items():
            shift = _SHIFTS[name]
            before = known >> shift & _MASK
            if weight > before or weight == before == UPDATE:
                known += (weight - before) << shift
            else:
                del self.values[name]
        return known


def drafts(operations: Iterable[Operation]) -> list[Draft]:
    """Return what operations say, run by run, in the order in which the runs came up.

    Args:
        operations: In the order in which they came.
    """
    found: dict[UUID, Draft] = {}
    for operation in operations:
        draft = found.get(operation.run_id)
        if draft is None:
            draft = found[operation.run_id] = Draft(operation.run_id)
        draft.add(operation)
    return list(found.values())
