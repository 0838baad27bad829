"""How objects are read: which fields of theirs are told, as the LangSmith SDK would send them.

Models of pydantic tell their fields but for those that are None; a class that says itself how it
is to be serialised is asked. Dataclasses tell their fields, and so do the classes of attrs and
plain objects, of which the SDK would send no more than how they print.

What is read is not walked: that is `callboard.tracing.capture`'s work.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import fields, is_dataclass
from functools import lru_cache
from types import MemberDescriptorType
from typing import Any, NamedTuple

from callboard.events import CUSTOM
from callboard.tracing.constructors import CLASSES

__all__ = ["Model", "fields_of", "model_of", "read_attributes", "read_fields"]

# What stands for a field that its class says is a secret, as in pydantic.
_MASK = "**********"


class Model(NamedTuple):
    """How the objects of a class of pydantic's are read.

    Attributes:
        names: The fields that are told.
        secrets: What returns the names of fields that are secrets, for an object.
        dump: The class's serialiser, if it has a say of its own in how it is written.
        is_root: Whether what an object holds stands for it.
    """

    names: tuple[str, ...]
    secrets: tuple[Callable[[Any], Mapping[str, str]], ...]
    dump: Callable[..., Any] | None
    is_root: bool

    def read(self, value: Any) -> Any:
        """Return those fields of an object that are told and not None, or what stands for it.

        Args:
            value: The object.
        """
        told = None if self.dump is None else self._dumped(value)
        if told is None:
            if self.is_root:
                return value.__dict__["root"]
            told = self._held(value)
        for secrets in self.secrets:
            told.update((name, _MASK) for name in secrets(value) if name in told)
        return told

    def _held(self, value: Any) -> dict[str, Any]:
        held = value.__dict__
        told = {name: held[name] for name in self.names if held.get(name) is not None}
        more = getattr(value, "__pydantic_extra__", None)
        if more:
            told.update((name, each) for name, each in more.items() if each is not None)
        return told

    def _dumped(self, value: Any) -> Any:
        """Return what an object's class makes of it; None if it can't, or must not be asked."""
        # To serialise an iterator is to use it up, and it is the application's.
        if self.dump is None or any(isinstance(each, Iterator) for each in vars(value).values()):
            return None
        try:
            return self.dump(value, mode="json", exclude_none=True, warnings=False)
        except Exception:  # noqa: BLE001 - a serialiser may raise anything
            return None


@lru_cache(CLASSES)
def model_of(kind: Any) -> Model | None:
    """Return how objects of a class are read, if it is one of pydantic's models; None if not.

    Args:
        kind: Any class.
    """
    told: Mapping[str, Any] | None = getattr(kind, "model_fields", None)
    if told is None or not hasattr(kind, "__pydantic_serializer__"):
        return None
    return Model(
        tuple(name for name, info in told.items() if not info.exclude),
        _secrets_of(kind),
        kind.__pydantic_serializer__.to_python if _serialises_itself(kind, told) else None,
        getattr(kind, "__pydantic_root_model__", False),
    )


def _secrets_of(kind: type) -> tuple[Callable[[Any], Mapping[str, str]], ...]:
    """Return what tells the secrets of a class of LangChain's, but for the base, which has none."""
    told = [vars(each)["lc_secrets"] for each in kind.__mro__ if "lc_secrets" in vars(each)]
    return tuple(each.fget for each in told[:-1] if isinstance(each, property) and each.fget)


def _serialises_itself(kind: Any, told: Mapping[str, Any]) -> bool:
    own = getattr(kind, "__pydantic_decorators__", None)
    says = ("field_serializers", "model_serializers", "computed_fields")
    return any(getattr(own, each, None) for each in says) or any(
        hasattr(each, "when_used") for info in told.values() for each in info.metadata
    )


def fields_of(value: Any) -> Mapping[str, Any]:
    """Return an object's fields, not walked, None or not; a mapping as it is.

    Args:
        value: A mapping, a pydantic model, a dataclass or a plain object.
    """
    if isinstance(value, Mapping):
        return value
    kind: Any = type(value)
    model = model_of(kind)
    if model is not None:
        held = vars(value)
        return {name: held[name] for name in model.names if name in held}
    return read_fields(value, kind) or read_attributes(value, kind) or {}


def read_fields(value: Any, kind: Any) -> dict[str, Any] | None:
    """Return the fields that an object's class declares; None if it declares none.

    Args:
        value: Anything but a model of pydantic's.
        kind: Its class.
    """
    if is_dataclass(kind):
        return _public(fields(kind), value)
    attributes = getattr(kind, "__attrs_attrs__", None)
    if attributes is not None:
        return _public(attributes, value)
    return _pydantic_v1(value, kind)


def _public(told: Any, value: Any) -> dict[str, Any]:
    names = [each.name for each in told if not each.name.startswith("_")]
    return {name: getattr(value, name, None) for name in names}


def _pydantic_v1(value: Any, kind: type) -> dict[str, Any] | None:
    names = getattr(kind, "__fields__", None)
    if names is None or not hasattr(kind, "__fields_set__"):
        return None
    hidden = {name for name, each in names.items() if each.field_info.exclude}
    return {name: each for name, each in vars(value).items() if name not in hidden}


def read_attributes(value: Any, kind: Any) -> dict[str, Any] | None:
    """Return what a plain object holds; None if it holds nothing, or says itself what it is.

    Handlers and managers are nothing to tell of: a config hands them to functions with the rest,
    and through its tracer each would hold all runs that are known.

    Args:
        value: The object.
        kind: Its class.
    """
    if kind.__repr__ is not object.__repr__ or kind.__str__ is not object.__str__:
        return None
    if hasattr(kind, CUSTOM.name):
        return None
    return {**_slots(value, kind), **getattr(value, "__dict__", {})} or None


def _slots(value: Any, kind: type) -> dict[str, Any]:
    told: dict[str, Any] = {}
    for each in kind.__mro__:
        if "__slots__" in vars(each):
            for name, member in vars(each).items():
                if isinstance(member, MemberDescriptorType):
                    with suppress(AttributeError):  # It was never set.
                        told[name] = member.__get__(value)
    return told
