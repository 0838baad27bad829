"""Async handlers in sync code: with no event loop running, and inside one that is."""

import asyncio
import gc
import logging
import threading
from unittest.mock import AsyncMock

import pytest

from callboard.callbacks import (
    AsyncCallbackHandler,
    AsyncCallbackManager,
    BaseCallbackHandler,
    CallbackManager,
    dispatch_custom_event,
    handle_event,
)
from callboard.events import EVENTS
from callboard.testing import RecordingHandler
from tests.unit.occasions import happen

every_event = pytest.mark.parametrize("event", sorted(EVENTS))


class Noting(AsyncCallbackHandler):
    def __init__(self, name="", notes=None):
        self.name = name
        self.notes = [] if notes is None else notes

    async def on_chain_start(self, serialized, inputs, **kwargs):
        await asyncio.sleep(0)
        self.notes.append(self.name)

    async def on_chain_end(self, outputs, **kwargs):
        await asyncio.sleep(0)
        self.notes.append(f"{self.name} ended")


def test_with_no_loop_running_async_handlers_run_in_the_callers_thread():
    class Where(AsyncCallbackHandler):
        async def on_chain_start(self, *args, **kwargs):
            self.thread = threading.current_thread()

    handler = Where()
    CallbackManager([handler]).on_chain_start({}, {})
    assert handler.thread is threading.current_thread()


async def test_inside_a_running_loop_async_handlers_run_in_a_thread_and_are_done_on_return():
    class Where(AsyncCallbackHandler):
        async def on_chain_start(self, *args, **kwargs):
            await asyncio.sleep(0)
            self.thread = threading.current_thread()

    handler = Where()
    CallbackManager([handler]).on_chain_start({}, {})
    assert handler.thread is not threading.current_thread()
    assert not handler.thread.is_alive()


def test_async_handlers_hear_in_their_order_after_the_sync_ones():
    notes = []

    class Sync(BaseCallbackHandler):
        def on_chain_start(self, *args, **kwargs):
            notes.append("sync")

    CallbackManager([Noting("first", notes), Sync(), Noting("second", notes)]).on_chain_start(
        {}, {}
    )
    assert notes == ["sync", "first", "second"]


async def test_inside_a_running_loop_the_order_is_the_same():
    notes = []

    class Sync(BaseCallbackHandler):
        def on_chain_start(self, *args, **kwargs):
            notes.append("sync")

    CallbackManager([Noting("first", notes), Sync(), Noting("second", notes)]).on_chain_start(
        {}, {}
    )
    assert notes == ["sync", "first", "second"]


@pytest.fixture
def leaves_a_task():
    class Leaves(AsyncCallbackHandler):
        def __init__(self):
            self.finished = []
            self.tasks = set()

        async def on_chain_start(self, *args, **kwargs):
            self.tasks.add(asyncio.create_task(self.later(3)))

        async def later(self, steps):
            await asyncio.sleep(0)
            if steps:
                self.tasks.add(asyncio.create_task(self.later(steps - 1)))
            self.finished.append(steps)

    return Leaves()


def test_tasks_that_a_handler_leaves_behind_are_finished_too(leaves_a_task):
    CallbackManager([leaves_a_task]).on_chain_start({}, {})
    assert leaves_a_task.finished == [3, 2, 1, 0]


async def test_inside_a_running_loop_tasks_left_behind_are_finished_too(leaves_a_task):
    CallbackManager([leaves_a_task]).on_chain_start({}, {})
    assert leaves_a_task.finished == [3, 2, 1, 0]


def test_a_task_left_behind_that_fails_breaks_nothing(caplog):
    class Leaves(AsyncCallbackHandler):
        async def on_chain_start(self, *args, **kwargs):
            self.task = asyncio.create_task(self.fail())

        async def fail(self):
            raise ValueError("left behind")

    handler, after = Leaves(), Noting("after")
    CallbackManager([handler, after]).on_chain_start({}, {})
    assert after.notes == ["after"]
    assert repr(handler.task.exception()) == "ValueError('left behind')"


