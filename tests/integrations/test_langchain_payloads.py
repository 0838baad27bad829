"""What Callboard's tracer sends of LangChain's programs reads like what LangChain's own sends.

Each program of a table is traced in three ways, in processes of their own, and what arrives is
compared as JSON: heads and every part of every run, apart from ids and times, and from what is
meant to differ (docs/differences.md).
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections import defaultdict
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from callboard.wire import json
from callboard.wire.operations import Operation
from tests.integrations.traces import runs_in
from tests.unit.wire.langsmith_server import receiving

PROGRAM = Path(__file__).parent / "langchain_programs" / "told.py"
HOW = ("original", "handler", "installed")


class Told(NamedTuple):
    """What has arrived of a run: its head and parts, without what is different each time."""

    head: dict[str, Any]
    parts: dict[str, Any]


@pytest.fixture(scope="module")
def traced() -> dict[str, dict[str, Told]]:
    """Return the runs that each way of tracing tells of, by their paths from the root."""
    with ThreadPoolExecutor() as threads:
        return dict(zip(HOW, threads.map(run, HOW), strict=True))


def run(how: str) -> dict[str, Told]:
    with receiving(zstd=True) as (url, requests):
        done = subprocess.run(
            [sys.executable, "-W", "error", str(PROGRAM), how],
            capture_output=True,
            text=True,
            check=False,
            env={
                **os.environ,
                "CALLBOARD_SPOOL_DIR": "",
                "LANGSMITH_API_KEY": "the key",
                "LANGSMITH_ENDPOINT": url,
                "LANGSMITH_PROJECT": "mine",
                "LANGSMITH_REVISION_ID": "abc",
                "LANGSMITH_TRACING": "false" if how == "handler" else "true",
            },
        )
        assert done.returncode == 0, done.stderr
        return by_path(list(runs_in(list(requests)).values()))


def by_path(runs: list[Operation]) -> dict[str, Told]:
    inside: dict[str | None, list[Operation]] = defaultdict(list)
    for each in sorted(runs, key=lambda each: each.head["dotted_order"]):
        inside[each.head.get("parent_run_id")].append(each)
    told: dict[str, Told] = {}

    def walk(parent: str | None, above: str) -> None:
        for number, each in enumerate(inside[parent]):
            path = f"{above}/{number} {each.head['name']}"
            told[path] = Told(head_of(each), parts_of(each))
            walk(str(each.run_id), path)

    walk(None, "")
    return told


# Ids, times and places.
_EACH_TIME = {"id", "trace_id", "parent_run_id", "dotted_order", "start_time", "end_time"}
_ID = re.compile(r"0x[0-9a-f]{6,}|\d{8}T\d{12}Z|[0-9a-f]{8}(?:-?[0-9a-f]{4}){3}-?[0-9a-f]{12}")


def head_of(run: Operation) -> dict[str, Any]:
    told = {name: value for name, value in run.head.items() if name not in _EACH_TIME}
    return alike(told)


def parts_of(run: Operation) -> dict[str, Any]:
    parts = {name: json.decode(part) for name, part in run.parts.items()}
    for event in parts["events"]:
        del event["time"]
    extra = parts["extra"]
    runtime = extra.pop("runtime")
    assert {"sdk", "sdk_version", "library", "platform", "runtime_version"} <= {*runtime}
    for name in ("LANGSMITH_ENDPOINT", "LANGSMITH_TRACING"):  # Each has a server of its own.
        del extra["metadata"][name]
    return alike(parts)


def alike(value: Any) -> Any:
    """Return a value without ids; null is the same as absent, and one time is one text."""
    if isinstance(value, dict):
        return {_id(name): alike(each) for name, each in value.items() if each is not None}
    if isinstance(value, list):
        return [alike(each) for each in value]
    return _id(_time(value)) if isinstance(value, str) else value


def _id(text: str) -> str:
    return _ID.sub("...", text)


def _time(text: str) -> str:
    try:
        return datetime.fromisoformat(text).isoformat() if "T" in text else text
    except ValueError:
        return text


def differences(one: Any, other: Any, path: str = "") -> list[str]:
    if isinstance(one, dict) and isinstance(other, dict):
        names = [*one, *(name for name in other if name not in one)]
        return [
            line
            for name in names
            for line in differences(one.get(name), other.get(name), f"{path}.{name}")
        ]
    if isinstance(one, list) and isinstance(other, list) and len(one) == len(other):
        pairs = enumerate(zip(one, other, strict=True))
        return [line for n, (a, b) in pairs for line in differences(a, b, f"{path}[{n}]")]
    return [] if one == other else [f"{path}: {other!r} instead of {one!r}"]


_OF_SOME_MESSAGES = (
    "tool_calls|invalid_tool_calls|usage_metadata|tool_call_id|artifact|status"  # And no others.
)
# What is meant to differ, each with what is seen instead.
MEANT = [
    re.compile(pattern)
    for pattern in (
        # A prompt's messages are sent whole.
        rf"\.messages\[\d\]\.({_OF_SOME_MESSAGES}): .* instead of None$",
        # Bytes are base64 in models too.
        r"\.photo: 'YWJj' instead of 'abc'$",
        # What is no object of LangChain's has no serialised form, and says what it is.
        r"\.at: .* instead of {'lc': 1, 'type': 'not_implemented'",
        # LangChain tells its own tracers alone.
        r"\.metadata\.some: None instead of 'thing'$",
    )
]


@pytest.mark.parametrize("how", ["handler", "installed"])
def test_all_that_is_told_reads_like_the_originals(traced, how):
    original, ours = traced["original"], traced[how]
    assert ours.keys() == original.keys()
    assert len(ours) > 100
    seen = [
        f"{path}{line}"
        for path in original
        for line in differences(original[path]._asdict(), ours[path]._asdict())
        if not any(meant.search(line) for meant in MEANT)
    ]
    assert not seen, "\n".join(seen[:20])


def named(runs: dict[str, Told], *names: str) -> Told:
    """Return the first run that has these names, from the root on."""
    wanted = "/".join(rf"\d+ {re.escape(name)}" for name in names)
    return next(told for path, told in runs.items() if re.fullmatch(f"/{wanted}", path))


@pytest.mark.parametrize("how", HOW)
def test_readers_find_messages_and_documents_by_their_plain_fields(traced, how):
    runs = traced[how]
    last = named(runs, "an agent").parts["outputs"]["messages"][-1]
    assert (last["type"], last["content"]) == ("ai", "so")
    asked = named(runs, "an agent").parts["outputs"]["messages"][1]
    assert asked["tool_calls"][0]["args"] == {"number": 21}
    assert asked["usage_metadata"]["input_token_details"] == {"cache_read": 2}
    found = named(runs, "a retriever", "Shelf").parts["outputs"]["documents"]
    assert [each["page_content"] for each in found] == ["rain in Oslo", "sun in Rome"]
    answer = named(runs, "a tool's message", "look_up").parts["outputs"]["output"]
    assert (answer["content"], answer["tool_call_id"], answer["status"]) == ("HATS", "c", "success")


@pytest.mark.parametrize("how", HOW)
def test_what_a_model_is_given_and_answers_is_in_langchains_form(traced, how):
    parts = named(traced[how], "a chat model", "Answering").parts
    assert parts["inputs"]["messages"][0][1]["kwargs"]["name"] == "Ada"
    ((answer,),) = parts["outputs"]["generations"]
    assert answer["message"]["id"][-1] == "AIMessage"
    assert (answer["type"], answer["generation_info"]["finish_reason"]) == (
        "ChatGeneration",
        "stop",
    )
    assert parts["serialized"]["id"][-1] == "Answering"
    assert parts["extra"]["metadata"]["usage_metadata"]["total_tokens"] == 7


@pytest.mark.parametrize("how", ["handler", "installed"])
def test_a_prompts_messages_are_sent_whole(traced, how):
    messages = named(traced[how], "a prompt").parts["outputs"]["output"]["messages"]
    assert messages[3]["tool_calls"][0]["name"] == "double"
    assert messages[4]["tool_call_id"] == "call-1"
