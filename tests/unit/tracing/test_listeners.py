"""Root listeners: called with the outermost run alone, in both colours."""

import asyncio
from functools import partial

import pytest

from callboard.callbacks import AsyncCallbackManager, CallbackManager
from callboard.tracers.root_listeners import AsyncRootListenersTracer, RootListenersTracer

CONFIG = {"configurable": {"who": "me"}}


def listeners(heard):
    def note(what, run):
        heard.append((what, run.name, run.outputs, run.error is not None))

    return {f"on_{what}": partial(note, what) for what in ("start", "end", "error")}


def awaited(told):
    async def listener(*args, **kwargs):
        await asyncio.sleep(0)
        told(*args, **kwargs)

    return listener


def run_program(tracer, fails):
    outer = CallbackManager.configure([tracer]).on_chain_start({}, {"a": 1}, name="outer")
    inner = outer.get_child().on_tool_start({}, "x", name="inner")
    inner.on_tool_error(ValueError())
    if fails:
        outer.on_chain_error(ValueError("no"))
    else:
        outer.on_chain_end({"b": 2})


async def arun_program(tracer, fails):
    manager = AsyncCallbackManager.configure([tracer])
    outer = await manager.on_chain_start({}, {"a": 1}, name="outer")
    inner = await outer.get_child().on_tool_start({}, "x", name="inner")
    await inner.on_tool_error(ValueError())
    if fails:
        await outer.on_chain_error(ValueError("no"))
    else:
        await outer.on_chain_end({"b": 2})


ENDINGS = pytest.mark.parametrize(
    ("fails", "last"),
    [(False, ("end", "outer", {"b": 2}, False)), (True, ("error", "outer", None, True))],
)


@ENDINGS
def test_listeners_hear_the_start_and_the_end_of_the_root_alone(fails, last):
    heard = []
    run_program(RootListenersTracer(config={}, **listeners(heard)), fails)
    assert heard == [("start", "outer", None, False), last]


@ENDINGS
async def test_async_listeners_hear_the_same(fails, last):
    heard = []
    told = {name: awaited(each) for name, each in listeners(heard).items()}
    await arun_program(AsyncRootListenersTracer(config={}, **told), fails)
    assert heard == [("start", "outer", None, False), last]


@ENDINGS
def test_listeners_that_are_missing_are_not_called(fails, last, caplog):
    run_program(RootListenersTracer(config={}, on_start=None, on_end=None, on_error=None), fails)
    assert caplog.records == []


@ENDINGS
async def test_async_listeners_that_are_missing_are_not_called(fails, last, caplog):
    tracer = AsyncRootListenersTracer(config={}, on_start=None, on_end=None, on_error=None)
    await arun_program(tracer, fails)
    assert caplog.records == []


def test_a_listener_that_takes_the_config_is_given_it():
    heard = []

    def start(run, config):
        heard.append((run.name, config))

    def end(run, *, config=None):
        heard.append((run.name, config))

    run_program(
        RootListenersTracer(config=CONFIG, on_start=start, on_end=end, on_error=None), False
    )
    assert heard == [("outer", CONFIG), ("outer", CONFIG)]


async def test_an_async_listener_that_takes_the_config_is_given_it():
    heard = []

    async def start(run, config):
        heard.append((run.name, config))

    tracer = AsyncRootListenersTracer(config=CONFIG, on_start=start, on_end=None, on_error=None)
    await arun_program(tracer, False)
    assert heard == [("outer", CONFIG)]


def test_a_listener_may_be_something_that_has_no_signature():
    heard = []

    class Unsigned:
        __signature__ = "none"

        def __call__(self, run):
            heard.append(run)

    tracer = RootListenersTracer(config=CONFIG, on_start=Unsigned(), on_end=None, on_error=None)
    run_program(tracer, False)
    assert [run.name for run in heard] == ["outer"]


def test_a_listener_that_fails_breaks_nothing_and_leaves_nothing(caplog):
    def fail(run):
        raise ValueError("listener")

    tracer = RootListenersTracer(config={}, on_start=fail, on_end=fail, on_error=fail)
    run_program(tracer, False)
    assert tracer.run_map == {}
    assert ["ValueError('listener')" in record.message for record in caplog.records] == [True, True]


def test_listeners_hear_chat_models_as_such():
    heard = []
    tracer = RootListenersTracer(config={}, on_start=heard.append, on_end=None, on_error=None)
    CallbackManager([tracer]).on_chat_model_start({}, [[]])
    assert heard[0].run_type == "chat_model"
