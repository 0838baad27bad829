"""Operations: what is told of a run, the first time and every time after.

A run is told of in pieces: one that creates it, as a rule when it starts, and others that
update it, as a rule one when it ends. They may arrive in any order, twice, or one without the
other, so `merge` gives the same run whichever came first.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from itertools import islice
from typing import Any, Literal, NamedTuple, TypeAlias
from uuid import UUID

__all__ = [
    "ENVELOPE",
    "KINDS",
    "NUMBER",
    "PARTS",
    "PART_HEADER",
    "PUNCTUATION",
    "RUN_TYPES",
    "VERBS",
    "Attachment",
    "Content",
    "Feedback",
    "Kind",
    "LateOperation",
    "MeasuredDict",
    "MeasuredList",
    "Operation",
    "Part",
    "finalise",
    "measured",
    "merge",
    "size_estimate",
    "size_of",
]

Kind: TypeAlias = Literal["create", "update"]

VERBS: Mapping[Kind, str] = {"create": "post", "update": "patch"}
"""What the kinds are called on the wire."""

KINDS: Mapping[str, Kind] = {verb: kind for kind, verb in VERBS.items()}
"""The kinds by what they are called on the wire."""

PARTS = ("inputs", "outputs", "events", "extra", "error", "serialized")
"""The fields that may be big, in the order in which they are sent."""

RUN_TYPES = frozenset({"tool", "chain", "llm", "retriever", "embedding", "prompt", "parser"})
"""The run types that the protocol knows (LangSmith protocol: multipart ingest)."""

Part: TypeAlias = Any
"""A big field: a structure as capture makes it, or bytes, which are JSON already."""


class Attachment(NamedTuple):
    """A file that belongs to a run.

    Attributes:
        mime_type: What kind of file, such as ``"image/png"``.
        data: Its content.
    """

    mime_type: str
    data: bytes


Content: TypeAlias = tuple[dict[str, Any], dict[str, Part]]
"""An operation's head and parts."""


@dataclass(slots=True, repr=False)
class Operation:
    """One piece of what is told of a run.

    Attributes:
        kind: Whether it creates the run or updates it.
        run_id: The run's id.
        head: The small fields by name: ``trace_id``, ``dotted_order``, ``name``, ``run_type``,
            ``start_time``, ... (`callboard.wire.heads.FIELDS` has them all). None is the same
            as absent: nothing is said of that field.
        parts: The fields of `PARTS` that are told of. None is the same as absent.
        attachments: Files by name.
    """

    kind: Kind
    run_id: UUID
    head: dict[str, Any] = field(default_factory=dict)
    parts: dict[str, Part] = field(default_factory=dict)
    attachments: dict[str, Attachment] = field(default_factory=dict)

    def __repr__(self) -> str:
        told = ", ".join([*self.parts, *self.attachments])
        return f"<Operation {self.kind} {self.run_id}{': ' if told else ''}{told}>"


class LateOperation(Operation):
    """An operation whose head and parts are put together when they are first read.

    That is by the thread that sends it, as a rule, and not by the application's, which has only
    made a copy of what is told. Until then what is told may be replaced by what is known later.

    Attributes:
        size: About how many bytes its head and parts take.
        grown: By how many bytes that has changed since it was made.
        is_final: Whether what is told can't be replaced any more.
        finish: Given head and parts when they are put together, returns those to send; or None.
    """

    __slots__ = ("_read", "_told", "finish", "grown", "is_final", "size")

    def __init__(
        self,
        kind: Kind,
        run_id: UUID,
        read: Callable[[Any], Content],
        told: Any,
        size: int,
    ) -> None:
        """Make an operation.

        Args:
            kind: Whether it creates the run or updates it.
            run_id: The run's id.
            read: Returns head and parts; may be called by several threads at once.
            told: What it is called with. If that changes, so does what is told, until it is read.
            size: See the class.
        """
        self.kind = kind
        self.run_id = run_id
        self.attachments = {}
        self.size = size
        self.grown = 0
        self.is_final = False
        self.finish: Callable[[Content], Content] | None = None
        self._read = read
        self._told = told

    def retell(self, told: Any, size: int) -> bool:
        """Replace what is told, unless that is final.

        Args:
            told: What it is read from; must not change any more.
            size: About how many bytes its head and parts take then.

        Returns:
            Whether it was replaced.
        """
        if self.is_final:
            return False
        self._told = told
        self.grown += size - self.size
        self.size = size
        return True

    def __getattr__(self, name: str) -> Any:
        # Called for what has not been set: that is these two, once.
        if name not in {"head", "parts"}:
            raise AttributeError(f"{type(self).__name__} has no attribute {name!r}.")
        self.is_final = True
        content = self._read(self._told)
        self.head, self.parts = content if self.finish is None else self.finish(content)
        return getattr(self, name)


