"""Handlers that fail: logged once, with their name and the event, and never the host's trouble
unless they ask to be."""

import asyncio
import gc
import logging
import threading

import pytest

from callboard.callbacks import (
    AsyncCallbackHandler,
    AsyncCallbackManager,
    BaseCallbackHandler,
    CallbackManager,
)
from callboard.events import EVENTS
from callboard.testing import RecordingHandler
from tests.unit.occasions import ahappen, happen

every_event = pytest.mark.parametrize("event", sorted(EVENTS))
both_kinds = pytest.mark.parametrize("kind", [BaseCallbackHandler, AsyncCallbackHandler])


def failing(event, kind=BaseCallbackHandler, error=ValueError, **attributes):
    """Make a handler that fails at one event."""

    def fail(self, *args, **kwargs):
        raise error("on purpose")

    async def afail(self, *args, **kwargs):
        raise error("on purpose")

    method = afail if kind is AsyncCallbackHandler else fail
    return type("Clumsy", (kind,), {event: method, **attributes})()


def messages(caplog):
    return [record.getMessage() for record in caplog.records]


@every_event
@both_kinds
def test_a_failing_handler_is_logged_once_and_the_others_hear(event, kind, caplog):
    recorder = RecordingHandler()
    happen(event, failing(event, kind), recorder)
    assert messages(caplog) == [f"Clumsy.{event} failed: ValueError('on purpose')"]
    assert event in recorder.events


@every_event
@both_kinds
@pytest.mark.parametrize("inline", [True, False])
async def test_a_failing_handler_is_logged_once_in_async_code_too(event, kind, inline, caplog):
    recorder = RecordingHandler(run_inline=False)
    await ahappen(event, failing(event, kind, run_inline=inline), recorder)
    assert messages(caplog) == [f"Clumsy.{event} failed: ValueError('on purpose')"]
    assert event in recorder.events


def test_the_log_is_a_warning_with_the_traceback_from_callboards_own_logger(caplog):
    happen("on_chain_start", failing("on_chain_start"))
    (record,) = caplog.records
    assert record.levelno == logging.WARNING
    assert record.name.startswith("callboard.")
    assert record.exc_info[0] is ValueError
    assert record.exc_info[2] is not None


def test_every_occurrence_is_logged(caplog):
    run = CallbackManager([failing("on_text")]).on_chain_start({}, {})
    for _ in range(3):
        run.on_text("text")
    assert len(caplog.records) == 3


@every_event
@both_kinds
def test_what_asks_to_raise_raises_into_sync_code_and_is_logged_once(event, kind, caplog):
    with pytest.raises(ValueError, match="on purpose"):
        happen(event, failing(event, kind, raise_error=True))
    assert messages(caplog) == [f"Clumsy.{event} failed: ValueError('on purpose')"]


@every_event
@both_kinds
@pytest.mark.parametrize("inline", [True, False])
async def test_what_asks_to_raise_raises_into_async_code_and_is_logged_once(
    event, kind, inline, caplog
):
    handler = failing(event, kind, raise_error=True, run_inline=inline)
    with pytest.raises(ValueError, match="on purpose"):
        await ahappen(event, handler)
    assert messages(caplog) == [f"Clumsy.{event} failed: ValueError('on purpose')"]


def test_what_raises_keeps_later_handlers_from_hearing_and_not_earlier_ones():
    before, after = RecordingHandler(), RecordingHandler()
    with pytest.raises(ValueError, match="on purpose"):
        happen("on_chain_start", before, failing("on_chain_start", raise_error=True), after)
    assert (before.events, after.events) == (["on_chain_start"], [])


async def test_what_raises_among_concurrent_handlers_does_not_stop_the_others():
    gate, finished = asyncio.Event(), asyncio.Event()

    class Slow(AsyncCallbackHandler):
        async def on_chain_start(self, *args, **kwargs):
            await gate.wait()
            finished.set()

    with pytest.raises(ValueError, match="on purpose"):
        await ahappen("on_chain_start", failing("on_chain_start", raise_error=True), Slow())
    gate.set()
    await asyncio.wait_for(finished.wait(), timeout=20)


async def test_of_several_concurrent_handlers_that_raise_the_first_is_raised_and_all_are_logged(
    caplog,
):
    meeting = asyncio.Barrier(2)

    class Fails(AsyncCallbackHandler):
        raise_error = True

        async def on_chain_end(self, *args, **kwargs):
            await meeting.wait()
            raise ValueError("on purpose")

    with pytest.raises(ValueError, match="on purpose"):
        await ahappen("on_chain_end", Fails(), Fails())
    gc.collect()
    assert messages(caplog) == ["Fails.on_chain_end failed: ValueError('on purpose')"] * 2


async def test_an_inline_handler_that_raises_is_the_last_to_hear():
    recorder = RecordingHandler(run_inline=False)
    handler = failing("on_chain_start", raise_error=True, run_inline=True)
    with pytest.raises(ValueError, match="on purpose"):
        await ahappen("on_chain_start", recorder, handler)
    assert recorder.events == []


def test_raise_error_is_asked_when_the_fault_happens():
    handler = failing("on_text")
    run = CallbackManager([handler]).on_chain_start({}, {})
    run.on_text("logged")
    handler.raise_error = True
    with pytest.raises(ValueError, match="on purpose"):
        run.on_text("raised")


