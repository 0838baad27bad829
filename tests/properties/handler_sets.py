"""Random handlers, described apart from any library, and built alike for the one and the other.

A `Spec` says what a handler is: which events it overrides and by what kind of method, what it
ignores, whether and how it fails. `built` makes it, over the base classes of a library. What
its methods hear goes into a `Log`.
"""

import contextvars
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from importlib import import_module
from types import ModuleType
from typing import Any
from unittest.mock import AsyncMock, MagicMock

from hypothesis import strategies as st

from callboard.events import EVENTS

SEEN: contextvars.ContextVar[str] = contextvars.ContextVar("seen", default="nobody")
"""Every handler reads this, and leaves its own name in it for those that come after."""


class Library:
    """A library under comparison: langchain-core, or Callboard."""

    def __init__(self, package: str) -> None:
        self.package = package
        self.base: ModuleType = import_module(f"{package}.callbacks.base")
        self.manager: ModuleType = import_module(f"{package}.callbacks.manager")

    def __repr__(self) -> str:
        return self.package


THEIRS = Library("langchain_core")
OURS = Library("callboard")


class TroubleError(Exception):
    """What a handler raises that fails."""


class Halt(BaseException):
    """What a handler raises that must not be caught by ``except Exception``."""


FAILURES = {"error": TroubleError, "not implemented": NotImplementedError, "halt": Halt}


@dataclass(frozen=True)
class Spec:
    """A handler, described.

    Attributes:
        number: Its place in the set, which is its name in the log.
        base: What it derives from: the library's "sync" or "async" base, or nothing ("duck").
        form: What its methods are: "sync", "async", or "returning": sync, but they return a
            coroutine.
        place: Where they are: in the "class", on the "instance", or there as a "mock".
        hears: The events it overrides.
        ignores: The flags that are on, each by "property", "class" or "instance" attribute.
        inline: Its ``run_inline``.
        fails: How each of its methods fails, if they do: a key of `FAILURES`.
        raises: Its ``raise_error``.
    """

    number: int
    base: str = "sync"
    form: str = "sync"
    place: str = "class"
    hears: frozenset[str] = frozenset()
    ignores: tuple[tuple[str, str], ...] = ()
    inline: bool = False
    fails: str | None = None
    raises: bool = False

    @property
    def is_async(self) -> bool:
        """Whether a call of its methods is to be awaited."""
        return self.form != "sync"


@dataclass(frozen=True)
class Heard:
    """One call of a handler's method: whose, which, with what, and after whom."""

    number: int
    event: str
    args: tuple[Any, ...]
    kwargs: dict[str, Any]
    after: str


@dataclass
class Log:
    """What handlers heard, in the order in which they did."""

    heard: list[Heard] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def note(self, spec: Spec, event: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        """Note a call, and fail if the handler is one that fails."""
        # Copies: what is compared is what they were told, not what became of it.
        told = {key: _copied(value) for key, value in kwargs.items()}
        with self.lock:
            self.heard.append(Heard(spec.number, event, args, told, SEEN.get()))
        SEEN.set(f"{spec.number}.{event}")
        if spec.fails:
            raise FAILURES[spec.fails](f"{spec.number} at {event}")


def _copied(value: Any) -> Any:
    return value.copy() if isinstance(value, (list, dict)) else value


def _method(spec: Spec, event: str, log: Log) -> Callable[..., Any]:
    """Make the function that hears an event; without self, for there's nothing to know of it."""

    def hear(*args: Any, **kwargs: Any) -> None:
        log.note(spec, event, args, kwargs)

    async def ahear(*args: Any, **kwargs: Any) -> None:
        log.note(spec, event, args, kwargs)

    if spec.place == "mock":
        return AsyncMock(side_effect=hear) if spec.is_async else MagicMock(side_effect=hear)
    if spec.form == "returning":
        return partial(_called, ahear)
    return ahear if spec.form == "async" else hear


def _called(method: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
    """Call a coroutine function, but be none."""
    return method(*args, **kwargs)


def _bound(method: Callable[..., Any], form: str) -> Callable[..., Any]:
    """Make a class's method of a function without self."""
    if form == "async":

        async def ahear(self: Any, *args: Any, **kwargs: Any) -> None:
            await method(*args, **kwargs)

        return ahear
    return lambda self, *args, **kwargs: method(*args, **kwargs)


def built(spec: Spec, library: Library, log: Log) -> Any:
    """Build a handler for a library."""
    bases = {
        "sync": (library.base.BaseCallbackHandler,),
        "async": (library.base.AsyncCallbackHandler,),
        "duck": (),
    }[spec.base]
    members: dict[str, Any] = {}
    if spec.inline:
        members["run_inline"] = True
    if spec.raises:
        members["raise_error"] = True
    for flag, kind in spec.ignores:
        members[flag] = property(lambda self: True) if kind == "property" else kind == "class"
    methods = {event: _method(spec, event, log) for event in sorted(spec.hears)}
    if spec.place == "class":
        members |= {event: _bound(method, spec.form) for event, method in methods.items()}
    handler = type(f"Handler{spec.number}", bases, members)()
    for flag, kind in spec.ignores:
        if kind == "instance":
            setattr(handler, flag, True)
    if spec.place != "class":
        for event, method in methods.items():
            setattr(handler, event, method)
    return handler


_OFTEN = st.sampled_from([True, True, True, False])
_BASES = st.sampled_from(["sync", "sync", "async", "duck"])
_FORMS = st.sampled_from(["sync", "sync", "async", "async", "returning"])
_PLACES = st.sampled_from(["class", "class", "instance", "mock"])
_FAILURES = st.sampled_from([None, None, None, None, *FAILURES])
_KINDS = st.sampled_from(["property", "class", "instance"])


FLAGS = [name for name in dir(THEIRS.base.BaseCallbackHandler) if name.startswith("ignore_")]
"""Those of the original: what our own table says is under test."""


def _flags(events: Sequence[str]) -> list[str]:
    """Return all flags, most likely first: those of the events to be sent."""
    own = [flag for event in events if (flag := EVENTS[event].ignore)]
    return list(dict.fromkeys([*own, *FLAGS]))


@st.composite
def specs(draw: st.DrawFn, events: Sequence[str], *, calm: bool = False) -> Spec:
    """Draw a handler.

    Args:
        draw: Draws.
        events: Those to be sent, each of which it is likely to hear.
        calm: Whether it never fails.
    """
    base = draw(_BASES)
    hears = {event for event in events if draw(_OFTEN)}
    if base == "duck" and not hears:  # It would be no handler at all.
        hears.add(draw(st.sampled_from(sorted(EVENTS))))
    flags = draw(st.lists(st.sampled_from(_flags(events)), max_size=2, unique=True))
    return Spec(
        number=0,
        base=base,
        form=draw(_FORMS),
        place=draw(_PLACES),
        hears=frozenset(hears),
        ignores=tuple((flag, draw(_KINDS)) for flag in sorted(flags)),
        inline=draw(st.booleans()),
        fails=None if calm else draw(_FAILURES),
        raises=draw(st.booleans()),
    )


def handler_sets(events: Sequence[str], *, calm: bool = False) -> st.SearchStrategy[Any]:
    """Draw up to five handlers, in order."""
    return st.lists(specs(events, calm=calm), max_size=5).map(
        lambda drawn: tuple(replace(spec, number=number) for number, spec in enumerate(drawn))
    )
