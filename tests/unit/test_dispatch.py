"""Every event, through the managers' public methods: who hears it, with what, in which order."""

import asyncio
import functools
import os
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from contextvars import ContextVar
from uuid import uuid4

import pytest

from callboard.callbacks import (
    AsyncCallbackHandler,
    AsyncCallbackManager,
    BaseCallbackHandler,
    CallbackManager,
    ahandle_event,
    handle_event,
    loops,
)
from callboard.events import EVENTS
from callboard.testing import Heard, RecordingHandler
from tests.unit.occasions import OCCASIONS, ahappen, happen, told

every_event = pytest.mark.parametrize("event", sorted(EVENTS))


def only(event, heard: list[Heard]) -> Heard:
    (found,) = [each for each in heard if each.event == event]
    return found


def async_recorder(event):
    """Make an async handler that overrides one event and keeps what it is called with."""
    calls = []

    async def hear(self, *args, **kwargs):
        calls.append((args, kwargs))

    handler = type("AsyncRecorder", (AsyncCallbackHandler,), {event: hear})()
    return handler, calls


def test_no_event_of_the_table_is_missing_from_these_tests():
    assert set(OCCASIONS) == set(EVENTS)


@every_event
def test_sync_code_tells_a_sync_handler_all_that_the_event_carries(event):
    recorder = RecordingHandler()
    happen(event, recorder)
    heard = only(event, recorder.heard)
    assert (heard.args, heard.kwargs) == told(event, colour="sync")


@every_event
def test_sync_code_tells_an_async_handler_all_that_the_event_carries(event):
    handler, calls = async_recorder(event)
    happen(event, handler)
    assert calls == [told(event, colour="sync")]


@every_event
@pytest.mark.parametrize("inline", [True, False])
async def test_async_code_tells_a_sync_handler_all_that_the_event_carries(event, inline):
    recorder = RecordingHandler(run_inline=inline)
    await ahappen(event, recorder)
    heard = only(event, recorder.heard)
    assert (heard.args, heard.kwargs) == told(event, colour="async")


@every_event
@pytest.mark.parametrize("inline", [True, False])
async def test_async_code_tells_an_async_handler_all_that_the_event_carries(event, inline):
    handler, calls = async_recorder(event)
    handler.run_inline = inline
    await ahappen(event, handler)
    assert calls == [told(event, colour="async")]


@every_event
def test_without_own_keywords_the_run_is_told_all_the_same(event, monkeypatch):
    monkeypatch.setattr(OCCASIONS[event], "keywords", {})
    recorder = RecordingHandler()
    happen(event, recorder)
    heard = only(event, recorder.heard)
    args, kwargs = told(event, colour="sync")
    # These two are told even if they were not given.
    kwargs |= {"on_llm_new_token": {"chunk": None}, "on_tool_start": {"inputs": None}}.get(
        event, {}
    )
    assert (heard.args, heard.kwargs) == (args, kwargs)


@every_event
async def test_without_own_keywords_the_run_is_told_all_the_same_in_async_code(event, monkeypatch):
    monkeypatch.setattr(OCCASIONS[event], "keywords", {})
    recorder = RecordingHandler()
    await ahappen(event, recorder)
    heard = only(event, recorder.heard)
    args, kwargs = told(event, colour="async")
    kwargs |= {"on_llm_new_token": {"chunk": None}}.get(event, {})
    assert (heard.args, heard.kwargs) == (args, kwargs)


@every_event
def test_sync_handlers_hear_in_their_order(event):
    order = []

    def named(name):
        def hear(self, *args, **kwargs):
            order.append(name)

        return type(name, (BaseCallbackHandler,), {event: hear})()

    happen(event, named("first"), named("second"), named("third"))
    assert order == ["first", "second", "third"]


@every_event
async def test_inline_handlers_hear_first_and_in_their_order(event):
    order = []

    def named(name, inline):
        async def hear(self, *args, **kwargs):
            await asyncio.sleep(0)
            order.append(name)

        body = {event: hear, "run_inline": inline}
        return type(name, (AsyncCallbackHandler,), body)()

    await ahappen(
        event,
        named("last", False),
        named("first", True),
        named("last", False),
        named("second", True),
        named("last", False),
    )
    assert order == ["first", "second", "last", "last", "last"]


@every_event
async def test_handlers_that_are_not_inline_run_concurrently(event):
    meeting = asyncio.Barrier(3)

    async def hear(self, *args, **kwargs):
        await meeting.wait()

    kind = type("Meeting", (AsyncCallbackHandler,), {event: hear})
    # One that waited for another to return would never get to the meeting.
    await asyncio.wait_for(ahappen(event, kind(), kind(), kind()), timeout=20)