@pytest.mark.parametrize("event", [name for name in sorted(EVENTS) if not EVENTS[name].fallback])
@both_kinds
async def test_not_implemented_is_logged_and_never_raised(event, kind, caplog):
    handler = failing(event, kind, NotImplementedError, raise_error=True)
    happen(event, handler)
    await ahappen(event, handler)
    assert messages(caplog) == [f"Clumsy.{event} failed: NotImplementedError('on purpose')"] * 2


@every_event
@pytest.mark.parametrize("interrupt", [KeyboardInterrupt, SystemExit])
def test_an_interrupt_in_a_handler_passes_through_and_is_not_logged(event, interrupt, caplog):
    after = RecordingHandler()
    with pytest.raises(interrupt):
        happen(event, failing(event, error=interrupt), after)
    assert caplog.records == []
    assert event not in after.events


@every_event
@both_kinds
@pytest.mark.parametrize("inline", [True, False])
async def test_a_cancelled_task_of_a_handlers_own_is_a_failure_like_any_other(
    event, kind, inline, caplog
):
    recorder = RecordingHandler(run_inline=False)
    # What awaiting a task raises that was cancelled.
    traits = {"error": asyncio.CancelledError, "raise_error": True, "run_inline": inline}
    await ahappen(event, failing(event, kind, **traits), recorder)
    assert messages(caplog) == [f"Clumsy.{event} failed: CancelledError('on purpose')"]
    assert event in recorder.events


@every_event
@both_kinds
def test_and_so_it_is_in_sync_code(event, kind, caplog):
    recorder = RecordingHandler()
    happen(event, failing(event, kind, asyncio.CancelledError, raise_error=True), recorder)
    assert messages(caplog) == [f"Clumsy.{event} failed: CancelledError('on purpose')"]
    assert event in recorder.events


@every_event
@pytest.mark.parametrize("inline", [True, False])
async def test_the_hosts_own_cancellation_passes_through_handlers_and_is_not_logged(
    event, inline, caplog
):
    begun = asyncio.Event()

    async def hear(self, *args, **kwargs):
        begun.set()
        await asyncio.Event().wait()

    handler = type("Waits", (AsyncCallbackHandler,), {event: hear, "run_inline": inline})()
    task = asyncio.create_task(ahappen(event, handler))
    await begun.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert caplog.records == []


def unreadable(self):
    raise LookupError("no flag today")


@both_kinds
async def test_a_raise_error_that_cannot_be_read_is_off_and_logged(kind, caplog):
    handler = failing("on_text", kind, raise_error=property(unreadable))
    happen("on_text", handler)
    await ahappen("on_text", handler)
    expected = [
        "Clumsy.on_text failed: ValueError('on purpose')",
        "Clumsy.raise_error failed: LookupError('no flag today')",
    ]
    assert messages(caplog) == expected * 2


async def test_a_run_inline_that_cannot_be_read_is_off_and_logged(caplog):
    class Unsure(BaseCallbackHandler):
        run_inline = property(unreadable)

        def on_chain_start(self, *args, **kwargs):
            self.thread = threading.current_thread()

    handler = Unsure()
    await ahappen("on_chain_start", handler)
    assert handler.thread is not threading.current_thread()
    assert messages(caplog) == ["Unsure.run_inline failed: LookupError('no flag today')"]


@pytest.mark.parametrize("inline", [True, False])
async def test_a_handler_that_runs_out_of_an_iterator_does_not_hang_its_host(inline, caplog):
    class RunsOut(BaseCallbackHandler):
        run_inline = inline

        def on_chain_start(self, *args, **kwargs):
            next(iter(()))

    handler = RunsOut()
    await asyncio.wait_for(ahappen("on_chain_start", handler), timeout=20)
    (message,) = messages(caplog)
    assert message.startswith("RunsOut.on_chain_start failed: ")
    assert "StopIteration" in message


async def test_a_handler_whose_method_cannot_be_had_is_logged(caplog):
    class Broken(BaseCallbackHandler):
        @property
        def on_chain_start(self):
            raise LookupError("no method today")

    recorder = RecordingHandler()
    happen("on_chain_start", Broken(), recorder)
    await ahappen("on_chain_start", Broken(), recorder)
    assert messages(caplog) == ["Broken.on_chain_start failed: LookupError('no method today')"] * 2
    assert recorder.events == ["on_chain_start"] * 2


async def test_a_handler_that_takes_too_few_arguments_is_logged(caplog):
    class Deaf(BaseCallbackHandler):
        def on_chain_start(self, serialized):
            raise AssertionError("never called")

    happen("on_chain_start", Deaf())
    await ahappen("on_chain_start", Deaf())
    assert len(caplog.records) == 2
    assert all("TypeError" in message for message in messages(caplog))


async def test_a_failing_handler_fails_at_each_prompt_by_itself(caplog):
    recorder = RecordingHandler()
    handlers = [failing("on_llm_start"), recorder]
    CallbackManager(handlers).on_llm_start({}, ["a", "b"])
    await AsyncCallbackManager(handlers).on_llm_start({}, ["c", "d"])
    assert len(caplog.records) == 4
    assert sorted(heard.args[1][0] for heard in recorder.heard) == ["a", "b", "c", "d"]
