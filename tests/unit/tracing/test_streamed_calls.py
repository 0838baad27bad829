"""Calls run for the sake of their events: whatever happens to either side, nothing is left."""

import asyncio
import gc
import json
import threading
from contextlib import aclosing

import pytest

from callboard.callbacks import (
    AsyncCallbackManager,
    CallbackManager,
    adispatch_custom_event,
    atrace_as_chain_group,
)
from callboard.errors import BadCallError, BadOptionError
from callboard.payloads import AIMessage
from callboard.tracers.event_stream import as_sse, stream_events
from tests.unit.tracing.keeping import CHAT_ANSWER


async def answer(question, callbacks=None):
    manager = AsyncCallbackManager.configure(callbacks)
    run = await manager.on_chain_start({"name": "answer"}, {"question": question})
    [model] = await run.get_child().on_chat_model_start({"name": "model"}, [[question]])
    for token in ("Good ", "morning"):
        await model.on_llm_new_token(token)
        await asyncio.sleep(0)
    await model.on_llm_end(CHAT_ANSWER)
    await run.on_chain_end({"answer": "Good morning"})


EVENTS = [
    "on_chain_start",
    "on_chat_model_start",
    "on_chat_model_stream",
    "on_chat_model_stream",
    "on_chat_model_end",
    "on_chain_end",
]


async def names_of(events):
    return [event["event"] async for event in events]


async def test_a_call_is_heard_without_passing_anything_on():
    assert await names_of(stream_events(answer("hi"))) == EVENTS


async def test_a_function_is_given_a_handler_to_pass_on_and_is_heard_once():
    assert await names_of(stream_events(lambda handler: answer("hi", [handler]))) == EVENTS


async def test_an_async_iterator_is_exhausted():
    async def pieces():
        await answer("hi")
        yield 1
        await answer("again")
        yield 2

    assert await names_of(stream_events(pieces())) == EVENTS * 2
    assert await names_of(stream_events(lambda _: pieces())) == EVENTS * 2


async def test_sync_code_in_a_thread_is_heard_in_order():
    def work():
        run = CallbackManager.configure().on_chain_start({}, {})
        [model] = run.get_child().on_llm_start({}, ["hi"])
        for number in range(200):
            model.on_llm_new_token(str(number))
        run.on_chain_end({})

    events = [event async for event in stream_events(asyncio.to_thread(work))]
    tokens = [event["data"]["chunk"] for event in events if event["event"] == "on_llm_stream"]
    assert tokens == [str(number) for number in range(200)]
    assert events[-1]["event"] == "on_chain_end"


async def test_events_come_while_the_call_runs():
    goes_on = asyncio.Event()

    async def call():
        async with atrace_as_chain_group("group"):
            await goes_on.wait()

    async with aclosing(stream_events(call())) as events:
        assert (await anext(events))["event"] == "on_chain_start"
        goes_on.set()
        assert (await anext(events))["event"] == "on_chain_end"


async def test_what_the_call_raises_comes_after_its_events():
    async def call():
        async with atrace_as_chain_group("group"):
            raise ValueError("no")

    events = stream_events(call())
    seen = [(await anext(events))["event"] for _ in range(2)]
    assert seen == ["on_chain_start", "on_chain_error"]
    with pytest.raises(ValueError, match="no"):
        await anext(events)


@pytest.fixture
def waiting():
    """A call that waits for ever, and what became of it."""

    class Waiting:
        ended = "not"

        async def __call__(self):
            try:
                async with atrace_as_chain_group("group"):
                    await asyncio.sleep(1000)
            except asyncio.CancelledError:
                await asyncio.sleep(0)
                self.ended = "cancelled"
                raise

    return Waiting()


def others():
    return asyncio.all_tasks() - {asyncio.current_task()}


async def test_one_who_stops_early_ends_the_call(waiting):
    async with aclosing(stream_events(waiting())) as events:
        async for _ in events:
            break
    assert waiting.ended == "cancelled"
    assert not others()


async def test_one_who_stops_early_without_closing_ends_the_call_too(waiting):
    async for _ in stream_events(waiting()):
        break
    gc.collect()
    for _ in range(10):
        await asyncio.sleep(0)
    assert waiting.ended == "cancelled"
    assert not others()


async def test_one_who_is_cancelled_ends_the_call(waiting):
    reading = asyncio.create_task(names_of(stream_events(waiting())))
    await asyncio.sleep(0.01)
    reading.cancel()
    with pytest.raises(asyncio.CancelledError):
        await reading
    for _ in range(10):
        await asyncio.sleep(0)
    assert waiting.ended == "cancelled"
    assert not others()


async def test_a_call_that_fails_while_it_is_cancelled_is_logged(caplog):
    async def call():
        try:
            async with atrace_as_chain_group("group"):
                await asyncio.sleep(1000)
        finally:
            raise ValueError("while cleaning up")

    async with aclosing(stream_events(call())) as events:
        await anext(events)
    assert "while cleaning up" in caplog.text
    assert "no longer read" in caplog.text


async def test_a_call_that_cancels_itself_does_not_leave_its_reader_waiting():
    async def call():
        asyncio.current_task().cancel()
        await asyncio.sleep(0)

    with pytest.raises(asyncio.CancelledError):
        await names_of(stream_events(call()))


