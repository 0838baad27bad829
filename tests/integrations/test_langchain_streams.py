"""Streams of real runnables, in processes of their own: ours tell what the original's do."""

from __future__ import annotations

import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

PROGRAM = Path(__file__).parent / "langchain_programs" / "streams.py"


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-W", "error", *arguments],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "LANGSMITH_TRACING": "false", "PYTHONHASHSEED": "0"},
    )


def test_events_and_logs_of_runnables_are_those_of_the_original():
    with ThreadPoolExecutor() as at_once:
        runs = [at_once.submit(run, str(PROGRAM), *place) for place in ((), ("callboard",))]
        original, installed = (each.result() for each in runs)
    assert original.returncode == 0, original.stderr
    assert installed.returncode == 0, installed.stderr
    assert installed.stdout.splitlines() == original.stdout.splitlines()
    for event in ("on_chat_model_stream", "on_tool_error", "on_retriever_end", "on_custom_event"):
        assert event in original.stdout


def test_our_events_of_a_runnable_need_nothing_installed_in_its_place():
    ran = run(
        "-c",
        """
import asyncio
from langchain_core.language_models import GenericFakeChatModel
from langchain_core.messages import AIMessage
from langchain_core.runnables import RunnableLambda
from callboard.tracers.event_stream import as_sse, stream_events

def chain():
    answers = iter([AIMessage("one two")])
    return GenericFakeChatModel(messages=answers) | RunnableLambda(lambda message: message.content)

async def main():
    call = stream_events(lambda handler: chain().ainvoke("hi", {"callbacks": [handler]}))
    events = [event async for event in call]
    print(*(event["event"] for event in events))
    print([e["data"]["chunk"].content for e in events if e["event"] == "on_chat_model_stream"])
    call = stream_events(lambda handler: chain().astream("hi", {"callbacks": [handler]}))
    text = "".join([message async for message in as_sse(call)])
    assert '"content":"one"' in text and text.endswith("event: done\\ndata: {}\\n\\n"), text

asyncio.run(main())
""",
    )
    assert ran.returncode == 0, ran.stderr
    names, chunks = ran.stdout.splitlines()
    assert names.split() == [
        "on_chain_start",
        "on_chat_model_start",
        *["on_chat_model_stream"] * 3,
        "on_chat_model_end",
        "on_chain_start",
        "on_chain_end",
        "on_chain_end",
    ]
    assert chunks == "['one', ' ', 'two']"
