"""Runs that LangChain and the ``langsmith`` SDK take for theirs.

Where Callboard is installed, `LangChainRun` is what runs are made as. It is Callboard's run, as
cheap to make, and has besides all that the SDK's ``RunTree`` can do: those methods are the SDK's
own, borrowed, so that they are right for whichever release is installed.
"""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from functools import cached_property
from types import FunctionType
from typing import Any, Self
from uuid import UUID

from langsmith.run_trees import RunTree

from callboard import ids
from callboard.tracing.dotted_order import under
from callboard.tracing.run import FIELDS, Run

__all__ = ["LangChainRun"]


class LangChainRun(Run):
    """A run that may stand wherever a ``RunTree`` is expected.

    Attributes:
        address: The agent that it is sent to instead of a project, if any.
        replicas: The destinations that it is sent to instead of one, if any are named.
        ls_client: The SDK's client for it; None for the default one.
    """

    # No slots: the SDK keeps weak references to runs, and remembers things on them.

    model_fields = RunTree.model_fields
    model_config = RunTree.model_config

    address: Any = None
    replicas: Sequence[Any] | None = None
    ls_client: Any = None
    parent_run: Any = None
    parent_dotted_order: str | None = None
    dangerously_allow_filesystem: bool = False
    _cached_url: str | None = None

    def __init__(self, *, id: UUID | str | None = None, **given: Any) -> None:
        """Make a run; takes what a ``RunTree`` takes, too."""
        if not _PLAIN.issuperset(given):
            self._take(given)
        given["outputs"] = given.get("outputs") or {}
        super().__init__(id=ids.new_id() if id is None else id, **given)
        if self.parent_dotted_order and not given.get("dotted_order"):
            self.dotted_order = under(self.parent_dotted_order, self.start_time, self.id)

    @classmethod
    def begun(cls, *values: Any, **named: Any) -> Self:
        """Return a run that starts: see `Run.begun`. The SDK counts on its outputs."""
        run = super().begun(*values, **named)
        run.outputs = {}
        return run

    # `isinstance` goes by this, besides what an object is: pydantic takes no virtual subclasses.
    __class__ = property(lambda _: RunTree)  # pyright: ignore[reportIncompatibleMethodOverride]

    def _take(self, given: dict[str, Any]) -> None:
        """Keep what only a ``RunTree`` has, and leave what any run has, by its name there."""
        parent = given.pop("parent_run", None)
        if parent is not None:
            given.setdefault("parent_run_id", parent.id)
            given.setdefault("trace_id", parent.trace_id)
            given.setdefault("parent_dotted_order", parent.dotted_order)
        for name in given.keys() & _ALIASES.keys():
            given[_ALIASES[name]] = given.pop(name)
        for name in given.keys() & _THEIRS_ALONE:
            setattr(self, name, given.pop(name))
        for name in given.keys() - _PLAIN:
            del given[name]  # As the SDK does.

    def post(self, *args: Any, **options: Any) -> None:
        """Send it as the SDK does. What its tracer tells of its end comes after that.

        Args:
            *args: The SDK's.
            **options: The SDK's, too.
        """
        self.queued = None
        _by_hand.post(self, *args, **options)

    def patch(self, *args: Any, **options: Any) -> None:
        """Send what has become of it, as the SDK does: see `post`.

        Args:
            *args: The SDK's.
            **options: The SDK's, too.
        """
        self.queued = None
        _by_hand.patch(self, *args, **options)

    def model_dump(self, **options: Any) -> dict[str, Any]:
        """Return its fields as the SDK does.

        Args:
            **options: Pydantic's, such as ``exclude``.
        """
        return self._run_tree().model_dump(**options)

    dict = model_dump

    def model_dump_json(self, **options: Any) -> str:
        """Return the same as JSON.

        Args:
            **options: Pydantic's, such as ``exclude``.
        """
        return self._run_tree().model_dump_json(**options)

    json = model_dump_json

    def _run_tree(self) -> RunTree:
        # A later SDK may have fields that we don't know: they have their defaults.
        known = [name for name in RunTree.model_fields if hasattr(self, name)]
        fields = {name: getattr(self, name) for name in known}
        return RunTree.model_construct(**fields)

    def copy(self, update: Mapping[str, Any] | None = None, *, deep: bool = False) -> Self:
        """Return a run with the same attributes, but for those given.

        Args:
            update: Attributes to change, by name.
            deep: Whether to copy what the attributes hold, too.
        """
        twin = super().copy()
        vars(twin).update(vars(self))
        if deep:
            twin = copy.deepcopy(twin)
        for name, value in (update or {}).items():
            setattr(twin, name, value)
        return twin

    model_copy = copy

    def __copy__(self) -> Self:
        return self.copy()

    def __reduce__(self) -> tuple[Any, ...]:
        fields = {name: getattr(self, name) for name in FIELDS} | vars(self)
        fields.pop("ls_client", None)  # It has threads and connections.
        return _restored, (type(self), fields)

    @classmethod
    def model_construct(cls, _fields_set: object = None, **fields: Any) -> Self:
        """Make a run of its fields.

        Args:
            **fields: Its attributes, by name.
        """
        return cls(**fields)

    construct = model_construct


def _restored(kind: type[LangChainRun], fields: Mapping[str, Any]) -> LangChainRun:
    restored = kind.__new__(kind)
    restored.queued = None
    for name, value in fields.items():
        setattr(restored, name, value)
    return restored


_by_hand: Any = RunTree  # Its types know no other runs.

_ALIASES = {
    "project_name": "session_name",
    "project_id": "session_id",
    "client": "ls_client",
    "_client": "ls_client",
}
_THEIRS_ALONE = frozenset(
    {"address", "replicas", "ls_client", "parent_dotted_order", "dangerously_allow_filesystem"}
)
_PLAIN = frozenset({*FIELDS} - {"id"})


# Of pydantic's machinery nothing is borrowed: the methods above do without.
_MACHINERY = frozenset({"infer_defaults", "ensure_dotted_order", "model_post_init"})
_METHODS = (FunctionType, classmethod, property, cached_property)


def _borrowed(kind: type) -> dict[str, Any]:
    """Return the methods and properties of a class of the SDK's that our runs lack."""
    return {
        name: member
        for name, member in vars(kind).items()
        if isinstance(member, _METHODS)
        and not name.startswith("__")
        and name not in _MACHINERY
        and not hasattr(LangChainRun, name)
    }


def _look_like_theirs() -> None:
    # The class, and what it has in common with runs that are read back.
    for kind in RunTree.__mro__[:2]:
        for name, member in _borrowed(kind).items():
            setattr(LangChainRun, name, member)
    setattr(LangChainRun, "__repr__", RunTree.__repr__)  # noqa: B010


_look_like_theirs()
