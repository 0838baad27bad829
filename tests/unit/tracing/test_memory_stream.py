"""Memory streams: items from anywhere, in order, to one reader; and what an end of them means."""

import asyncio
import threading

import pytest

from callboard.errors import StreamInUseError
from callboard.tracing.memory_stream import MemoryStream


async def test_items_of_several_threads_come_each_threads_in_order():
    stream = MemoryStream()
    sender = stream.get_send_stream()

    def write(name):
        for number in range(500):
            assert sender.send_nowait((name, number))

    def write_all():
        threads = [threading.Thread(target=write, args=(name,)) for name in "abc"]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        sender.close()

    writing = asyncio.create_task(asyncio.to_thread(write_all))
    items = [item async for item in stream.get_receive_stream()]
    await writing
    for name in "abc":
        assert [number for who, number in items if who == name] == list(range(500))


async def test_a_reader_that_waits_is_woken_by_another_loop():
    stream = MemoryStream()

    async def write():
        await asyncio.sleep(0.01)
        await stream.get_send_stream().send("late")
        await stream.get_send_stream().aclose()

    writing = asyncio.create_task(asyncio.to_thread(lambda: asyncio.run(write())))
    assert [item async for item in stream.get_receive_stream()] == ["late"]
    await writing


def test_a_stream_made_by_another_loop_is_read_where_its_reader_is():
    elsewhere = asyncio.new_event_loop()
    stream = MemoryStream(elsewhere)
    elsewhere.close()
    stream.get_send_stream().send_nowait("made before the reader's loop")
    stream.get_send_stream().close()

    async def read():
        return [item async for item in stream.get_receive_stream()]

    assert asyncio.run(read()) == ["made before the reader's loop"]


async def test_what_was_sent_before_the_end_is_read_and_nothing_after_it():
    stream = MemoryStream()
    sender = stream.get_send_stream()
    assert sender.send_nowait(1)
    sender.close()
    assert not sender.send_nowait(2)
    assert [item async for item in stream.get_receive_stream()] == [1]


async def test_reading_can_stop_and_go_on():
    stream = MemoryStream()
    for number in range(3):
        stream.put(number)
    stream.close()
    async for first in stream.get_receive_stream():
        assert first == 0
        break
    assert [item async for item in stream.get_receive_stream()] == [1, 2]


async def test_a_reader_that_is_cancelled_loses_nothing():
    stream = MemoryStream()
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(anext(stream.get_receive_stream()), 0.001)
    stream.put("still there")
    assert await anext(stream.get_receive_stream()) == "still there"


async def test_two_readers_at_once_are_refused():
    stream = MemoryStream()
    reading = asyncio.create_task(anext(stream.get_receive_stream()))
    await asyncio.sleep(0)
    with pytest.raises(StreamInUseError, match="another task"):
        await anext(stream.get_receive_stream())
    stream.put("for the first")
    assert await reading == "for the first"


async def test_when_the_reader_has_gone_nothing_is_held():
    stream = MemoryStream()
    stream.put("unread")
    stream.get_receive_stream().close()
    assert not stream.put("unwanted")
    assert stream.pending == 0


def test_writing_to_a_reader_whose_loop_is_closed_does_not_fail():
    stream = MemoryStream()
    loop = asyncio.new_event_loop()
    reading = loop.create_task(anext(stream.get_receive_stream()))
    loop.run_until_complete(asyncio.sleep(0))
    loop.close()
    stream.put("from here")
    thread = threading.Thread(target=stream.put, args=("from a thread",))
    thread.start()
    thread.join()
    stream.close()
    reading._log_destroy_pending = False  # Left behind on purpose.
    assert stream.pending == 2
