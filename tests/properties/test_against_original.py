"""The same handlers hear the same of every event through langchain-core and through Callboard.

Random sets of handlers are built alike for both libraries, and every event is sent to them in
every way and colour. Compared is what was heard, in what order and after whom (as a context
variable tells), and what was raised, logged and returned. Where Callboard differs on purpose,
the difference has a row in `DIFFERENCES`, which makes of langchain-core's outcome what it should
have been; each row has a case that shows that it is still needed.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from callboard.events import CHAT_MODEL_START, EVENTS, LLM_END, LLM_START, TEXT, TOOL_END
from tests.properties.cases import Case, Outcome, cases, raised_by, sent
from tests.properties.handler_sets import OURS, THEIRS, Spec


@dataclass(frozen=True)
class Difference:
    """Where Callboard differs on purpose.

    Attributes:
        example: A case that shows it.
        meant: Returns the case that langchain-core must be given to do what is right.
        mended: Returns what should have come of a case, from what came of it there.
    """

    example: Case
    meant: Callable[[Case], Case] = lambda case: case
    mended: Callable[[Case, Outcome], Outcome] = lambda case, theirs: theirs


def _derived(case: Case) -> Case:
    return case.each(lambda spec: replace(spec, base="sync") if spec.base == "duck" else spec)


def _awaited(case: Case) -> Case:
    def meant(spec: Spec) -> Spec:
        return replace(spec, form="async", place="class") if spec.is_async else spec

    # The fallback of a coroutine is async code, too, wherever the event was sent from.
    in_async_code = case.is_async or case.event == CHAT_MODEL_START.name
    return case.each(meant) if in_async_code else case


def _in_turn(case: Case) -> Case:
    if case.is_async or case.event != CHAT_MODEL_START.name:
        return case
    return case.each(lambda spec: replace(spec, base="sync") if spec.base == "async" else spec)


def _raised(case: Case, theirs: Outcome) -> Outcome:
    if case.is_async:
        return theirs
    handlers = {spec.number: spec for spec in case.handlers}
    wanted = [
        (each, raised)
        for each in theirs.heard
        if handlers[each.number].is_async and (raised := raised_by(handlers[each.number], each))
    ]
    # A fallback's coroutine is run at once, not after the others: what it raises comes first.
    at_once = [pair for pair in wanted if pair[0].event != case.event]
    if not wanted or (theirs.raised and not at_once):
        return theirs
    heard, raised = (at_once or wanted)[0]
    if case.sender == "CallbackManager" and case.event in (LLM_START.name, CHAT_MODEL_START.name):
        # The first of several runs raises: the others don't start.
        serialized, given_to_each = case.subject
        case = replace(case, subject=(serialized, given_to_each[:1]))
    if at_once:
        case = case.only(lambda spec: spec.number <= heard.number)
    theirs = sent(case, THEIRS)
    return replace(theirs, raised=theirs.raised or raised, returned=None)


def _reached(case: Case, theirs: Outcome) -> Outcome:
    inline = case.only(lambda spec: spec.inline)
    others = case.only(lambda spec: not spec.inline)
    starts = case.is_async and case.sender == "CallbackManager" and case.event == LLM_START.name
    if not (starts and inline.handlers and others.handlers) or theirs.raised:
        return theirs
    first = sent(inline, THEIRS)
    second = sent(replace(others, after=first.around), THEIRS)
    return Outcome(
        heard=first.heard + second.heard,
        raised=second.raised,
        warnings=first.warnings + second.warnings,
        returned=None if second.raised else theirs.returned,
        around=first.around,
    )


def _shielded(case: Case, theirs: Outcome) -> Outcome:
    if case.is_async and case.sender == "ToolRun" and EVENTS[case.event].closes:
        # What is shielded runs in a copy of the context, inline handlers included.
        return replace(theirs, around=case.after)
    return theirs


def _hearing(event: str, **traits: object) -> Spec:
    return Spec(**{"number": 0, "hears": frozenset([event]), **traits})  # type: ignore[arg-type]


DIFFERENCES = {
    "a duck-typed handler is as good as a derived one: what it lacks is off, or silent": Difference(
        Case(
            TEXT.name, handlers=(_hearing(TEXT.name, base="duck"),), subject=("x",), colour="async"
        ),
        meant=_derived,
    ),
    "a coroutine is awaited in async code, whatever kind of method returned it": Difference(
        Case(
            TEXT.name,
            handlers=(_hearing(TEXT.name, form="returning"),),
            subject=("x",),
            colour="async",
        ),
        meant=_awaited,
    ),
    "an async no-op is known without being called: the fallback comes in the handler's turn": (
        Difference(
            Case(
                CHAT_MODEL_START.name,
                handlers=(
                    _hearing(LLM_START.name, base="async"),
                    _hearing(CHAT_MODEL_START.name, number=1),
                ),
                subject=({}, []),
            ),
            meant=_in_turn,
        )
    ),
    "raise_error of an async handler is honoured from sync code": Difference(
        Case(
            LLM_END.name,
            handlers=(_hearing(LLM_END.name, form="async", fails="error", raises=True),),
            subject=({},),
        ),
        mended=_raised,
    ),
    "on_llm_start in async code reaches inline handlers and others": Difference(
        Case(
            LLM_START.name,
            "CallbackManager",
            "async",
            handlers=(
                _hearing(LLM_START.name, inline=True),
                _hearing(LLM_START.name, number=1),
            ),
            subject=({}, ["x"]),
        ),
        mended=_reached,
    ),
    "ends of tool runs are shielded from cancellation, as all ends are": Difference(
        Case(
            TOOL_END.name,
            "ToolRun",
            "async",
            handlers=(_hearing(TOOL_END.name, inline=True),),
            subject=("x",),
        ),
        mended=_shielded,
    ),
}
"""Every difference, by what Callboard does."""


def expected(case: Case, leaving_out: str = "") -> Outcome:
    """Return what should come of a case: what langchain-core does, but for the differences."""
    rows = [row for name, row in DIFFERENCES.items() if name != leaving_out]
    for row in rows:
        case = row.meant(case)
    theirs = sent(case, THEIRS)
    for row in rows:
        theirs = row.mended(case, theirs)
    return theirs


@pytest.mark.parametrize("event", EVENTS)
@given(data=st.data())
def test_every_event_is_heard_as_in_the_original(event, data):
    case = data.draw(cases(event))
    ours, theirs = sent(case, OURS), expected(case)
    assert ours.comparable(case) == theirs.comparable(case)


@pytest.mark.parametrize("name", DIFFERENCES)
def test_every_difference_is_one_still(name):
    case = DIFFERENCES[name].example
    ours = sent(case, OURS).comparable(case)
    assert ours == expected(case).comparable(case)
    assert ours != expected(case, leaving_out=name).comparable(case)