async def test_what_outlives_the_call_is_not_waited_for():
    left, goes_on = [], asyncio.Event()

    async def later():
        await goes_on.wait()
        await answer("later")

    async def call():
        left.append(asyncio.create_task(later()))

    assert await names_of(stream_events(call())) == []
    goes_on.set()
    await asyncio.gather(*left)


async def test_streams_inside_each_other_both_hear():
    inner = []

    async def call():
        async with atrace_as_chain_group("outer"):
            inner.extend(await names_of(stream_events(answer("hi"))))

    outer = await names_of(stream_events(call()))
    assert inner == EVENTS
    assert outer == ["on_chain_start", *EVENTS, "on_chain_end"]


async def test_concurrent_calls_hear_themselves_alone():
    streams = [stream_events(answer(f"question {n}")) for n in range(20)]
    for number, events in enumerate(
        await asyncio.gather(*(asyncio.create_task(_all(each)) for each in streams))
    ):
        assert [event["event"] for event in events] == EVENTS
        assert events[0]["data"] == {"input": {"question": f"question {number}"}}


async def _all(events):
    return [event async for event in events]


async def test_custom_events_are_told():
    async def call():
        async with atrace_as_chain_group("group"):
            await adispatch_custom_event("progress", {"done": 1})

    events = await _all(stream_events(call()))
    assert (events[1]["event"], events[1]["name"]) == ("on_custom_event", "progress")


async def test_mistakes_are_told():
    with pytest.raises(BadOptionError):
        stream_events(None, include_types="tool")
    for wrong, given in ((3, "got 3"), (lambda _: 3, "a function that returned 3")):
        with pytest.raises(BadCallError, match=given):
            await anext(stream_events(wrong))


def test_a_call_that_is_never_asked_for_is_never_made():
    asked = threading.Event()
    del_me = stream_events(lambda _: asked.set())
    del del_me
    gc.collect()
    assert not asked.is_set()


async def test_filters_and_bounds_are_the_streams():
    events = await names_of(stream_events(answer("hi"), include_types=["chat_model"]))
    assert events == EVENTS[1:-1]
    events = await _all(stream_events(answer("hi"), max_pending=1))
    assert (
        "".join(
            event["data"]["chunk"] for event in events if event["event"] == "on_chat_model_stream"
        )
        == "Good morning"
    )


def parsed(messages):
    """Read server-sent events as a browser does: the name and the data of each."""
    for message in messages:
        assert message.endswith("\n\n")
        lines = dict(line.split(": ", 1) for line in message.strip().split("\n"))
        yield lines.get("event"), json.loads(lines["data"]) if "data" in lines else None


async def test_server_sent_events_are_named_and_carry_the_event_as_json():
    messages = list(parsed([text async for text in as_sse(stream_events(answer("hi\n\nhé")))]))
    assert [name for name, _ in messages] == [*EVENTS, "done"]
    assert messages[0][1]["data"] == {"input": {"question": "hi\n\nhé"}}
    assert messages[2][1]["data"] == {"chunk": "Good "}
    assert messages[4][1]["data"]["output"]["content"] == AIMessage("hello").content


async def test_server_sent_events_tell_a_failure_without_its_text():
    async def call():
        async with atrace_as_chain_group("group"):
            raise ValueError("the password is 1234")

    messages = as_sse(stream_events(call(), exclude_types=["chain"]))
    assert await anext(messages) == 'event: failed\ndata: {"error":"ValueError"}\n\n'
    with pytest.raises(ValueError, match="1234"):
        await anext(messages)


async def test_server_sent_events_keep_a_silent_connection_alive(waiting):
    async with aclosing(as_sse(stream_events(waiting()), keep_alive=0.005)) as messages:
        assert "on_chain_start" in await anext(messages)
        assert await anext(messages) == ": keep-alive\n\n"
        assert await anext(messages) == ": keep-alive\n\n"
    assert waiting.ended == "cancelled"
    assert not others()


async def test_a_web_server_that_goes_away_ends_the_call(waiting):
    async def respond():
        async for _ in as_sse(stream_events(waiting())):
            pass

    responding = asyncio.create_task(respond())
    await asyncio.sleep(0.01)
    responding.cancel()
    with pytest.raises(asyncio.CancelledError):
        await responding
    for _ in range(20):
        await asyncio.sleep(0)
    assert waiting.ended == "cancelled"
    assert not others()


async def test_a_web_server_that_is_cancelled_at_each_await_ends_the_call_all_the_same(waiting):
    async def respond():
        async for _ in as_sse(stream_events(waiting())):
            pass

    responding = asyncio.create_task(respond())
    await asyncio.sleep(0.01)
    while not responding.done():  # As anyio does.
        responding.cancel()
        await asyncio.sleep(0)
    with pytest.raises(asyncio.CancelledError):
        await responding
    for _ in range(20):
        await asyncio.sleep(0)
    assert waiting.ended == "cancelled"
    assert not others()


async def test_a_name_with_line_breaks_makes_no_messages_of_its_own():
    async def events():
        yield {"event": "on_x\n\nevent: forged\rdata: {}", "data": {}}

    assert [name for name, _ in parsed([text async for text in as_sse(events())])] == [
        "on_x event: forged data: {}",
        "done",
    ]
