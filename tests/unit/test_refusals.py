"""A run whose start a handler refuses ends for those who have heard of it by then."""

import asyncio

import pytest

from callboard.callbacks import (
    AsyncCallbackHandler,
    AsyncCallbackManager,
    BaseCallbackHandler,
    CallbackManager,
)
from callboard.testing import RecordingHandler


class Refuses(BaseCallbackHandler):
    """Refuses starts, from the second on if it is told to let one through."""

    raise_error = True
    run_inline = True

    def __init__(self, lets_through=0):
        self.left = lets_through
        self.ends = []

    def _refuse(self, *args, **kwargs):
        self.left -= 1
        if self.left < 0:
            raise ValueError("no")

    on_llm_start = on_tool_start = on_retriever_start = _refuse

    def on_llm_error(self, error, **kwargs):
        self.ends.append(error)


def starts(manager):
    """Each kind of start, by the name that its run has in a recorder's tree."""
    return {
        "llm m": lambda: manager.on_llm_start({"name": "m"}, ["x"]),
        "chat_model m": lambda: manager.on_chat_model_start({"name": "m"}, [[("user", "x")]]),
        "tool m": lambda: manager.on_tool_start({"name": "m"}, "x"),
        "retriever m": lambda: manager.on_retriever_start({"name": "m"}, "x"),
    }


every_start = pytest.mark.parametrize("name", list(starts(None)))


@every_start
def test_it_ends_for_those_before_the_handler_that_refuses_it(name):
    before, refuses, after = RecordingHandler(), Refuses(), RecordingHandler()
    manager = CallbackManager([before, refuses, after])
    with pytest.raises(ValueError, match="no"):
        starts(manager)[name]()
    assert before.tree() == f"{name} (error: ValueError('no'))"
    assert not after.heard
    assert not refuses.ends


@every_start
async def test_it_ends_in_async_code_too(name):
    before, refuses, after = RecordingHandler(), Refuses(), RecordingHandler()
    before.run_inline = after.run_inline = True
    manager = AsyncCallbackManager([before, refuses, after])
    with pytest.raises(ValueError, match="no"):
        await starts(manager)[name]()
    assert before.tree() == f"{name} (error: ValueError('no'))"
    assert not after.heard


@pytest.mark.parametrize("kind", [CallbackManager, AsyncCallbackManager])
async def test_runs_that_were_started_with_it_end_too(kind):
    before, refuses = RecordingHandler(), Refuses(lets_through=1)
    before.run_inline = True

    async def start():
        await kind([before, refuses]).on_llm_start({"name": "m"}, ["1", "2", "3"])

    with pytest.raises(ValueError, match="no"):
        await start()
    assert before.tree() == "\n".join(["llm m (error: ValueError('no'))"] * 2)
    assert len(refuses.ends) == 1  # That of the one that it let through.


async def test_a_start_that_is_cancelled_while_it_is_heard_is_ended():
    class Waits(AsyncCallbackHandler):
        run_inline = True
        begun = asyncio.Event()

        async def on_llm_start(self, *args, **kwargs):
            self.begun.set()
            await asyncio.Event().wait()

    before, waits = RecordingHandler(), Waits()
    before.run_inline = True
    manager = AsyncCallbackManager([before, waits])
    task = asyncio.ensure_future(manager.on_llm_start({"name": "m"}, ["x"]))
    await waits.begun.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await asyncio.sleep(0)
    assert before.tree() == "llm m (error: CancelledError())"


def test_what_is_raised_because_of_the_refusal_does_not_hide_it():
    class Fails(BaseCallbackHandler):
        raise_error = True

        def on_llm_error(self, error, **kwargs):
            raise KeyError("another")

    with pytest.raises(ValueError, match="no"):
        CallbackManager([Fails(), Refuses()]).on_llm_start({}, ["x"])
