"""What a convention has to say: how a record becomes a span's name and attributes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Protocol, TypeAlias

from callboard.integrations.records import RunRecord
from callboard.wire import json

__all__ = [
    "Attributes",
    "Convention",
    "as_attributes",
    "as_json",
    "parameter",
    "told_parameters",
    "without_none",
]

Attributes: TypeAlias = dict[str, Any]
"""Attributes by name: texts, numbers, truth values, and lists of one of these; of content, any
data."""

# Where LangChain tells a parameter in the metadata, under another name than the provider's.
_STANDARD = {"temperature": "ls_temperature", "max_tokens": "ls_max_tokens", "stop": "ls_stop"}


class Convention(Protocol):
    """How runs are told.

    Attributes:
        schema_url: Where the convention is written down.
    """

    schema_url: str | None

    def name(self, record: RunRecord) -> str:
        """Return the name of a run's span."""
        ...

    def at_start(self, record: RunRecord) -> Attributes:
        """Return what is known of a run when it starts, and samplers may decide by."""
        ...

    def at_end(self, record: RunRecord) -> Attributes:
        """Return what is known when it has ended, but for content."""
        ...

    def content(self, record: RunRecord) -> Attributes:
        """Return what it was given and returned; values may be any data."""
        ...


def as_json(value: Any) -> str:
    """Return a value as JSON text."""
    return json.encode(value).decode()


def as_attributes(content: Attributes) -> Attributes:
    """Return content as a span's attributes: what is no plain value as JSON.

    Args:
        content: See `Convention.content`.
    """
    return {
        name: value if isinstance(value, str | int | float) else as_json(value)
        for name, value in content.items()
    }


def without_none(attributes: Attributes) -> Attributes:
    """Return those attributes that have a value."""
    return {name: value for name, value in attributes.items() if value is not None}


def told_parameters(record: RunRecord) -> Iterator[tuple[str, Any]]:
    """Return what a model was called with, by the providers' names; the metadata's come last.

    Args:
        record: The record.
    """
    yield from record.parameters.items()
    for name, standard in _STANDARD.items():
        if standard in record.metadata:
            yield name, record.metadata[standard]


def parameter(record: RunRecord, *names: str) -> Any:
    """Return what a model was called with under the first of several names that is told.

    Args:
        record: The record.
        *names: What providers call the parameter.
    """
    for name in names:
        value = record.parameters.get(name)
        if value is None and name in _STANDARD:
            value = record.metadata.get(_STANDARD[name])
        if value is not None:
            return value
    return None
