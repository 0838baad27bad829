"""JSON Patch (RFC 6902) and the pointers in it (RFC 6901), for documents of Python values.

A document is never changed. What a patch touches is copied along its path, once, and the rest
is shared with the document before: a list of a thousand tokens to which ten more are added, one
operation each, is copied once.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterable, Mapping, MutableMapping, MutableSequence
from typing import Any, NoReturn, TypeAlias

from callboard.errors import BadPatchError

__all__ = ["Document", "Operation", "check", "escaped", "unescaped"]

Operation: TypeAlias = Mapping[str, Any]
"""One operation: ``op``, ``path``, and ``value`` or ``from`` where the operation takes them."""

_NEEDS = {
    "add": "value",
    "remove": None,
    "replace": "value",
    "move": "from",
    "copy": "from",
    "test": "value",
}


def escaped(key: str) -> str:
    """Return a key as a pointer has it between slashes."""
    return key.replace("~", "~0").replace("/", "~1")


def unescaped(part: str) -> str:
    """Return the key that a part of a pointer stands for."""
    return part.replace("~1", "/").replace("~0", "~")


def check(operation: Any) -> None:
    """Refuse what is no operation, before it is applied to anything.

    Args:
        operation: The operation.

    Raises:
        BadPatchError: It is none that RFC 6902 knows, or lacks something.
    """
    name = operation.get("op") if isinstance(operation, Mapping) else None
    if name not in _NEEDS:
        raise BadPatchError(
            f"{operation!r} is no operation of JSON Patch: 'op' must be one of {', '.join(_NEEDS)}."
        )
    _parts(operation, "path")
    needed = _NEEDS[name]
    if needed is not None and needed not in operation:
        raise BadPatchError(f"{operation!r} lacks {needed!r}, which {name!r} needs.")
    if needed == "from":
        _parts(operation, "from")


def _parts(operation: Operation, which: str) -> list[str]:
    """Return a pointer's parts, unescaped; none for the whole document."""
    pointer = operation.get(which)
    if not isinstance(pointer, str) or (pointer and not pointer.startswith("/")):
        raise BadPatchError(
            f"{operation!r} has no pointer in {which!r}: it must be empty or start with a slash."
        )
    return [unescaped(part) for part in pointer.split("/")[1:]]


class Document:
    """A document that patches are applied to, one after the other.

    Attributes:
        value: The document as it is now; to keep it while patches still come, use `settled`.
    """

    def __init__(self, value: Any = None) -> None:
        """Start from a value.

        Args:
            value: The value; it is never changed.
        """
        self.value: Any = value
        # The containers made here, by id: nobody else has them yet, so they may be changed.
        self._own: dict[int, Any] = {}

    def settled(self) -> Any:
        """Return the document for somebody to keep: later patches leave it as it is."""
        self._own.clear()
        return self.value

    def apply(self, operations: Iterable[Operation]) -> None:
        """Apply a patch.

        Args:
            operations: Its operations, in order.

        Raises:
            BadPatchError: One of them can't be applied. Those before it have been.
        """
        for operation in operations:
            check(operation)
            _APPLY[operation["op"]](self, operation)

    def _add(self, operation: Operation) -> None:
        self._put(operation, operation["value"])

    def _replace(self, operation: Operation) -> None:
        parts = _parts(operation, "path")
        if not parts:
            self.value = operation["value"]
            return
        holder = self._holder(operation, parts)
        holder[_existing(holder, parts[-1], operation)] = operation["value"]

    def _remove(self, operation: Operation) -> None:
        self._take(operation, "path")

    def _move(self, operation: Operation) -> None:
        if f"{operation['path']}/".startswith(f"{operation['from']}/"):
            if operation["path"] == operation["from"]:
                self._found(operation, "from")
                return
            _refuse(operation, "a value can't be moved into itself")
        taken = self._take(operation, "from")
        try:
            self._put(operation, taken)
        except BadPatchError:
            self._put({**operation, "path": operation["from"]}, taken)
            raise

    def _copy(self, operation: Operation) -> None:
        value = self._found(operation, "from")
        self._own.clear()  # What it holds is in two places now, and must be copied to be changed.
        self._put(operation, value)

    def _test(self, operation: Operation) -> None:
        found = self._found(operation, "path")
        if not _same(found, operation["value"]):
            _refuse(operation, f"there is {found!r}")

    def _put(self, operation: Operation, value: Any) -> None:
        parts = _parts(operation, "path")
        if not parts:
            self.value = value
            return
        holder, key = self._holder(operation, parts), parts[-1]
        if isinstance(holder, MutableMapping):
            holder[key] = value
        elif key == "-":
            holder.append(value)
        else:
            holder.insert(_index(holder, key, operation, len(holder)), value)

    def _take(self, operation: Operation, which: str) -> Any:
        parts = _parts(operation, which)
        if not parts:
            taken, self.value = self.value, None
            return taken
        holder = self._holder(operation, parts)
        return holder.pop(_existing(holder, parts[-1], operation))

    def _found(self, operation: Operation, which: str) -> Any:
        node = self.value
        for part in _parts(operation, which):
            node = node[_existing(node, part, operation)]
        return node

    def _holder(self, operation: Operation, parts: list[str]) -> Any:
        """Return the container that the last part is a key of, free to be changed."""
        node = self.value = self._owned(self.value, operation)
        for part in parts[:-1]:
            key = _existing(node, part, operation)
            child = self._owned(node[key], operation)
            node[key] = child
            node = child
        return node

    def _owned(self, container: Any, operation: Operation) -> Any:
        if id(container) in self._own:
            return container
        if not isinstance(container, MutableMapping | MutableSequence):
            _refuse(operation, f"a {type(container).__name__} on the way has nothing inside")
        twin = copy.copy(container)
        self._own[id(twin)] = twin
        return twin


_APPLY: Mapping[str, Callable[[Document, Operation], None]] = {
    name: getattr(Document, f"_{name}") for name in _NEEDS
}


def _existing(container: Any, part: str, operation: Operation) -> Any:
    """Return the key or index that a part of a pointer stands for, of something that is there."""
    if isinstance(container, Mapping):
        if part not in container:
            _refuse(operation, f"there is no {part!r}")
        return part
    if not isinstance(container, MutableSequence):
        _refuse(operation, f"a {type(container).__name__} on the way has nothing inside")
    return _index(container, part, operation, len(container) - 1)


def _index(container: Any, part: str, operation: Operation, most: int) -> int:
    if not (part.isascii() and part.isdigit()) or (len(part) > 1 and part[0] == "0"):
        _refuse(operation, f"{part!r} is no index of a list")
    if int(part) > most:
        _refuse(operation, f"a list on the way has {len(container)} items, and no {part}")
    return int(part)


def _same(found: Any, expected: Any) -> bool:
    """Whether two values are the same in JSON, to which true is not 1."""
    if isinstance(found, bool) or isinstance(expected, bool):
        return found is expected
    if isinstance(found, Mapping) and isinstance(expected, Mapping):
        return found.keys() == expected.keys() and all(
            _same(value, expected[key]) for key, value in found.items()
        )
    if isinstance(found, list) and isinstance(expected, list):
        return len(found) == len(expected) and all(map(_same, found, expected))
    return bool(found == expected)


def _refuse(operation: Operation, why: str) -> NoReturn:
    raise BadPatchError(f"{dict(operation)!r} can't be applied: {why}.")
