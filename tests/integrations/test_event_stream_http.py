"""Server-sent events over a real connection: what a browser reads, and what its leaving ends."""

import asyncio
import json
from contextlib import aclosing, suppress

import pytest

from callboard.callbacks import AsyncCallbackManager, atrace_as_chain_group
from callboard.payloads import Generation, LLMResult
from callboard.tracers.event_stream import as_sse, stream_events


async def answer(tokens):
    [model] = await AsyncCallbackManager.configure().on_llm_start({"name": "model"}, ["hi"])
    for number in range(tokens):
        await model.on_llm_new_token(f"{number} ")
        await asyncio.sleep(0)
    await model.on_llm_end(LLMResult([[Generation("done")]]))


@pytest.fixture
async def server():
    """Serve calls: ``/TOKENS`` streams so many tokens, ``/wait`` waits for ever."""
    served: asyncio.Queue[str] = asyncio.Queue()

    async def call(path):
        try:
            async with atrace_as_chain_group("request"):
                await (asyncio.Event().wait() if path == "/wait" else answer(int(path[1:])))
        except asyncio.CancelledError:
            served.put_nowait(f"{path} was cancelled")
            raise

    async def respond(reader, writer):
        path = (await reader.readuntil(b"\r\n\r\n")).split()[1].decode()
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n")
        events = stream_events(call(path), max_pending=50)
        with suppress(ConnectionError):
            async with aclosing(as_sse(events, keep_alive=0.01)) as messages:
                async for text in messages:
                    writer.write(text.encode())
                    await writer.drain()
        writer.close()
        served.put_nowait(f"{path} is over")

    async with await asyncio.start_server(respond, "127.0.0.1", 0) as listening:
        yield listening.sockets[0].getsockname(), served


async def request(address, path):
    reader, writer = await asyncio.open_connection(*address)
    writer.write(f"GET {path} HTTP/1.1\r\nHost: here\r\n\r\n".encode())
    await reader.readuntil(b"\r\n\r\n")
    return reader, writer


async def test_everything_that_is_told_arrives(server):
    reader, writer = await request(server[0], "/500")
    messages = (await reader.read()).decode().split("\n\n")
    writer.close()
    told = [message.split("\n") for message in messages if message.startswith("event: ")]
    names = [name.removeprefix("event: ") for name, _ in told]
    assert names[0] == "on_chain_start"
    assert names[-2:] == ["on_chain_end", "done"]
    events = [json.loads(data.removeprefix("data: ")) for _, data in told]
    chunks = [event["data"]["chunk"] for event in events if event.get("event") == "on_llm_stream"]
    assert "".join(chunks) == "".join(f"{number} " for number in range(500))


async def test_a_browser_that_goes_away_ends_its_call(server):
    address, served = server
    reader, writer = await request(address, "/wait")
    assert await reader.readline() == b"event: on_chain_start\n"
    writer.transport.abort()
    async with asyncio.timeout(20):
        assert await served.get() == "/wait was cancelled"
        assert await served.get() == "/wait is over"
