"""Whole programs are heard as in langchain-core: runs inside runs, in both colours.

A program is a list of steps: each starts a run inside one that was started before, or tells of
what happens to one. The single event, and what fails, is compared in test_against_original;
here it is what is passed on from one to the next.
"""

import asyncio
import inspect
from collections.abc import Coroutine
from dataclasses import replace
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from callboard.events import CUSTOM, EVENTS
from tests.properties.cases import ids_counted, metadata, senders, subjects, tags
from tests.properties.handler_sets import (
    OURS,
    SEEN,
    THEIRS,
    Heard,
    Library,
    Log,
    Spec,
    built,
    specs,
)

STARTS = [name for name in EVENTS if "CallbackManager" in senders(name) and name != CUSTOM.name]
OTHERS = [name for name in EVENTS if name not in STARTS]


@st.composite
def _steps(draw: st.DrawFn) -> tuple[Any, ...]:
    """Draw a step: what to do, with which of the runs so far, and with what."""
    run = draw(st.integers(0, 9))
    if draw(st.booleans()):
        event = draw(st.sampled_from(STARTS))
        return event, run, draw(subjects(event)), draw(st.none() | st.just("step"))
    event = draw(st.sampled_from([*OTHERS, "get_sync"]))
    return event, run, () if event == "get_sync" else draw(subjects(event)), None


@st.composite
def _handlers(draw: st.DrawFn) -> tuple[Spec, ...]:
    """Draw handlers that never fail, and are all inline, or all not.

    Mixed ones hear the start of a model differently: see test_against_original.
    """
    inline = draw(st.booleans())
    drawn = draw(st.lists(specs(sorted(EVENTS), calm=True), min_size=1, max_size=4))
    return tuple(
        replace(spec, number=number, base="sync", inline=inline)
        for number, spec in enumerate(drawn)
    )


async def _run(library: Library, colour: str, handlers: list[Any], program: dict[str, Any]) -> None:
    """Run a program. In sync colour nothing is ever awaited."""
    kind = getattr(library.manager, f"{colour}CallbackManager")
    inherited = handlers[: program["inherited"]]
    root = kind.configure(inherited, handlers[program["inherited"] :], **program["labels"])
    runs: list[Any] = []
    for name, number, subject, tag in program["steps"]:
        run = runs[number % len(runs)] if runs else None
        if name in STARTS:
            parent = run.get_child(tag) if hasattr(run, "get_child") else root
            started = getattr(parent, name)(*subject)
            if inspect.isawaitable(started):
                started = await started
            runs.extend(started if isinstance(started, list) else [started])
        elif name == CUSTOM.name:
            parent = run.get_child() if hasattr(run, "get_child") else root
            sent = parent.on_custom_event(*subject, run_id=parent.parent_run_id)
            if inspect.isawaitable(sent):
                await sent
        elif run is not None and hasattr(run, name):
            sent = getattr(run, name)(*subject)
            if name == "get_sync":
                runs.append(sent)
            elif inspect.iscoroutine(sent):
                # An end in a context of its own, where langchain-core has it for all but tools.
                await (asyncio.create_task(sent) if EVENTS[name].closes else sent)


def _driven(coroutine: Coroutine[Any, Any, None]) -> None:
    """Run a coroutine that awaits nothing, outside of any event loop."""
    with pytest.raises(StopIteration):
        coroutine.send(None)


def _heard(library: Library, colour: str, specs: tuple[Spec, ...], program: Any) -> list[Heard]:
    log = Log()
    SEEN.set("nobody")
    handlers = [built(spec, library, log) for spec in specs]
    with ids_counted(library):
        running = _run(library, "Async" if colour == "async" else "", handlers, program)
        _driven(running) if colour == "sync" else asyncio.run(running)
    return log.heard


@pytest.mark.parametrize("colour", ["sync", "sync in a loop", "async"])
@given(
    specs=_handlers(),
    program=st.fixed_dictionaries(
        {
            "inherited": st.integers(0, 4),
            "steps": st.lists(_steps(), min_size=1, max_size=8),
            "labels": st.fixed_dictionaries(
                {
                    "inheritable_tags": tags,
                    "local_tags": st.just(["local"]),
                    "inheritable_metadata": metadata,
                    "local_metadata": metadata,
                }
            ),
        }
    ),
)
def test_programs_are_heard_as_in_the_original(colour, specs, program):
    # What a method returns is awaited here in any colour: see test_against_original.
    if colour == "async":
        specs = tuple(
            replace(spec, form="async", place="class") if spec.is_async else spec for spec in specs
        )
    theirs, ours = (_heard(library, colour, specs, program) for library in (THEIRS, OURS))
    if colour == "async" and not specs[0].inline:
        theirs, ours = (_by_handler(heard) for heard in (theirs, ours))
    assert ours == theirs


def _by_handler(heard: list[Heard]) -> list[Heard]:
    """Sort what was heard concurrently: by handler, each in its order; of one start, by run."""
    return sorted(heard, key=lambda each: each.number)


# --- Cancellation -----------------------------------------------------------------------------

RUN_EVENTS = [
    (sender, event)
    for event in EVENTS
    for sender in senders(event)
    if sender not in ("handle_event", "CallbackManager")
]


@pytest.mark.parametrize(("sender", "event"), RUN_EVENTS)
def test_the_same_events_survive_cancellation_and_the_ends_of_tools(sender, event):
    theirs, ours = (asyncio.run(_survives(library, sender, event)) for library in (THEIRS, OURS))
    assert ours == EVENTS[event].closes
    assert ours == (theirs or (sender == "ToolRun" and EVENTS[event].closes))


