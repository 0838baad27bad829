"""Tracers that keep what they are told, every kind of run, and traces written as text."""

from __future__ import annotations

from callboard.payloads import AIMessage, ChatGeneration, Document, Generation, LLMResult
from callboard.tracers import AsyncBaseTracer, BaseTracer
from callboard.tracing.base import HOOKS

ANSWER = LLMResult([[Generation("hello")]], {"model": "m"})
CHAT_ANSWER = LLMResult([[ChatGeneration(AIMessage("hello"))]])

# For each event that starts a run: what it is about, its run's type, and how its run ends.
KINDS = {
    "on_llm_start": (["hi"], "llm", "on_llm", ANSWER),
    "on_chat_model_start": ([["hi"]], "chat_model", "on_llm", CHAT_ANSWER),
    "on_chain_start": ({"question": "?"}, "chain", "on_chain", {"answer": "!"}),
    "on_tool_start": ("two", "tool", "on_tool", 2),
    "on_retriever_start": ("who", "retriever", "on_retriever", [Document("she")]),
}


class Keeping(BaseTracer):
    """Keeps the traces that end, and which hooks were called with which runs."""

    def __init__(self, **options):
        super().__init__(**options)
        self.traces = []
        self.called = []

    def _persist_run(self, run):
        self.called.append("_persist_run")
        self.traces.append(run)


class AsyncKeeping(AsyncBaseTracer):
    """The same, with hooks that are awaited."""

    def __init__(self, **options):
        super().__init__(**options)
        self.traces = []
        self.called = []

    async def _persist_run(self, run):
        self.called.append("_persist_run")
        self.traces.append(run)


def _noting(hook):
    def note(self, run, *args):
        self.called.append(hook)

    return note


def _anoting(hook):
    async def note(self, run, *args):
        self.called.append(hook)

    return note


for _hook in HOOKS:
    setattr(Keeping, _hook, _noting(_hook))
    setattr(AsyncKeeping, _hook, _anoting(_hook))


def text(run, depth=0):
    """Write a trace as text: a line a run, children under their parents, in order of start."""
    ending = "running" if run.end_time is None else "failed" if run.error else "ended"
    happened = " ".join(event["name"] for event in run.events)
    line = "  " * depth + f"{run.run_type}:{run.name} {ending} [{happened}]"
    inner = sorted(run.child_runs, key=lambda each: each.dotted_order)
    return "\n".join([line, *(text(child, depth + 1) for child in inner)])


def every_run(run):
    """Return a run and all that are inside it."""
    return [run, *(inner for child in run.child_runs for inner in every_run(child))]