async def test_sync_handlers_run_concurrently_in_async_code():
    meeting = threading.Barrier(3, timeout=20)

    class Meets(BaseCallbackHandler):
        raise_error = True

        def on_chain_start(self, *args, **kwargs):
            meeting.wait()

    await ahappen("on_chain_start", Meets(), Meets(), Meets())


@every_event
async def test_async_code_keeps_sync_handlers_off_its_thread_unless_they_are_inline(event):
    inline, other = RecordingHandler(run_inline=True), RecordingHandler(run_inline=False)
    await ahappen(event, inline, other)
    here = threading.current_thread().name
    assert only(event, inline.heard).thread == here
    assert only(event, other.heard).thread != here


async def test_every_prompt_reaches_inline_handlers_before_the_others_hear_any():
    order = []

    class Inline(BaseCallbackHandler):
        run_inline = True

        def on_llm_start(self, serialized, prompts, **kwargs):
            order.append(("inline", *prompts))

    class Other(AsyncCallbackHandler):
        async def on_llm_start(self, serialized, prompts, **kwargs):
            order.append(("other", *prompts))

    await AsyncCallbackManager([Other(), Inline()]).on_llm_start({}, ["a", "b"])
    assert order == [("inline", "a"), ("inline", "b"), ("other", "a"), ("other", "b")]


def test_an_event_reaches_a_handler_once_even_if_the_handler_is_there_twice_by_inheritance():
    recorder = RecordingHandler()
    manager = CallbackManager([recorder], [recorder])
    manager.on_chain_start({}, {})
    assert recorder.events == ["on_chain_start"]


# --- Context variables ------------------------------------------------------------------------

seen = ContextVar("seen", default="nothing")


class SetsAVariable(BaseCallbackHandler):
    def on_chain_start(self, *args, **kwargs):
        self.saw = seen.get()
        seen.set(type(self).__name__)


class SetsAVariableAsync(AsyncCallbackHandler):
    async def on_chain_start(self, *args, **kwargs):
        self.saw = seen.get()
        seen.set(type(self).__name__)


@pytest.mark.parametrize("kind", [SetsAVariable, SetsAVariableAsync])
async def test_inline_handlers_see_and_set_the_callers_context_variables(kind):
    handler = kind()
    handler.run_inline = True
    seen.set("the caller's")
    await AsyncCallbackManager([handler]).on_chain_start({}, {})
    assert handler.saw == "the caller's"
    assert seen.get() == kind.__name__


@pytest.mark.parametrize("kind", [SetsAVariable, SetsAVariableAsync])
async def test_other_handlers_see_a_copy_of_the_callers_context(kind):
    first, second = kind(), kind()
    seen.set("the caller's")
    await AsyncCallbackManager([first, second]).on_chain_start({}, {})
    assert (first.saw, second.saw) == ("the caller's", "the caller's")
    assert seen.get() == "the caller's"


@pytest.mark.parametrize("kind", [SetsAVariable, SetsAVariableAsync])
async def test_one_handler_alone_sees_a_copy_too(kind):
    handler = kind()
    seen.set("the caller's")
    await AsyncCallbackManager([handler]).on_chain_start({}, {})
    assert handler.saw == "the caller's"
    assert seen.get() == "the caller's"


async def test_what_an_inline_handler_sets_is_seen_by_the_others():
    inline, other = SetsAVariable(), SetsAVariableAsync()
    inline.run_inline = True
    await AsyncCallbackManager([other, inline]).on_chain_start({}, {})
    assert other.saw == "SetsAVariable"


async def test_an_end_is_heard_in_the_callers_context_too():
    class Looks(AsyncCallbackHandler):
        async def on_chain_end(self, *args, **kwargs):
            self.saw = seen.get()

    handler = Looks()
    run = await AsyncCallbackManager([handler]).on_chain_start({}, {})
    seen.set("at the end")
    await run.on_chain_end({})
    assert handler.saw == "at the end"


def test_in_sync_code_a_sync_handler_sets_the_callers_context_variables():
    handler = SetsAVariable()
    CallbackManager([handler]).on_chain_start({}, {})
    assert seen.get() == "SetsAVariable"
    seen.set("nothing")


def test_in_sync_code_an_async_handler_sees_the_callers_context_and_leaves_it_alone():
    handler = SetsAVariableAsync()
    seen.set("the caller's")
    CallbackManager([handler]).on_chain_start({}, {})
    assert handler.saw == "the caller's"
    assert seen.get() == "the caller's"


async def test_inside_a_running_loop_sync_code_gives_async_handlers_its_context():
    handler = SetsAVariableAsync()
    seen.set("the caller's")
    CallbackManager([handler]).on_chain_start({}, {})
    assert handler.saw == "the caller's"
    assert seen.get() == "the caller's"


