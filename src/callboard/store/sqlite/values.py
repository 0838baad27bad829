"""Values between Python and the file: ids are 16 bytes there, structures JSON."""

from __future__ import annotations

from collections.abc import Container, Iterable
from typing import Any
from uuid import UUID

from callboard.errors import BadOptionError
from callboard.ids import uuid_of
from callboard.wire import json

__all__ = ["id_or_none", "json_of", "json_text", "only_known", "sql_id"]


def sql_id(value: UUID | None) -> bytes | None:
    """Return an id as the file has it."""
    return None if value is None else value.bytes


def id_or_none(value: bytes | None) -> UUID | None:
    """Return an id of the file's as an id."""
    return None if value is None else uuid_of(value)


def json_text(value: Any) -> str:
    """Return a structure as the file has it."""
    return json.encode(value).decode()


def json_of(text: str) -> Any:
    """Return a structure of the file's."""
    return json.decode(text.encode())


def only_known(kind: str, names: Iterable[str], known: Container[str]) -> None:
    """Refuse changes of fields that can't be changed.

    Raises:
        BadOptionError: One of them is such a field.
    """
    for name in names:
        if name not in known:
            raise BadOptionError(f"A {kind} has no field {name!r} that can be changed.")
