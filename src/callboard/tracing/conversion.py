"""Runs and the objects beside them, as dictionaries and as copies, whichever class they are of."""

from __future__ import annotations

from typing import Any, TypeVar

from callboard.tracing.dialect import dialect
from callboard.tracing.run import Run

__all__ = ["as_dict", "copied", "new_run"]

T = TypeVar("T")


def as_dict(value: Any, **kwargs: Any) -> dict[str, Any]:
    """Return a run, or a pydantic object, as a dictionary of its fields.

    Args:
        value: The object.
        **kwargs: ``exclude``, and what else a pydantic object's own method takes.
    """
    read = getattr(value, "model_dump", None) or value.to_dict
    told: dict[str, Any] = read(**kwargs)
    return told


def copied(value: T, **kwargs: Any) -> T:
    """Return a copy of a run or a pydantic object.

    Args:
        value: The object.
        **kwargs: ``update``, and what else a pydantic object's own method takes.
    """
    known: Any = value
    copy = getattr(known, "model_copy", None) or known.copy
    made: T = copy(**kwargs)
    return made


def new_run(**fields: Any) -> Run:
    """Return a run of these fields.

    Args:
        **fields: See `Run`; what is no field of a run is left out.
    """
    kind = dialect().run
    return kind(**{name: value for name, value in fields.items() if hasattr(kind, name)})