# --- Handlers that don't derive from ours -----------------------------------------------------


class Duck:
    """No base class, no flags: one method."""

    def __init__(self):
        self.heard = []

    def on_chain_start(self, serialized, inputs, **kwargs):
        self.heard.append(inputs)


def test_a_handler_of_any_class_hears_the_events_it_has_methods_for():
    duck = Duck()
    manager = CallbackManager([duck])
    run = manager.on_chain_start({}, {"a": 1})
    run.on_chain_end({})
    run.on_text("text")
    assert duck.heard == [{"a": 1}]


async def test_a_handler_of_any_class_hears_async_code_too():
    duck = Duck()
    run = await AsyncCallbackManager([duck]).on_chain_start({}, {"a": 1})
    await run.on_chain_end({})
    assert duck.heard == [{"a": 1}]


def test_a_handler_of_any_class_that_has_no_method_for_chat_models_hears_text():
    class Texts:
        def on_llm_start(self, serialized, prompts, **kwargs):
            self.prompts = prompts

    handler = Texts()
    CallbackManager([handler]).on_chat_model_start({}, [[("user", "hi")]])
    assert handler.prompts == ["Human: hi"]


async def test_a_method_that_is_a_partial_of_a_coroutine_function_is_awaited():
    calls = []

    async def hear(label, *args, **kwargs):
        calls.append(label)

    handler = BaseCallbackHandler()
    handler.on_chain_start = functools.partial(hear, "partial")
    await AsyncCallbackManager([handler]).on_chain_start({}, {})
    assert calls == ["partial"]


async def test_a_sync_method_that_returns_a_coroutine_is_awaited():
    finished = []

    class Returns(BaseCallbackHandler):
        def on_chain_start(self, *args, **kwargs):
            return self.later()

        async def later(self):
            finished.append(asyncio.get_running_loop())

    inline, other = Returns(), Returns()
    inline.run_inline = True
    await AsyncCallbackManager([inline, other]).on_chain_start({}, {})
    assert finished == [asyncio.get_running_loop()] * 2


def test_in_sync_code_a_sync_method_that_returns_a_coroutine_is_run_to_its_end():
    finished = []

    class Returns(BaseCallbackHandler):
        def on_chain_start(self, *args, **kwargs):
            return self.later()

        async def later(self):
            await asyncio.sleep(0)
            finished.append(True)

    CallbackManager([Returns()]).on_chain_start({}, {})
    assert finished == [True]


class IsItsOwnResult:
    """Awaiting it for its result, and that for its result, never ends."""

    def __await__(self):
        return self
        yield


@pytest.mark.parametrize("answer", [None, 0, "text", [1], object(), IsItsOwnResult()])
async def test_what_a_handler_returns_is_ignored_otherwise(answer):
    class Answers(BaseCallbackHandler):
        raise_error = True

        def on_chain_start(self, *args, **kwargs):
            return answer

    await AsyncCallbackManager([Answers()]).on_chain_start({}, {})
    CallbackManager([Answers()]).on_chain_start({}, {})


@pytest.mark.parametrize("inline", [True, False])
async def test_what_the_coroutine_of_an_async_method_returns_is_ignored(inline):
    class Answers(AsyncCallbackHandler):
        raise_error = True
        run_inline = inline

        async def on_chain_start(self, *args, **kwargs):
            return IsItsOwnResult()

    handler = Answers()
    await AsyncCallbackManager([handler]).on_chain_start({}, {})


async def test_a_task_that_an_inline_sync_method_returns_does_not_hold_the_host():
    let_go = asyncio.Event()

    class Starts(BaseCallbackHandler):
        run_inline = True

        def on_chain_start(self, *args, **kwargs):
            self.task = asyncio.ensure_future(let_go.wait())
            return self.task

    handler = Starts()
    await asyncio.wait_for(ahappen("on_chain_start", handler), timeout=20)
    assert not handler.task.done()
    let_go.set()
    await handler.task


async def test_a_future_that_an_async_method_returns_does_not_hold_the_host():
    class Starts(AsyncCallbackHandler):
        async def on_chain_start(self, *args, **kwargs):
            return asyncio.get_running_loop().create_future()

    await asyncio.wait_for(ahappen("on_chain_start", Starts()), timeout=20)


# --- Threads ----------------------------------------------------------------------------------


