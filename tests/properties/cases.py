"""One event to one set of handlers: drawn, sent through a library, and what came of it."""

import asyncio
import gc
import inspect
import logging
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import copy_context
from dataclasses import dataclass, field, replace
from typing import Any
from unittest.mock import patch
from uuid import UUID

from hypothesis import strategies as st
from langchain_core.messages import (
    AIMessage,
    ChatMessage,
    FunctionMessage,
    HumanMessage,
    SystemMessage,
    ToolMessage,
)

from callboard.events import EVENTS
from callboard.ids import ids_from
from callboard.testing import CountingIds
from tests.properties.handler_sets import (
    OURS,
    SEEN,
    Heard,
    Library,
    Log,
    Spec,
    built,
    handler_sets,
)

# Quickens the collections below: what has been imported by now stays for good.
gc.freeze()

RUN_ID = UUID(int=1000)

COLOURS = ["sync", "sync in a loop", "async"]

RUNS = ["LLMRun", "ChainRun", "ToolRun", "RetrieverRun"]
"""Run managers, by how their names end."""


@dataclass(frozen=True)
class Case:
    """An event to send.

    Attributes:
        event: Its name.
        sender: Who sends it: "handle_event", "CallbackManager", or one of `RUNS`.
        colour: What kind of code does.
        handlers: Who may hear it.
        subject: Its positional arguments.
        extra: Its own keywords.
        scope: What the sender has besides handlers: its parent's id, tags, metadata.
        run_id: The run's id; None if one is to be made.
        after: What the context says when it is sent.
    """

    event: str
    sender: str = "handle_event"
    colour: str = "sync"
    handlers: tuple[Spec, ...] = ()
    subject: tuple[Any, ...] = ()
    extra: dict[str, Any] = field(default_factory=dict)
    scope: dict[str, Any] = field(default_factory=dict)
    run_id: UUID | None = RUN_ID
    after: str = "nobody"

    @property
    def is_async(self) -> bool:
        """Whether the event is sent from async code."""
        return self.colour == "async"

    def each(self, change: Callable[[Spec], Spec]) -> "Case":
        """Return the case with each handler changed."""
        return replace(self, handlers=tuple(change(spec) for spec in self.handlers))

    def only(self, wanted: Callable[[Spec], bool]) -> "Case":
        """Return the case with some of its handlers."""
        return replace(self, handlers=tuple(filter(wanted, self.handlers)))


@dataclass(frozen=True)
class Outcome:
    """What came of a case.

    Attributes:
        heard: What handlers heard, in order.
        raised: The class and message of what the sender raised.
        warnings: How many warnings were logged.
        returned: What the sender returned, described.
        around: What the context said afterwards.
    """

    heard: list[Heard]
    raised: tuple[str, str] | None
    warnings: int
    returned: Any
    around: str

    def comparable(self, case: Case) -> dict[str, Any]:
        """Return what must be equal: everything, but for the order of what is concurrent."""
        if not case.is_async:
            return vars(self)
        others = {spec.number: spec for spec in case.handlers if not spec.inline}
        inline = [each for each in self.heard if each.number not in others]
        return {
            **vars(self),
            "heard": inline,
            "heard concurrently": {
                number: sorted(
                    (each for each in self.heard if each.number == number),
                    key=lambda each: str(each.kwargs["run_id"]),
                )
                for number in others
            },
            "inline first": self.heard[: len(inline)] == inline,
            "raised": self._raised_by_any(others),
        }

    def _raised_by_any(self, others: dict[int, Spec]) -> Any:
        """Return what was raised, or if several raise concurrently, what might have been."""
        possible = {
            raised
            for each in self.heard
            if each.number in others and (raised := raised_by(others[each.number], each))
        }
        return possible if self.raised in possible else self.raised


def raised_by(spec: Spec, heard: Heard) -> tuple[str, str] | None:
    """Return the class and message of what comes of a call of a handler, if it fails for good."""
    if spec.fails == "halt":
        return "Halt", f"{spec.number} at {heard.event}"
    if spec.fails == "error" and spec.raises:
        return "TroubleError", f"{spec.number} at {heard.event}"
    return None


# --- Sending ----------------------------------------------------------------------------------