class Nesting(AsyncCallbackHandler):
    """Dispatches again, from inside its own event."""

    def __init__(self, depth):
        self.depth = depth
        self.reached = []

    async def on_chain_start(self, serialized, inputs, **kwargs):
        await asyncio.sleep(0)
        self.reached.append(inputs)
        if inputs < self.depth:
            CallbackManager([self]).on_chain_start({}, inputs + 1)


def test_a_handler_may_dispatch_in_its_turn():
    handler = Nesting(depth=5)
    CallbackManager([handler]).on_chain_start({}, 0)
    assert handler.reached == [0, 1, 2, 3, 4, 5]


async def test_inside_a_running_loop_a_handler_may_dispatch_in_its_turn_however_deep():
    # Deeper than the worker threads of any pool that might be shared.
    handler = Nesting(depth=70)
    CallbackManager([handler]).on_chain_start({}, 0)
    assert handler.reached == list(range(71))


async def test_many_dispatches_at_once_inside_running_loops_do_not_deadlock():
    handler = Nesting(depth=4)

    async def dispatch(_):
        CallbackManager([handler]).on_chain_start({}, 0)

    def in_a_loop_of_its_own():
        asyncio.run(_all(dispatch, 5))

    threads = [threading.Thread(target=in_a_loop_of_its_own) for _ in range(8)]
    for thread in threads:
        thread.start()
    await _all(dispatch, 5)
    for thread in threads:
        await asyncio.to_thread(thread.join)
    assert len(handler.reached) == 9 * 5 * 5


async def _all(function, times):
    await asyncio.gather(*[function(index) for index in range(times)])


async def test_sync_handlers_in_async_code_may_dispatch_to_async_ones():
    inner = Noting("inner")

    class Sync(BaseCallbackHandler):
        def on_chain_start(self, *args, **kwargs):
            CallbackManager([inner]).on_chain_start({}, {})

    await AsyncCallbackManager([Sync(), Sync()]).on_chain_start({}, {})
    assert inner.notes == ["inner", "inner"]


def test_the_current_event_loop_stays_what_it_was():
    found = []

    def program():
        loop = asyncio.new_event_loop()
        asyncio.set_event_loop(loop)
        CallbackManager([Noting()]).on_chain_start({}, {})
        found.append(asyncio.get_event_loop() is loop)
        loop.close()

    # In a thread of its own, for each has its own current loop.
    thread = threading.Thread(target=program)
    thread.start()
    thread.join()
    assert found == [True]


async def test_where_no_thread_can_be_started_that_is_logged_and_nothing_is_left_behind(
    monkeypatch, caplog
):
    def fail(self):
        raise RuntimeError("can't start new thread")

    first, second = Noting("first"), Noting("second")
    with monkeypatch.context() as patch:
        patch.setattr(threading.Thread, "start", fail)
        CallbackManager([first, second]).on_chain_start({}, {})
    # A coroutine that was never awaited would warn now, and a warning is an error.
    gc.collect()
    (record,) = caplog.records
    assert record.levelno == logging.WARNING
    assert "can't start new thread" in record.getMessage()
    assert first.notes == second.notes == []


@every_event
def test_an_async_handlers_fault_is_raised_into_sync_code_if_it_asks_for_that(event):
    async def fail(self, *args, **kwargs):
        raise LookupError("wanted")

    handler = type("Fails", (AsyncCallbackHandler,), {event: fail, "raise_error": True})()
    with pytest.raises(LookupError, match="wanted"):
        happen(event, handler)


@every_event
async def test_and_into_sync_code_inside_a_running_loop(event):
    async def fail(self, *args, **kwargs):
        raise LookupError("wanted")

    handler = type("Fails", (AsyncCallbackHandler,), {event: fail, "raise_error": True})()
    with pytest.raises(LookupError, match="wanted"):
        happen(event, handler)


class Fails(AsyncCallbackHandler):
    raise_error = True

    def __init__(self, error):
        self.error = error

    async def on_chain_start(self, *args, **kwargs):
        raise self.error