def finalise(operation: Operation) -> int:
    """Have an operation stay what it is: it is on its way.

    Args:
        operation: Any operation.

    Returns:
        By how many bytes it has grown since it was made.
    """
    if type(operation) is not LateOperation:
        return 0
    operation.is_final = True
    return operation.grown


@dataclass(slots=True, repr=False)
class Feedback:
    """What somebody, or a program, thinks of a run.

    Attributes:
        id: The feedback's own id; the same id again replaces it.
        fields: What is told, by name: ``run_id``, ``key``, ``score``, ``comment``, ...
    """

    id: UUID
    fields: dict[str, Any]

    def __repr__(self) -> str:
        return f"<Feedback {self.fields.get('key')} {self.id}>"


def merge(one: Operation, other: Operation) -> Operation:
    """Return the one operation that tells what two of the same run tell.

    Fields are replaced whole, attachments are united (LangSmith protocol: multipart ingest).
    What an update says counts most, whichever came first; then what a create says that tells
    of the end too, as clients send it that merge the two themselves; then a create that tells
    of the start only. Of two updates the later counts more. Of two such creates the first does:
    the second is a repetition, and must not bring back what has been replaced since. So any
    order of a create, an update and repetitions of both gives the same run.

    Args:
        one: What is known; not changed.
        other: What came after it; not changed.

    Returns:
        A create, if either of them is one.

    Raises:
        ValueError: They are of different runs.
    """
    if one.run_id != other.run_id:
        raise ValueError(
            f"Only operations of one run can be merged, not of {one.run_id} and {other.run_id}."
        )
    weak, strong = one, other
    known, new = _weight(one), _weight(other)
    if known > new or known == new != _UPDATE:
        weak, strong = other, one
    parts = _told(weak.parts)
    for name, part in _told(strong.parts).items():
        # A create says `outputs: {}` and `events: []` where it knows of none yet.
        if name in parts and max(known, new) == _START and _is_empty(part):
            continue
        parts[name] = part
    return Operation(
        "create" if "create" in (one.kind, other.kind) else "update",
        one.run_id,
        _told(weak.head) | _told(strong.head),
        parts,
        weak.attachments | strong.attachments,
    )


_START, _WHOLE, _UPDATE = range(3)


def _weight(operation: Operation) -> int:
    if operation.kind == "update":
        return _UPDATE
    return _START if operation.head.get("end_time") is None else _WHOLE


def _told(fields: Mapping[str, Any]) -> dict[str, Any]:
    """Return the fields of which something is said; JSON's null says nothing either."""
    return {name: value for name, value in fields.items() if value is not None and value != b"null"}


def _is_empty(part: Part) -> bool:
    return part in ({}, [], b"{}", b"[]")


# Roughly what stands around a value in JSON, and around a key: quotes, comma, colon; and what a
# number takes.
PUNCTUATION = 4
NUMBER = 8

