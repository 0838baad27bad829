"""LangChain's serialised form of objects: which class they are, and how to make them again.

A message, a prompt, a model come as ``{"lc": 1, "type": "constructor", "id": [...], "kwargs":
{...}}``, with those fields that differ from their defaults. LangSmith's servers and the tools
around them read this form, so a trace must be in it. LangChain makes it by going through every
class that an object derives from; here that is done once a class, and only the fields are read
for each object.

Objects are known by shape (they say of themselves whether they are serialisable), so that
nothing of LangChain is imported. Callboard's own messages come in the form that LangChain's of
the same name have: whoever reads one can read the other.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import MISSING, Field, fields
from functools import lru_cache
from itertools import takewhile
from typing import Any, NamedTuple, TypeAlias

from callboard.payloads import Message

__all__ = ["CLASSES", "ONE_BY_ONE", "Form", "form_of"]

CLASSES = 1024
"""How many classes are remembered: more than programs have, unless they make them as they run."""


_Field: TypeAlias = tuple[str, bool, type | None, Any]
"""A field's name, whether it is required, its default, and before that the container that is its
default when empty: dict, list or none."""


_ABSENT: Any = object()


class Form(NamedTuple):
    """What the serialised forms of a class's objects have in common.

    Attributes:
        id: Where the class is found, as a path.
        fields: Its fields.
        attributes: What returns more that is told, whatever it is.
        held: What returns an object's fields by name.
    """

    id: list[str]
    fields: list[_Field]
    attributes: list[Callable[[Any], dict[str, Any]]]
    held: Callable[[Any], Mapping[str, Any]] = vars

    def kwargs(self, value: Any) -> tuple[dict[str, Any], set[str], int]:
        """Return those fields of an object that are told.

        Args:
            value: The object.

        Returns:
            A dictionary of its own; the names in it of what is neither text nor None; and about
            how many bytes the texts take.
        """
        held = self.held(value)
        kwargs: dict[str, Any] = {}
        others: set[str] = set()
        size = 0
        for name, required, empty, default in self.fields:
            field = held.get(name, _ABSENT)
            kind = type(field)
            # Most are None, text or the empty container that they are by default: no call.
            if field is None:
                if required or default is not None:
                    kwargs[name] = None
            elif kind is str:
                if field or required or field != default:
                    kwargs[name] = field
                    size += len(field) if field.isascii() else 3 * len(field)
            elif field is _ABSENT or (kind is empty and not field and not required):
                pass
            elif required or _truthy(field) or _differs(field, empty, default):
                kwargs[name] = field
                others.add(name)
        for attributes in self.attributes:
            added = attributes(value)
            kwargs.update(added)
            others.update(added)
        return kwargs, others, size


ONE_BY_ONE = Form([], [], [])
"""The form of a class whose objects must be asked one by one, by ``to_json``: it hides secrets,
or has a form of its own, as LangChain's runnables have."""


@lru_cache(CLASSES)
def form_of(kind: Any) -> Form | None:
    """Return the form of a class's objects; None if LangChain has none for them.

    Args:
        kind: Any class.
    """
    if not hasattr(kind, "lc_id") or not hasattr(kind, "model_fields"):
        return _own_form(kind) if issubclass(kind, Message) else None
    # Its classes, up to the one that makes the form.
    own: list[type] = list(takewhile(_makes_no_form, kind.__mro__))
    added = [vars(each)["lc_attributes"] for each in own if "lc_attributes" in vars(each)]
    if (
        kind.to_json.__qualname__ != "Serializable.to_json"
        or not kind.is_lc_serializable()
        or any("lc_secrets" in vars(each) for each in own)
        or not all(isinstance(each, property) for each in added)
    ):
        return ONE_BY_ONE
    return Form(
        list(kind.lc_id()),
        [
            (name, info.is_required(), _empty_of(info), info.get_default())
            for name, info in kind.model_fields.items()
            if not info.exclude
        ],
        [each.fget for each in added],
    )


_MESSAGES = ["langchain", "schema", "messages"]
_ALWAYS_TOLD = frozenset({"content", "tool_calls", "invalid_tool_calls"})


def _own_form(kind: Any) -> Form | None:
    """Return the form of a class of Callboard's messages, or of one that derives from it."""
    ours = next(each for each in kind.__mro__ if each.__module__ == Message.__module__)
    if ours is Message:
        return None  # LangChain has none for a message that is nobody's in particular.
    names = [each.name for each in fields(kind)]

    def held(value: Any) -> dict[str, Any]:
        return {name: getattr(value, name) for name in names}  # It has slots.

    told = [(each.name, each.name in _ALWAYS_TOLD, *_default_of(each)) for each in fields(kind)]
    return Form([*_MESSAGES, ours.__name__], told, [], held)


def _default_of(told: Field[Any]) -> tuple[type | None, Any]:
    empty: Any = told.default_factory
    if empty in (dict, list):
        return empty, empty()
    return None, None if told.default is MISSING else told.default


def _makes_no_form(kind: type) -> bool:
    return "to_json" not in vars(kind)


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
    if empty is not None and isinstance(value, empty):
        return False
    try:
        return bool(value != default)
    except Exception:  # noqa: BLE001 - nor has it when compared; one field too many does no harm
        return True