def sent(case: Case, library: Library) -> Outcome:
    """Send the event of a case through a library."""
    log = Log()
    handlers = [built(spec, library, log) for spec in case.handlers]
    raised: list[tuple[str, str]] = []
    returned: list[Any] = []
    around: list[str] = []

    def body() -> None:
        SEEN.set(case.after)
        try:
            returned.append(_send(case, library, handlers))
        except BaseException as error:  # noqa: BLE001 - what it is, is what is compared
            raised.append((type(error).__name__, str(error)))
        around.append(SEEN.get())

    async def body_in_loop() -> None:
        body()

    async def abody() -> None:
        SEEN.set(case.after)
        try:
            returned.append(await _send(case, library, handlers))
        except BaseException as error:  # noqa: BLE001 - what it is, is what is compared
            raised.append((type(error).__name__, str(error)))
        around.append(SEEN.get())
        # Those that go on when one has raised are heard to the end.
        while left := asyncio.all_tasks() - {asyncio.current_task()}:
            await asyncio.wait(left)

    with ids_counted(library), _unawaited_ignored(library, raised), _warnings_counted() as warned:
        if case.is_async:
            asyncio.run(abody())
        elif case.colour == "sync in a loop":
            asyncio.run(body_in_loop())
        else:
            copy_context().run(body)
    return Outcome(
        heard=log.heard,
        raised=raised[0] if raised else None,
        warnings=len(warned),
        returned=described(returned[0]) if returned else None,
        around=around[0],
    )


def _send(case: Case, library: Library, handlers: list[Any]) -> Any:
    if case.sender == "handle_event":
        send = getattr(library.manager, "ahandle_event" if case.is_async else "handle_event")
        flag = EVENTS[case.event].ignore
        keywords = {"run_id": case.run_id, "parent_run_id": None, **case.extra}
        return send(handlers, case.event, flag, *case.subject, **keywords)
    colour = "Async" if case.is_async else ""
    if case.sender == "CallbackManager":
        kind = getattr(library.manager, f"{colour}CallbackManager")
        manager = kind(handlers, handlers[1:], **case.scope)
        return getattr(manager, case.event)(*case.subject, run_id=case.run_id, **case.extra)
    kind = getattr(library.manager, f"{colour}CallbackManagerFor{case.sender}")
    run = kind(
        run_id=case.run_id, handlers=handlers, inheritable_handlers=handlers[1:], **case.scope
    )
    return getattr(run, case.event)(*case.subject, **case.extra)


def described(value: Any) -> Any:
    """Describe a manager, or several, so that those of two libraries compare equal."""
    if isinstance(value, list):
        return [described(item) for item in value]
    if not hasattr(value, "inheritable_handlers"):
        return value
    told = {name: held for name, held in vars(value).items() if not name.startswith("_")}
    for name in ("handlers", "inheritable_handlers"):
        told[name] = [type(handler).__name__ for handler in told[name]]
    return {"class": type(value).__name__, **told}


@contextmanager
def ids_counted(library: Library) -> Iterator[None]:
    if library is OURS:
        with ids_from(CountingIds()):
            yield
    else:
        with patch.object(library.manager, "uuid7", CountingIds()):
            yield


@contextmanager
def _unawaited_ignored(library: Library, raised: list[tuple[str, str]]) -> Iterator[None]:
    """Let them not await what they make: what came of that is compared by what was heard."""
    if library is OURS:
        yield
        return
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", ".* was never awaited", RuntimeWarning)
        yield
        if raised:  # Then what was not awaited is held by the cycles of a traceback.
            gc.collect()


@contextmanager
def _warnings_counted() -> Iterator[list[str]]:
    warned: list[str] = []
    listener = logging.Handler(logging.WARNING)
    listener.emit = lambda record: warned.append(record.getMessage())  # type: ignore[method-assign]
    loggers = [
        logging.getLogger(name)
        for name in ("langchain_core.callbacks.manager", "callboard.callbacks.dispatch")
    ]
    for logger in loggers:
        logger.addHandler(listener)
        logger.propagate = False
    try:
        yield warned
    finally:
        for logger in loggers:
            logger.removeHandler(listener)
            logger.propagate = True


# --- Drawing ----------------------------------------------------------------------------------

texts = st.text("ab\n", max_size=4)
tags = st.lists(st.sampled_from("abcde"), max_size=3, unique=True)
metadata = st.dictionaries(st.sampled_from("abc"), st.integers(0, 3), max_size=3)
records = st.dictionaries(texts, texts, max_size=2)
scopes = st.fixed_dictionaries(
    {},
    optional={
        "parent_run_id": st.just(UUID(int=2000)),
        "tags": tags,
        "inheritable_tags": tags,
        "metadata": metadata,
        "inheritable_metadata": metadata,
    },
)

