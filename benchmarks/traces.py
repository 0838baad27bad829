"""Traces as applications make them: the same content for every server that is measured.

Ten runs a trace: an agent, its steps, and the models, tools and retrievers in them. Each run is
given about 2 kB and returns about 1 kB, of words that are as rare as in natural text, in the
forms that models, tools and chains have them. Nothing is drawn by chance that a seed does not fix.
"""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from callboard.tracing.dotted_order import segment, under

__all__ = ["RUNS_PER_TRACE", "Made", "big_trace", "made_runs"]

RUNS_PER_TRACE = 10
INPUT_BYTES, OUTPUT_BYTES = 2_000, 1_000

# Where each run of a trace is (the index of the one it is in), what it is, and its name.
_SHAPE = (
    (None, "chain", "agent"),
    (0, "chain", "plan"),
    (1, "llm", "ChatModel"),
    (0, "chain", "gather"),
    (3, "retriever", "search_docs"),
    (3, "tool", "look_up_order"),
    (3, "tool", "web_search"),
    (0, "chain", "write"),
    (7, "llm", "ChatModel"),
    (7, "parser", "StrOutputParser"),
)
_WORDS = 30_000
_SYSTEM_PROMPTS = 20
_RUNTIME = {
    "sdk": "langsmith-py",
    "sdk_version": "0.15.0",
    "library": "langsmith",
    "platform": "Linux-6.1.0-x86_64-with-glibc2.36",
    "runtime": "python",
    "py_implementation": "CPython",
    "runtime_version": "3.11.7",
    "langchain_version": None,
    "langchain_core_version": "1.7.2",
}


@dataclass(slots=True)
class Made:
    """One run.

    Attributes:
        id: Its id.
        trace_id: The trace it is in.
        parent_id: The run it is in, if any.
        dotted_order: Its place.
        name: What ran.
        run_type: What kind of thing.
        start: When it started.
        end: When it ended.
        inputs: What it was given, as JSON.
        outputs: What it returned, as JSON; empty if it failed.
        error: Why it failed, if it did.
        tags: Its tags.
        metadata: Its metadata.
        usage: The tokens it used, if it is a model.
    """

    id: UUID
    trace_id: UUID
    parent_id: UUID | None
    dotted_order: str
    name: str
    run_type: str
    start: datetime
    end: datetime
    inputs: bytes
    outputs: bytes
    error: str | None
    tags: list[str]
    metadata: dict[str, Any]
    usage: dict[str, int] | None

    @property
    def extra(self) -> bytes:
        """What clients send along, as JSON."""
        metadata = self.metadata
        if self.usage is not None:
            metadata = {**metadata, "usage_metadata": self.usage}
        return json.dumps({"metadata": metadata, "runtime": _RUNTIME}).encode()