@pytest.fixture(params=["no loop", "inside a loop"])
def start(request):
    """Start a chain with these handlers, with and without a loop running."""

    def directly(*handlers):
        CallbackManager(list(handlers)).on_chain_start({}, {})

    def inside(*handlers):
        async def main():
            directly(*handlers)

        asyncio.run(main())

    return directly if request.param == "no loop" else inside


def test_the_first_of_several_async_faults_is_raised_and_all_handlers_hear(start):
    after = Noting("after")
    with pytest.raises(LookupError, match="first"):
        start(Fails(LookupError("first")), Fails(ValueError("second")), after)
    assert after.notes == ["after"]


def test_async_handlers_before_a_sync_one_that_raises_are_still_run(start):
    class SyncFails(BaseCallbackHandler):
        raise_error = True

        def on_chain_start(self, *args, **kwargs):
            raise LookupError("sync")

    before, after = Noting("before"), Noting("after")
    with pytest.raises(LookupError, match="sync"):
        start(before, Fails(ValueError("async")), SyncFails(), after)
    assert before.notes == ["before"]
    assert after.notes == []


def test_a_cancelled_task_of_a_handlers_own_is_no_trouble_for_sync_code(start, caplog):
    class Waits(AsyncCallbackHandler):
        raise_error = True

        async def on_chain_start(self, *args, **kwargs):
            task = asyncio.create_task(asyncio.sleep(20))
            task.cancel()
            await task

    after = Noting("after")
    start(Waits(), after)
    assert after.notes == ["after"]
    assert [record.getMessage() for record in caplog.records] == [
        "Waits.on_chain_start failed: CancelledError()"
    ]


def test_a_handler_that_cancels_itself_is_no_trouble_for_sync_code(start, caplog):
    class Cancels(AsyncCallbackHandler):
        async def on_chain_start(self, *args, **kwargs):
            asyncio.current_task().cancel()
            await asyncio.sleep(20)

    after = Noting("after")
    start(Cancels(), after)
    assert after.notes == ["after"]
    assert len(caplog.records) == 1


@pytest.mark.parametrize("interrupt", [KeyboardInterrupt, SystemExit])
def test_an_interrupt_in_an_async_handler_passes_and_leaves_no_coroutine_behind(start, interrupt):
    before, after = Noting("before"), Noting("after")
    with pytest.raises(interrupt):
        start(before, Fails(interrupt()), after, after)
    # A coroutine that was never awaited would warn now, and a warning is an error.
    gc.collect()
    assert before.notes == ["before"]
    assert after.notes == []


def test_an_interrupt_in_a_sync_handler_passes_once_the_async_ones_before_it_are_done(start):
    class Interrupts(BaseCallbackHandler):
        def on_chain_start(self, *args, **kwargs):
            raise KeyboardInterrupt

    before = Noting("before")
    with pytest.raises(KeyboardInterrupt):
        start(before, Interrupts())
    assert before.notes == ["before"]


def test_async_mocks_are_run_from_sync_code(start):
    handler = BaseCallbackHandler()
    handler.on_chain_start = AsyncMock()
    start(handler)
    handler.on_chain_start.assert_awaited_once()


async def test_a_sync_custom_event_reaches_async_handlers_inside_a_running_loop():
    class Hears(AsyncCallbackHandler):
        async def on_custom_event(self, name, data, **kwargs):
            self.heard = (name, data)

    handler = Hears()
    run = CallbackManager([handler], [handler]).on_chain_start({}, {})
    dispatch_custom_event("progress", 1, config={"callbacks": run.get_child()})
    assert handler.heard == ("progress", 1)


def test_handle_event_runs_async_handlers_too():
    notes = []
    handle_event([Noting("heard", notes)], "on_chain_start", "ignore_chain", {}, {})
    assert notes == ["heard"]


async def test_the_sync_manager_of_an_async_run_tells_the_same_handlers_of_the_same_run():
    recorder = RecordingHandler()
    run = await AsyncCallbackManager([recorder]).on_chain_start({}, {})
    run.get_sync().on_chain_end({"a": 1})
    assert recorder.events == ["on_chain_start", "on_chain_end"]
    assert {heard.run_id for heard in recorder.heard} == {run.run_id}