_contents = st.one_of(
    texts,
    st.lists(
        st.one_of(
            texts,
            st.fixed_dictionaries({"type": st.just("text"), "text": texts}),
            st.fixed_dictionaries({"type": st.just("image"), "url": texts}),
        ),
        max_size=3,
    ),
)
_tool_calls = st.lists(
    st.fixed_dictionaries({"name": texts, "args": records, "id": texts}), max_size=2
)
messages = st.one_of(
    st.builds(HumanMessage, content=_contents),
    st.builds(SystemMessage, content=_contents),
    st.builds(AIMessage, content=_contents, tool_calls=_tool_calls),
    st.builds(
        AIMessage,
        content=_contents,
        additional_kwargs=st.fixed_dictionaries({"function_call": records}),
    ),
    st.builds(ToolMessage, content=_contents, tool_call_id=texts),
    st.builds(FunctionMessage, content=_contents, name=texts),
    st.builds(ChatMessage, content=_contents, role=st.sampled_from(["critic", "user", "ai"])),
)

SUBJECTS: dict[str, st.SearchStrategy[Any]] = {
    "serialized": st.one_of(st.none(), records),
    "prompts": st.lists(texts, max_size=3),
    "messages": st.lists(st.lists(messages, max_size=3), max_size=3),
    "error": st.builds(ValueError, texts),
    "token": st.one_of(texts, st.lists(texts, max_size=2)),
}
"""What positional arguments are drawn from, by their names; all others from `records`."""


def _parameters(event: str, kind: Any) -> list[str]:
    signature = inspect.signature(getattr(OURS.base.BaseCallbackHandler, event))
    return [each.name for each in signature.parameters.values() if each.kind is kind]


def senders(event: str) -> list[str]:
    """Return who sends an event."""
    if hasattr(OURS.manager.CallbackManager, event):
        return ["handle_event", "CallbackManager"]
    runs = [f"CallbackManagerFor{run}" for run in RUNS]
    able = [run for run in runs if hasattr(getattr(OURS.manager, run), event)]
    return ["handle_event", *(run.removeprefix("CallbackManagerFor") for run in able)]


@st.composite
def subjects(draw: st.DrawFn, event: str) -> tuple[Any, ...]:
    """Draw an event's positional arguments."""
    names = _parameters(event, inspect.Parameter.POSITIONAL_OR_KEYWORD)[1:]
    return tuple(draw(SUBJECTS.get(name, records)) for name in names)


def extras(event: str, sender: str) -> st.SearchStrategy[dict[str, Any]]:
    """Draw keywords of an event: any, and those of its own."""
    known = _parameters(event, inspect.Parameter.KEYWORD_ONLY)
    taken = _parameters(event, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    free = {"name", *known} - {"run_id", "parent_run_id", "tags", "metadata", *taken}
    return st.dictionaries(st.sampled_from(sorted(free)), texts) if free else st.just({})


@st.composite
def _deaf_to_refusals(draw: st.DrawFn, event: str, fallbacks: list[str]) -> tuple[Spec, ...]:
    """Draw handlers, of which none hears that a run was refused if one of them may refuse it.

    The original tells nobody: tests/unit/test_refusals.py has what we do.
    """
    ends = event.replace("chat_model", "llm").replace("_start", "_error")
    handlers = draw(handler_sets([event, *fallbacks]))
    if ends == event or not any(spec.raises or spec.fails == "halt" for spec in handlers):
        return handlers
    return tuple(replace(spec, hears=spec.hears - {ends}) for spec in handlers)


@st.composite
def cases(draw: st.DrawFn, event: str) -> Case:
    """Draw a case of an event."""
    row = EVENTS[event]
    sender = draw(st.sampled_from(senders(event)))
    return Case(
        event,
        sender,
        draw(st.sampled_from(COLOURS)),
        draw(_deaf_to_refusals(event, [row.fallback.name] if row.fallback else [])),
        draw(subjects(event)),
        draw(extras(event, sender)),
        draw(scopes),
        RUN_ID if sender != "CallbackManager" or draw(st.booleans()) else None,
    )
