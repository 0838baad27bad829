"""LangChain's serialised form of objects: which class they are, and how to make them again.

A message, a prompt, a model come as ``{"lc": 1, "type": "constructor", "id": [...], "kwargs":
{...}}``, with those fields that differ from their defaults. LangSmith's servers and the tools
around them read this form, so a trace must be in it. LangChain makes it by going through every
class that an object derives from; here that is done once a class, and only the fields are read
for each object.

Objects are known by shape (they say of themselves whether they are serialisable), so that
nothing of LangChain is imported.
"""

from __future__ import annotations

from typing import Any, NamedTuple
from weakref import WeakKeyDictionary

__all__ = ["constructor_of"]

_ABSENT = object()


class _Field(NamedTuple):
    name: str
    required: bool
    empty: type | None  # The container that is its default when empty: dict, list or none.
    default: Any


class _Form(NamedTuple):
    """What all objects of a class have in common."""

    id: list[str]
    fields: list[_Field]


# None stands for a class whose objects must be asked one by one: it hides secrets, adds
# attributes of its own, or has a form of its own, as LangChain's runnables have.
_forms: WeakKeyDictionary[type, _Form | None] = WeakKeyDictionary()


def constructor_of(value: Any, kind: type) -> dict[str, Any] | None:
    """Return an object's serialised form, its fields not walked yet; None if it has none.

    Args:
        value: Any object.
        kind: Its class.
    """
    if not hasattr(kind, "lc_id") or not hasattr(kind, "model_fields"):
        return None
    form = _forms.get(kind, _ABSENT)
    if form is _ABSENT:
        form = _forms[kind] = _form_of(value, kind)
    if not isinstance(form, _Form):
        told: dict[str, Any] = value.to_json()
        return told
    held = vars(value)
    kwargs: dict[str, Any] = {}
    for name, required, empty, default in form.fields:
        if name in held:
            field = held[name]
            if required or _truthy(field) or _differs(field, empty, default):
                kwargs[name] = field
    return {"lc": 1, "type": "constructor", "id": form.id, "kwargs": kwargs}


def _form_of(value: Any, kind: Any) -> _Form | None:
    if not kind.is_lc_serializable() or value.lc_secrets or value.lc_attributes:
        return None
    if kind.to_json.__qualname__ != "Serializable.to_json":
        return None
    return _Form(
        list(kind.lc_id()),
        [
            _Field(name, info.is_required(), _empty_of(info), info.get_default())
            for name, info in kind.model_fields.items()
            if not info.exclude
        ],
    )


def _empty_of(info: Any) -> type | None:
    return info.default_factory if info.default_factory in (dict, list) else None


# Which fields must be given to make the object again, by LangChain's rule: those that are
# required, those that are true, and of the others those that differ from their default.


def _truthy(value: Any) -> bool:
    try:
        return bool(value)
    except Exception:  # noqa: BLE001 - a data frame, for one, has no truth
        return False


def _differs(value: Any, empty: type | None, default: Any) -> bool:
    if value is default or (empty is not None and isinstance(value, empty)):
        return False
    try:
        return bool(value != default)
    except Exception:  # noqa: BLE001 - nor has it when compared; one field too many does no harm
        return True