async def test_sync_handlers_need_no_thread_of_the_loops_own_pool():
    loop, heard = asyncio.get_running_loop(), []

    class Hears(BaseCallbackHandler):
        def on_llm_new_token(self, token, **kwargs):
            heard.append((token, threading.current_thread().name))

    loop.set_default_executor(ThreadPoolExecutor(2))
    (run,) = await AsyncCallbackManager([Hears()]).on_llm_start({}, ["prompt"])

    def job():
        telling = asyncio.run_coroutine_threadsafe(run.on_llm_new_token("x"), loop)
        telling.result(timeout=20)

    await asyncio.gather(*[asyncio.to_thread(job) for _ in range(12)])
    assert [token for token, _ in heard] == ["x"] * 12
    assert all(name.startswith("callboard-handler") for _, name in heard)


async def test_sync_handlers_may_wait_for_sync_handlers_however_many():
    loop, depth, reached = asyncio.get_running_loop(), 60, []

    class Nests(BaseCallbackHandler):
        def on_chain_start(self, serialized, inputs, **kwargs):
            reached.append(inputs)
            if inputs < depth:
                inner = AsyncCallbackManager([self]).on_chain_start({}, inputs + 1)
                asyncio.run_coroutine_threadsafe(inner, loop).result(timeout=20)

    await AsyncCallbackManager([Nests()]).on_chain_start({}, 0)
    assert reached == list(range(depth + 1))


async def test_sync_handlers_use_a_thread_again_that_is_idle():
    loops._pool.cache_clear()  # That of other tests may have many threads, which take turns.
    recorder = RecordingHandler(run_inline=False)
    for _ in range(50):
        await AsyncCallbackManager([recorder]).on_chain_start({}, {})
    # A thread says that it's idle a moment after its work is done: a second may be made.
    assert len({heard.thread for heard in recorder.heard}) < 10


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system does not fork")
def test_a_fork_has_threads_of_its_own():
    # In a process of its own: this one may have threads, which don't survive a fork.
    program = """
import asyncio, os, signal, warnings
from callboard.callbacks import AsyncCallbackManager
from callboard.testing import RecordingHandler

warnings.simplefilter("ignore", DeprecationWarning)  # Newer Pythons' for forks with threads.

async def tell():
    await AsyncCallbackManager([RecordingHandler(run_inline=False)]).on_chain_start({}, {})

asyncio.run(tell())
child = os.fork()
if child == 0:
    signal.alarm(20)
    asyncio.run(tell())
    os._exit(0)
_, status = os.waitpid(child, 0)
print(status)
"""
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, check=True, text=True
    )
    assert (done.stdout, done.stderr) == ("0\n", "")


# --- handle_event and ahandle_event -----------------------------------------------------------


class OfItsOwn(BaseCallbackHandler):
    ignore_everything = False

    def __init__(self):
        self.heard = []

    def on_resume(self, *args, **kwargs):
        self.heard.append((args, kwargs))


def test_handle_event_sends_just_what_it_is_given():
    recorder, run_id = RecordingHandler(), uuid4()
    handle_event([recorder], "on_llm_end", "ignore_llm", "response", run_id=run_id)
    (heard,) = recorder.heard
    assert (heard.event, heard.args, heard.kwargs) == (
        "on_llm_end",
        ("response",),
        {"run_id": run_id},
    )


async def test_ahandle_event_sends_just_what_it_is_given():
    recorder, run_id = RecordingHandler(), uuid4()
    await ahandle_event([recorder], "on_llm_end", "ignore_llm", "response", run_id=run_id)
    (heard,) = recorder.heard
    assert (heard.event, heard.args, heard.kwargs) == (
        "on_llm_end",
        ("response",),
        {"run_id": run_id},
    )


async def test_an_applications_own_event_reaches_the_handlers_that_have_its_method():
    with_it, without = OfItsOwn(), RecordingHandler()
    handle_event([without, with_it], "on_resume", "ignore_everything", 1, a=2)
    await ahandle_event([without, with_it], "on_resume", "ignore_everything", 3, b=4)
    assert with_it.heard == [((1,), {"a": 2}), ((3,), {"b": 4})]
    assert without.heard == []


async def test_an_applications_own_flag_silences_its_own_event():
    handler = OfItsOwn()
    handler.ignore_everything = True
    handle_event([handler], "on_resume", "ignore_everything", 1)
    await ahandle_event([handler], "on_resume", "ignore_everything", 1)
    assert handler.heard == []


def test_a_known_event_may_be_sent_under_another_flag():
    recorder = RecordingHandler()
    recorder.ignore_llm = True
    handle_event([recorder], "on_llm_end", None, "heard")
    handle_event([recorder], "on_llm_end", "ignore_llm", "not heard")
    assert [heard.args for heard in recorder.heard] == [("heard",)]


async def test_without_handlers_any_event_may_be_sent():
    handle_event([], "on_whatever", None)
    await ahandle_event([], "on_whatever", None)
