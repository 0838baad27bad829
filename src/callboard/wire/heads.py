"""Heads: the small fields of an operation, and what each of them takes.

One row a field. Fields that are not in the table are ignored: clients send more than is asked
for, and later ones will send more still (LangSmith protocol: single runs).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any
from uuid import UUID

from callboard.errors import BadBodyError
from callboard.wire.operations import RUN_TYPES
from callboard.wire.orders import ends, moment, shown

__all__ = ["FIELDS", "checked", "identifier"]


_USUAL_ID = re.compile("[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")


# As almost all of them come: no need to read it as a number and write it again. The runs of a
# trace name it and each other.
@lru_cache(2048)
def _is_usual(text: str) -> bool:
    return _USUAL_ID.fullmatch(text) is not None


def identifier(value: Any) -> UUID:
    """Return a UUID from its text.

    Raises:
        BadBodyError: It is not one.
    """
    try:
        return UUID(value)
    except (AttributeError, TypeError, ValueError):
        raise BadBodyError(f"{shown(value)} is no UUID.") from None


def _id(value: Any) -> str:
    if type(value) is str and len(value) == 36 and _is_usual(value):
        return value
    return str(identifier(value))


def _text(value: Any) -> str:
    if isinstance(value, str):
        return value
    raise BadBodyError(f"it is {shown(value)}, and takes text.")


def _time(value: Any) -> str:
    read = moment(value)
    # As almost all of them come: no need to write it again.
    return value if type(value) is str and value.endswith("+00:00") else read.isoformat()


def _tags(value: Any) -> list[str]:
    if isinstance(value, list):
        # Clients do not check what tags are made of; a number is as good as its digits.
        return [tag if isinstance(tag, str) else str(tag) for tag in value]
    raise BadBodyError(f"it is {shown(value)}, and takes a list of text.")


def _run_type(value: Any) -> str:
    if isinstance(value, str) and value in RUN_TYPES:
        return value
    raise BadBodyError(f"it is {shown(value)}, and takes one of {', '.join(sorted(RUN_TYPES))}.")


def _order(value: Any) -> str:
    order = _text(value)
    ends(order)
    return order


FIELDS: Mapping[str, Callable[[Any], Any]] = {
    "id": _id,
    "trace_id": _id,
    "parent_run_id": _id,
    "dotted_order": _order,
    "name": _text,
    "run_type": _run_type,
    "start_time": _time,
    "end_time": _time,
    "tags": _tags,
    "session_id": _id,
    "session_name": _text,
    "address": _text,
    "reference_example_id": _id,
}
"""The fields of a head, each with what reads it: ids as UUID text, times as ISO text in UTC."""


def checked(fields: Mapping[str, Any], run_id: UUID) -> dict[str, Any]:
    """Return a head with those fields that are known, checked.

    Null means that nothing is said of a field (LangSmith protocol: multipart ingest), so such
    fields are left out.

    Args:
        fields: What came, by name.
        run_id: Whose head it is.

    Raises:
        BadBodyError: A field has a value that it does not take, or two contradict each other.
    """
    own_id = str(run_id)
    head: dict[str, Any] = {"id": own_id}
    for name, read in FIELDS.items():
        value = fields.get(name)
        if value is None:
            continue
        try:
            head[name] = read(value)
        except BadBodyError as error:
            raise BadBodyError(f"{name} is refused: {error}") from None
    _agree(head, own_id)
    return head


def _agree(head: Mapping[str, Any], own_id: str) -> None:
    if head["id"] != own_id:
        raise BadBodyError(f"id is {head['id']}, but the part is named for the run {own_id}.")
    order = head.get("dotted_order")
    if order is None:
        return
    trace_id, last_id = ends(order)
    if last_id != own_id:
        raise BadBodyError(f"dotted_order ends with {last_id}, which is not the run's id.")
    if head.get("trace_id", trace_id) != trace_id:
        raise BadBodyError(f"dotted_order begins with {trace_id}, which is not trace_id.")
