"""Cancelled callers: the end of a run is told all the same, and nothing is left behind."""

import asyncio
import gc
import logging
import weakref

import pytest

from callboard.callbacks import (
    AsyncCallbackHandler,
    AsyncCallbackManager,
    atrace_as_chain_group,
    shielded,
)
from callboard.events import EVENTS
from callboard.testing import RecordingHandler
from tests.unit.occasions import OCCASIONS, ahappen

ENDS = sorted(row.name for row in EVENTS.values() if row.closes)
OTHERS = sorted(row.name for row in EVENTS.values() if not row.closes)


def slow(event, **attributes):
    """Make a handler that, at one event, waits until it is let go."""

    class Slow(AsyncCallbackHandler):
        def __init__(self):
            self.begun = asyncio.Event()
            self.let_go = asyncio.Event()
            self.finished = asyncio.Event()
            self.cancelled = False

    async def hear(self, *args, **kwargs):
        self.begun.set()
        try:
            await self.let_go.wait()
        except asyncio.CancelledError:
            self.cancelled = True
            raise
        self.finished.set()

    setattr(Slow, event, hear)
    handler = Slow()
    vars(handler).update(attributes)
    return handler


async def cancelled_during(handler, event):
    """Cancel the task that awaits an event while the handler is at work; return once it is."""
    task = asyncio.create_task(ahappen(event, handler))
    await handler.begun.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


def test_each_kind_of_run_has_two_ends():
    kinds = ("chain", "llm", "retriever", "tool")
    expected = [f"on_{kind}_{end}" for kind in kinds for end in ("end", "error")]
    assert expected == ENDS


@pytest.mark.parametrize("event", ENDS)
@pytest.mark.parametrize("inline", [True, False])
async def test_a_handler_finishes_hearing_an_end_though_the_caller_is_cancelled(event, inline):
    handler = slow(event, run_inline=inline)
    await cancelled_during(handler, event)
    assert not handler.finished.is_set()
    handler.let_go.set()
    await asyncio.wait_for(handler.finished.wait(), timeout=20)
    assert not handler.cancelled


@pytest.mark.parametrize("event", ENDS)
async def test_all_handlers_hear_an_end_though_the_caller_is_cancelled_at_the_first(event):
    first, second = slow(event, run_inline=True), slow(event)
    second.let_go.set()
    task = asyncio.create_task(ahappen(event, first, second))
    await first.begun.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    first.let_go.set()
    await asyncio.wait_for(second.finished.wait(), timeout=20)


@pytest.mark.parametrize("inline", [True, False])
async def test_an_end_in_progress_is_not_lost_though_nobody_else_refers_to_it(inline):
    begun, finished = asyncio.Event(), []

    class Waits(AsyncCallbackHandler):
        run_inline = inline

        async def on_tool_end(self, *args, **kwargs):
            # Only the task that waits for it refers to this future, and only it to the task.
            gate = asyncio.get_running_loop().create_future()
            self.gate = weakref.ref(gate)
            begun.set()
            await gate
            finished.append(True)

    handler = Waits()
    handler.begun = begun
    await cancelled_during(handler, "on_tool_end")
    await asyncio.sleep(0)
    gc.collect()
    gate = handler.gate()
    assert gate is not None
    gate.set_result(None)
    for _ in range(5):
        await asyncio.sleep(0)
    assert finished == [True]


@pytest.mark.parametrize("event", OTHERS)
@pytest.mark.parametrize("inline", [True, False])
async def test_other_events_are_cancelled_with_their_caller(event, inline):
    handler = slow(event, run_inline=inline)
    await cancelled_during(handler, event)
    assert handler.cancelled


@pytest.mark.parametrize("event", [name for name in sorted(OCCASIONS) if OCCASIONS[name].kind])
async def test_a_caller_cancelled_before_it_began_leaves_no_coroutine_behind(event):
    occasion = OCCASIONS[event]
    recorder = RecordingHandler(run_inline=False)
    manager = AsyncCallbackManager([recorder])
    started = await getattr(manager, occasion.kind)(*OCCASIONS[occasion.kind].given)
    run = started[0] if isinstance(started, list) else started
    task = asyncio.create_task(getattr(run, event)(*occasion.given))
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    # A coroutine that was never awaited would warn now, and a warning is an error.
    gc.collect()
    assert event not in recorder.events


async def test_the_fault_of_a_handler_that_nobody_awaits_any_more_is_logged(caplog, monkeypatch):
    class Fails(AsyncCallbackHandler):
        raise_error = True

        def __init__(self):
            self.begun = asyncio.Event()
            self.let_go = asyncio.Event()

        async def on_tool_end(self, *args, **kwargs):
            self.begun.set()
            await self.let_go.wait()
            raise ValueError("too late")

    logged = asyncio.Event()

    class Notes(logging.Handler):
        def emit(self, record):
            logged.set()

    handler = Fails()
    await cancelled_during(handler, "on_tool_end")
    monkeypatch.setattr(logging.getLogger("callboard"), "handlers", [Notes()])
    handler.let_go.set()
    await asyncio.wait_for(logged.wait(), timeout=20)
    assert [record.getMessage() for record in caplog.records] == [
        "Fails.on_tool_end failed: ValueError('too late')"
    ]


async def test_a_timeout_around_an_end_does_not_lose_the_end():
    handler = slow("on_llm_end")
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(ahappen("on_llm_end", handler), timeout=0.01)
    handler.let_go.set()
    await asyncio.wait_for(handler.finished.wait(), timeout=20)


async def test_a_cancelled_group_is_heard_to_its_end():
    handler, inside = slow("on_chain_error"), asyncio.Event()

    async def work():
        manager = AsyncCallbackManager([handler])
        async with atrace_as_chain_group("group", manager):
            inside.set()
            await asyncio.Event().wait()

    task = asyncio.create_task(work())
    await inside.wait()
    task.cancel()
    await handler.begun.wait()
    task.cancel()  # Again, while the error is being told.
    with pytest.raises(asyncio.CancelledError):
        await task
    handler.let_go.set()
    await asyncio.wait_for(handler.finished.wait(), timeout=20)


async def test_shielded_makes_any_coroutine_function_finish():
    begun, let_go, finished = asyncio.Event(), asyncio.Event(), []

    @shielded
    async def work(value, *, other):
        """Do some work."""
        begun.set()
        await let_go.wait()
        finished.append((value, other))
        return value

    task = asyncio.create_task(work(1, other=2))
    await begun.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    let_go.set()
    assert await work(3, other=4) == 3
    assert finished == [(1, 2), (3, 4)]
    assert (work.__name__, work.__doc__) == ("work", "Do some work.")


async def test_shielded_passes_on_what_is_raised():
    @shielded
    async def work():
        raise LookupError("inside")

    with pytest.raises(LookupError, match="inside"):
        await work()