async def _survives(library: Library, sender: str, event: str) -> bool:
    """Whether a handler hears an event to the end when the sender is cancelled meanwhile."""
    begun, finished = asyncio.Event(), asyncio.Event()

    async def hear(self: Any, *args: Any, **kwargs: Any) -> None:
        begun.set()
        await asyncio.sleep(0)
        finished.set()

    handler = type("Slow", (library.base.AsyncCallbackHandler,), {event: hear})()
    run = getattr(library.manager, f"AsyncCallbackManagerFor{sender}")(
        run_id=UUID(int=1), handlers=[handler], inheritable_handlers=[]
    )
    sending = asyncio.create_task(getattr(run, event)({}))
    await begun.wait()
    sending.cancel()
    with pytest.raises(asyncio.CancelledError):
        await sending
    for _ in range(5):
        await asyncio.sleep(0)
    return finished.is_set()


# --- What a handler can spoil -----------------------------------------------------------------


@pytest.mark.parametrize("event", list(STARTS))
@given(data=st.data())
def test_what_a_handler_does_to_tags_and_metadata_stays_in_the_run(event, data):
    """In langchain-core they are the manager's own, and those of all runs to come."""
    subject = data.draw(subjects(event))
    told: dict[Library, list[tuple[list[str], dict[str, int]]]] = {THEIRS: [], OURS: []}

    for library in (THEIRS, OURS):

        def hear(
            self: Any,
            *args: Any,
            tags: Any,
            metadata: Any,
            _into: Any = told[library],
            **kwargs: Any,
        ) -> None:
            _into.append((tags.copy(), metadata.copy()))
            tags.append("spoilt")
            metadata["spoilt"] = 1

        handler = type("Spoiler", (library.base.BaseCallbackHandler,), {event: hear})()
        manager = library.manager.CallbackManager([handler, handler], tags=["a"], metadata={"b": 0})
        getattr(manager, event)(*subject)
        getattr(manager, event)(*subject)
        if library is OURS:
            assert (manager.tags, manager.metadata) == (["a"], {"b": 0})
    clean, spoilt = (["a"], {"b": 0}), (["a", "spoilt"], {"b": 0, "spoilt": 1})
    assert told[OURS] == [clean, spoilt] * (len(told[OURS]) // 2)
    assert told[OURS][:2] == told[THEIRS][:2]
    assert len(told[OURS]) == len(told[THEIRS])
    if told[OURS]:
        assert told[OURS] != told[THEIRS]


# --- Mistakes ---------------------------------------------------------------------------------


@pytest.mark.parametrize("colour", ["", "Async"])
def test_custom_events_refuse_other_keywords_even_with_nobody_listening(colour):
    def error(library: Library, handlers: list[Any]) -> BaseException | None:
        manager = getattr(library.manager, f"{colour}CallbackManager")(handlers)
        try:
            sent = manager.on_custom_event("x", 1, extra=2)
            if inspect.isawaitable(sent):
                asyncio.run(sent)  # type: ignore[arg-type]
        except ValueError as raised:
            return raised
        return None

    assert error(THEIRS, []) is None
    assert isinstance(error(OURS, []), ValueError)
    for library in (THEIRS, OURS):
        assert isinstance(error(library, [library.base.BaseCallbackHandler()]), ValueError)


@pytest.mark.parametrize("library", [THEIRS, OURS], ids=repr)
def test_an_event_that_no_handler_can_hear_is_a_mistake(library):
    """In langchain-core it is a warning, unless the handler has raise_error set."""
    handlers = [library.base.BaseCallbackHandler()]
    if library is OURS:
        with pytest.raises(ValueError, match="Unknown event 'on_lunch'"):
            library.manager.handle_event(handlers, "on_lunch", None)
    else:
        library.manager.handle_event(handlers, "on_lunch", None)
    library.manager.handle_event([], "on_lunch", None)


class Flag:
    """A flag of a handler that fails when it is asked for."""

    def __get__(self, instance: Any, owner: type) -> bool:
        raise LookupError("no flag")


def _hears(library: Library, colour: str, event: str) -> list[str]:
    """Tell who hears a text, before a handler whose flag fails is asked: "first", and the error."""
    heard: list[str] = []
    base = library.base.BaseCallbackHandler

    def hear(self: Any, *args: Any, **kwargs: Any) -> None:
        heard.append("first")

    failing = {"ignore_chain": Flag(), "raise_error": True}
    first = type("First", (base,), {"on_chain_end": hear, "run_inline": True})()
    second = type("Second", (base,), failing | {event: hear, "run_inline": True})()
    manager = getattr(library.manager, f"{colour}CallbackManagerForChainRun")
    run = manager(run_id=UUID(int=1), handlers=[first, second], inheritable_handlers=[])
    try:
        sent = run.on_chain_end({})
        if inspect.isawaitable(sent):

            async def awaited() -> None:
                await sent

            asyncio.run(awaited())
    except LookupError:
        heard.append("error")
    return heard


def test_in_async_code_it_is_settled_who_hears_an_event_before_anyone_does():
    """So a flag that fails, in a handler with raise_error set, fails before the first call."""
    assert _hears(THEIRS, "", "on_chain_end") == _hears(OURS, "", "on_chain_end")
    assert _hears(THEIRS, "Async", "on_chain_end") == ["first", "error"]
    assert _hears(OURS, "Async", "on_chain_end") == ["error"]


def test_a_flag_is_not_asked_of_a_handler_that_does_not_hear_the_event():
    for colour in ("", "Async"):
        assert _hears(THEIRS, colour, "on_text") == ["first", "error"]
        assert _hears(OURS, colour, "on_text") == ["first"]
