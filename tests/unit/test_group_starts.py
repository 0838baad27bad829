"""A group's run ends also when its start, or the code around it, comes to a bad end."""

import asyncio

import pytest

from callboard.callbacks import (
    AsyncCallbackHandler,
    AsyncCallbackManager,
    BaseCallbackHandler,
    CallbackManager,
    atrace_as_chain_group,
    trace_as_chain_group,
)
from callboard.testing import RecordingHandler


class RefusesStarts(BaseCallbackHandler):
    raise_error = True
    run_inline = True

    def on_chain_start(self, serialized, inputs, **kwargs):
        raise ValueError("no start")


class StartsForEver(AsyncCallbackHandler):
    run_inline = True

    def __init__(self):
        self.begun = asyncio.Event()

    async def on_chain_start(self, serialized, inputs, **kwargs):
        self.begun.set()
        await asyncio.Event().wait()


def test_a_start_that_a_handler_refuses_is_ended_for_those_who_heard_it():
    recorder = RecordingHandler()
    manager = CallbackManager([recorder, RefusesStarts()])
    with (
        pytest.raises(ValueError, match="no start"),
        trace_as_chain_group("group", manager),
    ):
        pytest.fail("the block is not entered")
    assert recorder.tree() == "chain group (error: ValueError('no start'))"


async def test_an_async_start_that_a_handler_refuses_is_ended_too():
    recorder = RecordingHandler()
    manager = AsyncCallbackManager([recorder, RefusesStarts()])
    with pytest.raises(ValueError, match="no start"):
        async with atrace_as_chain_group("group", manager):
            pytest.fail("the block is not entered")
    assert recorder.tree() == "chain group (error: ValueError('no start'))"


async def test_a_start_that_is_cancelled_while_it_is_heard_is_ended():
    recorder, slow = RecordingHandler(), StartsForEver()

    async def work():
        async with atrace_as_chain_group("group", AsyncCallbackManager([recorder, slow])):
            pytest.fail("the block is not entered")

    task = asyncio.create_task(work())
    await slow.begun.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert recorder.tree() == "chain group (error: CancelledError())"


def closed_at_its_await(manager):
    """Begin a coroutine that has a group open, and close it where it waits."""

    class Pause:
        def __await__(self):
            yield

    async def work():
        async with atrace_as_chain_group("group", manager):
            await Pause()

    coroutine = work()
    coroutine.send(None)
    coroutine.close()


def test_a_coroutine_that_is_closed_without_a_loop_ends_its_group():
    recorder = RecordingHandler()
    closed_at_its_await(AsyncCallbackManager([recorder]))
    assert recorder.tree() == "chain group (error: GeneratorExit())"


async def test_a_coroutine_that_is_closed_inside_a_loop_ends_its_group():
    recorder = RecordingHandler()
    closed_at_its_await(AsyncCallbackManager([recorder]))
    assert recorder.tree() == "chain group (error: GeneratorExit())"