_CONTAINERS = frozenset({dict, list, tuple})
# The head and its part's header, of which every operation has the like; and other parts' headers.
ENVELOPE = 640
PART_HEADER = 128
_MAX_VISITS = 4096
_MAX_DEPTH = 200


class MeasuredDict(dict[str, Any]):
    """A dictionary that knows its size."""

    __slots__ = ("size",)
    size: int


class MeasuredList(list[Any]):
    """A list that knows its size."""

    __slots__ = ("size",)
    size: int


_MEASURED = frozenset({MeasuredDict, MeasuredList})


def measured(value: Any, size: int) -> Any:
    """Return a dictionary or list as one that knows its size; anything else as it is.

    Whoever makes a structure sees all of it then; to find its size later is to go through it
    again, on the application's thread.

    Args:
        value: A structure, which must not change any more, or a leaf.
        size: About how many bytes it takes, as `size_estimate` has it.
    """
    if type(value) is dict:
        known: MeasuredDict | MeasuredList = MeasuredDict(value)
    elif type(value) is list:
        known = MeasuredList(value)
    else:
        return value
    known.size = size
    return known


def size_estimate(operation: Operation) -> int:
    """Return about how many bytes an operation takes, without encoding it.

    It costs little however big the operation is: strings and bytes count by their length, and
    of a structure of more than a few thousand values the rest counts like what was seen.

    Args:
        operation: Any operation.

    Returns:
        Bytes; of text that is not ASCII up to three a character, as UTF-8 may have.
    """
    if type(operation) is LateOperation:
        size = operation.size
    else:
        size = ENVELOPE + PART_HEADER * len(operation.parts)
        size += sum(map(size_of, operation.parts.values()))
    for name, (mime_type, data) in operation.attachments.items():
        size += PART_HEADER + len(name) + len(mime_type) + len(data)
    return size


def size_of(part: Part) -> int:
    """Return about how many bytes a part takes.

    Args:
        part: Any part.
    """
    if type(part) in _MEASURED:
        known: int = part.size
        return known
    size = visits = 0
    # It grows while it is gone through: a loop takes half the time of a function for each.
    found: list[Any] = [part if type(part) in _CONTAINERS else (part,)]
    for container in found:
        visits += len(container)
        if visits > _MAX_VISITS:
            return _extrapolated((part,), [_MAX_VISITS], _MAX_DEPTH)
        values = container
        if type(container) is dict:
            for key in container:
                size += len(key) + PUNCTUATION if type(key) is str else NUMBER
            values = container.values()
        for value in values:
            kind = type(value)
            if kind is str:
                # Whether text is ASCII is known without looking at its characters.
                size += len(value) if value.isascii() else 3 * len(value)
            elif kind in _CONTAINERS:
                found.append(value)
            elif kind in _MEASURED:
                size += value.size
            else:
                size += len(value) if kind is bytes else NUMBER
    return size + PUNCTUATION * visits


def _extrapolated(container: Any, visits_left: list[int], depth: int) -> int:
    """Return about the size of a dictionary, list or tuple that is too big to be gone through.

    Args:
        container: Which one.
        visits_left: One number: how many more values to look at. When it comes to nothing, what
            was not seen of each container under way counts like what was seen of it.
        depth: How many containers deep it may be followed.
    """
    length = len(container)
    if not depth or not length:
        return NUMBER
    values = container.values() if type(container) is dict else container
    size = seen = 0
    for seen, value in enumerate(islice(values, _MAX_VISITS), 1):  # noqa: B007 - read below
        if type(value) in _CONTAINERS:
            size += _extrapolated(value, visits_left, depth - 1)
            if visits_left[0] <= 0:
                break
        else:
            size += size_of(value)
    visits_left[0] -= seen
    keys = container if type(container) is dict else ()
    named = sum(len(key) + PUNCTUATION if type(key) is str else NUMBER for key in keys)
    return named + PUNCTUATION * length + size * length // seen