class _Writer:
    """Writes text of a given length."""

    def __init__(self, dice: random.Random) -> None:
        self._dice = dice
        letters = "etaoinshrdlcumwfgypbvk"
        self._words = ["".join(dice.choices(letters, k=dice.randint(2, 10))) for _ in range(_WORDS)]
        weights = [1 / rank for rank in range(1, _WORDS + 1)]
        # Drawn once, for that is slow; text is cut from it anywhere.
        self._text = " ".join(dice.choices(self._words, weights, k=200_000))
        self._systems = [self.text(600) for _ in range(_SYSTEM_PROMPTS)]

    def text(self, size: int) -> str:
        start = self._dice.randrange(len(self._text) - size)
        return self._text[start : start + size]

    def inputs(self, run_type: str) -> Any:
        if run_type == "llm":
            system, size = self._dice.choice(self._systems), INPUT_BYTES - 800
            return {"messages": [[_message("system", system), _message("human", self.text(size))]]}
        if run_type in ("tool", "retriever"):
            return {"input": self.text(INPUT_BYTES - 20)}
        return {"question": self.text(200), "history": [self.text(INPUT_BYTES // 2 - 130)] * 2}

    def outputs(self, run_type: str, usage: dict[str, int] | None) -> Any:
        if run_type == "llm":
            message = _message("ai", self.text(OUTPUT_BYTES - 250))
            message["kwargs"]["usage_metadata"] = usage
            return {"generations": [[{"text": "", "message": message}]], "llm_output": None}
        return {"output": self.text(OUTPUT_BYTES - 20)}


def _message(role: str, content: str) -> dict[str, Any]:
    path = ["langchain", "schema", "messages", f"{role.title()}Message"]
    return {"lc": 1, "type": "constructor", "id": path, "kwargs": {"content": content}}


def made_runs(
    count: int, *, seed: int = 1, until: datetime | None = None, every: float = 0.9
) -> Iterator[list[Made]]:
    """Yield traces, the oldest first.

    Args:
        count: How many runs at the least.
        seed: The same gives the same content.
        until: When the last trace starts; now if None.
        every: How many seconds lie between the starts of two traces.
    """
    dice = random.Random(seed)
    writer = _Writer(dice)
    traces = -(-count // RUNS_PER_TRACE)
    first = (until or datetime.now(UTC)) - timedelta(seconds=every * traces)
    for number in range(traces):
        yield _trace(dice, writer, first + timedelta(seconds=every * number), number)


def big_trace(count: int, start: datetime, *, seed: int = 2) -> list[Made]:
    """Return one trace of many runs: a long one's agent that goes on and on.

    Args:
        count: How many runs.
        start: When it starts.
        seed: The same gives the same content.
    """
    dice = random.Random(seed)
    return _trace(dice, _Writer(dice), start, 0, rounds=-(-count // RUNS_PER_TRACE))


def _trace(
    dice: random.Random, writer: _Writer, start: datetime, number: int, rounds: int = 1
) -> list[Made]:
    made: list[Made] = []
    environment = dice.choices(["prod", "staging", "dev"], [8, 3, 1])[0]
    metadata = {
        "env": environment,
        "user_id": f"user-{dice.randrange(5_000)}",
        "thread_id": f"thread-{number // 3}",
        "revision_id": "633082c",
    }
    tags = [environment, *(["beta"] if dice.random() < 0.05 else [])]
    fails = dice.random() < 0.02
    seconds = dice.lognormvariate(0.5, 0.8)
    for index, (above, run_type, name) in enumerate(_SHAPE * rounds):
        run_id = UUID(int=dice.getrandbits(128), version=4)
        begun = start + timedelta(milliseconds=index)
        # A round is inside the first run of the trace, and what is in it inside the round.
        first = index - index % RUNS_PER_TRACE
        parent = made[first + above] if above is not None else made[0] if made else None
        order = segment(begun, run_id)
        if parent is not None:
            order = under(parent.dotted_order, begun, run_id)
        usage = _usage(dice) if run_type == "llm" else None
        has_failed = fails and index in (0, 7, 8)
        told = metadata
        if run_type == "llm":
            told = {**metadata, "ls_provider": "openai", "ls_model_name": "gpt-4.1-mini"}
        made.append(
            Made(
                run_id,
                made[0].id if made else run_id,
                None if parent is None else parent.id,
                order,
                name,
                run_type,
                begun,
                begun + timedelta(seconds=seconds / (1 if above is None else index + 1)),
                json.dumps(writer.inputs(run_type)).encode(),
                b"" if has_failed else json.dumps(writer.outputs(run_type, usage)).encode(),
                "RateLimitError('try again later')" if has_failed else None,
                tags,
                {**told, "step": index} if run_type == "tool" else told,
                usage,
            )
        )
    return made


def _usage(dice: random.Random) -> dict[str, int]:
    given, returned = dice.randint(200, 3_000), dice.randint(20, 600)
    return {"input_tokens": given, "output_tokens": returned, "total_tokens": given + returned}
