"""Made-up runs for the benchmarks of stores: the same ones every time.

Traces of 1 to 10,000 runs, mostly of about ten; inputs of some 2.4 KB and outputs of 1.2 KB of
random words, which compress worse than real prompts; system prompts that come again; metadata like
LangChain's; creates and updates as they come in, a few the wrong way round.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from uuid import UUID

from callboard.tracing.dotted_order import segment
from callboard.wire import json
from callboard.wire.heads import checked
from callboard.wire.operations import Kind, Operation

_START = datetime(2026, 11, 1, tzinfo=UTC)
_PER_DAY = 100_000
_TYPES = ("chain", "llm", "chain", "tool", "llm", "retriever", "parser", "llm")
_NAMES = (
    "RunnableSequence",
    "ChatOpenAI",
    "agent",
    "search",
    "ChatAnthropic",
    "docs",
    "parse",
    "o3",
)


class Traces:
    """Makes traces, one after the other."""

    def __init__(self, seed: int = 1) -> None:
        self._random = random.Random(seed)
        make = self._random
        self._words = [
            "".join(make.choices("etaoinshrdlu", k=make.randint(2, 9))) for _ in range(30_000)
        ]
        self._weights = [1 / (rank + 1) for rank in range(len(self._words))]
        self._texts = [self._text(2_000) for _ in range(400)]
        self._systems = [self._text(800) for _ in range(20)]
        self.made = 0

    def operations(self, runs: int) -> Iterator[Operation]:
        """Yield the operations of at least so many runs."""
        while self.made < runs:
            yield from self._shuffled(list(self._trace()))

    def _shuffled(self, operations: list[Operation]) -> list[Operation]:
        for at in range(len(operations) - 1):
            if self._random.random() < 0.02:
                operations[at], operations[at + 1] = operations[at + 1], operations[at]
        return operations

    def _size(self) -> int:
        chance = self._random.random()
        if chance < 0.00005:
            return 10_000
        if chance < 0.0005:
            return 1_000
        return 1 if chance < 0.2 else self._random.randint(4, 16)

    def _trace(self) -> Iterator[Operation]:
        at = _START + timedelta(days=1) * (self.made / _PER_DAY)
        size = self._size()
        project = f"project-{min(self._random.randrange(25), 9)}"
        user = f"user-{self._random.randrange(2_000)}"
        thread = f"thread-{self._random.randrange(20_000)}"
        orders: list[str] = []
        ends: list[tuple[datetime, Operation]] = []
        for index in range(size):
            self.made += 1
            run_id = UUID(int=self._random.getrandbits(80) | int(at.timestamp() * 1000) << 80)
            own = segment(at, run_id)
            above = self._parent(orders)
            order = own if above is None else f"{above}.{own}"
            orders.append(order)
            end = at + timedelta(seconds=self._random.expovariate(0.7))
            head = {
                "dotted_order": order,
                "trace_id": orders[0][-36:],
                "parent_run_id": None if above is None else above[-36:],
                "name": _NAMES[index % 8],
                "run_type": _TYPES[index % 8] if index else "chain",
                "start_time": at.isoformat(),
                "session_name": project,
                "tags": [f"seq:step:{index % 6}", "prod" if user[-1] < "8" else "canary"],
            }
            yield self._create(run_id, head, user, thread, index)
            ends.append((end, self._update(run_id, head, end)))
            at += timedelta(microseconds=self._random.randrange(200_000))
            while ends and self._random.random() < 0.6:
                yield ends.pop()[1]
        for _, operation in reversed(ends):
            yield operation

    def _parent(self, orders: list[str]) -> str | None:
        """Return the place of a parent: one of those before, at most eight deep."""
        if not orders:
            return None
        near = orders[self._random.randrange(max(0, len(orders) - 5), len(orders))]
        return near if near.count(".") < 8 else orders[0]

    def _create(self, run_id: UUID, head: dict, user: str, thread: str, index: int) -> Operation:
        metadata = {
            "thread_id": thread,
            "user_id": user,
            "env": "prod",
            "revision_id": "v1.2.3-4-gabcdef",
            "LANGSMITH_PROJECT": head["session_name"],
            "ls_method": "traceable",
        }
        if head["run_type"] == "llm":
            metadata |= {
                "ls_provider": "openai",
                "ls_model_name": head["name"],
                "ls_temperature": 0.5,
            }
        if index and self._random.random() < 0.0003:
            metadata["needle"] = f"needle-{self._random.randrange(20)}"
        inputs = {
            "messages": [
                {"role": "system", "content": self._random.choice(self._systems)},
                {"role": "user", "content": self._cut(1_500)},
            ]
        }
        extra = {"metadata": metadata, "runtime": {"sdk": "langsmith-py", "sdk_version": "0.15.0"}}
        parts = {"inputs": inputs, "extra": extra, "events": [], "outputs": {}}
        return _operation("create", run_id, head, parts)

    def _update(self, run_id: UUID, head: dict, end: datetime) -> Operation:
        outputs: dict = {"output": self._cut(1_100)}
        events = [{"name": "start", "time": head["start_time"]}]
        if head["run_type"] == "llm":
            used = self._random.randrange(3_000)
            usage = {
                "input_tokens": used,
                "output_tokens": used // 5,
                "total_tokens": used + used // 5,
            }
            usage |= {"input_cost": used / 1e6, "output_cost": used / 1e6}
            outputs["usage_metadata"] = usage
            events.append({"name": "new_token", "time": head["start_time"]})
        parts = {"outputs": outputs, "events": [*events, {"name": "end", "time": end.isoformat()}]}
        if self._random.random() < 0.03:
            parts["error"] = "ValueError: " + self._cut(200)
        told = {
            name: head[name]
            for name in ("dotted_order", "trace_id", "parent_run_id", "session_name")
        }
        return _operation("update", run_id, {**told, "end_time": end.isoformat()}, parts)

    def _text(self, length: int) -> str:
        return " ".join(self._random.choices(self._words, self._weights, k=length // 6))

    def _cut(self, length: int) -> str:
        # Pieces of long texts: to make words anew for each would take longer than to store them.
        parts = []
        for _ in range(6):
            text = self._random.choice(self._texts)
            start = self._random.randrange(len(text) - length // 6)
            parts.append(text[start : start + length // 6])
        return "".join(parts)


def _operation(kind: Kind, run_id: UUID, head: dict, parts: dict) -> Operation:
    encoded = {name: json.encode(part) for name, part in parts.items()}
    return Operation(kind, run_id, checked(head, run_id), encoded)
