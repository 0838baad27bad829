"""Traces that are woven into each other, in every way that programs do it, are told apart.

A program is drawn: a forest of runs. It is run in threads, in tasks, in generators that are
abandoned half-way, and cancelled; whatever the way, the same trees are recorded.
"""

import asyncio
import threading
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from callboard.callbacks import (
    AsyncCallbackManager,
    CallbackManager,
    atrace_as_chain_group,
    trace_as_chain_group,
)
from callboard.langsmith.tracer import LangChainTracer
from callboard.payloads import Generation, LLMResult
from callboard.testing import CountingIds, StepClock, clock_from, ids_from
from callboard.tracing.base import AsyncBaseTracer, BaseTracer
from callboard.wire.operations import merge


@dataclass(frozen=True)
class Node:
    """A run to be: its kind, whether it fails, the runs inside it, and whether these overlap."""

    kind: str
    fails: bool
    together: bool
    pauses: int
    children: tuple["Node", ...] = ()

    def text(self, name="", depth=0):
        """Write the tree that is to be recorded, children by name."""
        line = "  " * depth + f"{self.kind}:{name} {'failed' if self.fails else 'ended'}"
        inner = [child.text(f"{name}.{n}", depth + 1) for n, child in enumerate(self.children)]
        return "\n".join([line, *inner])

    def size(self):
        return 1 + sum(child.size() for child in self.children)


_leaf = st.builds(
    Node,
    st.sampled_from(["chain", "tool", "retriever", "llm"]),
    st.booleans(),
    st.booleans(),
    st.integers(0, 2),
)
nodes = st.recursive(
    _leaf,
    lambda inner: st.builds(
        Node,
        st.sampled_from(["chain", "tool", "retriever"]),
        st.booleans(),
        st.booleans(),
        st.integers(0, 2),
        st.lists(inner, max_size=3).map(tuple),
    ),
    max_leaves=6,
)
forests = st.lists(nodes, min_size=1, max_size=4).map(tuple)

SUBJECTS = {"chain": {"in": 1}, "tool": "in", "retriever": "in", "llm": ["in"]}
RESULTS = {"chain": {"out": 1}, "tool": 1, "retriever": [], "llm": LLMResult([[Generation("x")]])}


class Kept(BaseTracer):
    run_inline = True

    def __init__(self):
        super().__init__()
        self.traces = []

    def _persist_run(self, run):
        self.traces.append(run)


class AsyncKept(AsyncBaseTracer):
    def __init__(self):
        super().__init__()
        self.traces = []

    async def _persist_run(self, run):
        self.traces.append(run)


class HoppingKept(Kept):
    run_inline = False


def _ending(run):
    return "running" if run.end_time is None else "failed" if run.error else "ended"


def text(run, depth=0):
    """Write a recorded tree in the way of `Node.text`."""
    inner = sorted(run.child_runs, key=lambda child: child.name)
    line = "  " * depth + f"{run.run_type}:{run.name} {_ending(run)}"
    return "\n".join([line, *(text(child, depth + 1) for child in inner)])


def recorded(tracer):
    assert tracer.run_map == {}
    return sorted(text(run) for run in tracer.traces)


def expected(forest):
    return sorted(root.text(str(number)) for number, root in enumerate(forest))


def _ended(run, node):
    if node.fails:
        return getattr(run, f"on_{node.kind}_error")(ValueError("no"))
    return getattr(run, f"on_{node.kind}_end")(RESULTS[node.kind])


def in_threads(targets):
    threads = [threading.Thread(target=target) for target in targets]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def run_sync(manager, node, name):
    start = getattr(manager, f"on_{node.kind}_start")
    run = start({}, SUBJECTS[node.kind], name=name)
    run = run[0] if node.kind == "llm" else run
    calls = [
        lambda n=n, child=child: run_sync(run.get_child(), child, f"{name}.{n}")
        for n, child in enumerate(node.children)
    ]
    if node.together:
        in_threads(calls)
    else:
        for call in calls:
            call()
    _ended(run, node)


async def run_async(manager, node, name):
    start = getattr(manager, f"on_{node.kind}_start")
    run = await start({}, SUBJECTS[node.kind], name=name)
    run = run[0] if node.kind == "llm" else run
    for _ in range(node.pauses):
        await asyncio.sleep(0)
    calls = [
        run_async(run.get_child(), child, f"{name}.{n}") for n, child in enumerate(node.children)
    ]
    if node.together:
        await asyncio.gather(*[asyncio.create_task(call) for call in calls])
    else:
        for call in calls:
            await call
    await _ended(run, node)


@settings(max_examples=40)
@given(forests)
def test_in_threads_every_trace_is_the_tree_that_it_was(forest):
    tracer = Kept()
    manager = CallbackManager.configure([tracer])
    in_threads(
        lambda number=number, root=root: run_sync(manager, root, str(number))
        for number, root in enumerate(forest)
    )
    assert recorded(tracer) == expected(forest)


@pytest.mark.parametrize("kind_of_tracer", [Kept, AsyncKept, HoppingKept])
@settings(max_examples=25)
@given(forest=forests)
def test_in_tasks_every_trace_is_the_tree_that_it_was(kind_of_tracer, forest):
    tracer = kind_of_tracer()
    manager = AsyncCallbackManager.configure([tracer])

    async def program():
        await asyncio.gather(
            *(run_async(manager, root, str(number)) for number, root in enumerate(forest))
        )

    asyncio.run(program())
    assert recorded(tracer) == expected(forest)


class Outcome:
    """What became of the runs of a program, by name, as the program itself saw it."""

    def __init__(self):
        self.lines = {}

    def started(self, name):
        self.lines[name] = "running"

    def ended(self, name, error=None):
        self.lines[name] = "ended" if error is None else "failed"

    def texts(self):
        """Write the trees: names tell who is inside whom."""
        roots = sorted(name for name in self.lines if "." not in name)
        return [self._text(root, 0) for root in roots]

    def _text(self, name, depth):
        inner = sorted(each for each in self.lines if each.rpartition(".")[0] == name)
        line = "  " * depth + f"chain:{name} {self.lines[name]}"
        return "\n".join([line, *(self._text(each, depth + 1) for each in inner)])


def generated(manager, node, name, outcome):
    """Run a tree of groups, and pause after each step."""
    with trace_as_chain_group(name, manager) as group:
        outcome.started(name)
        try:
            yield
            for n, child in enumerate(node.children):
                yield from generated(group, child, f"{name}.{n}", outcome)
            yield
        except BaseException as error:
            outcome.ended(name, error)
            raise
        outcome.ended(name)


@settings(max_examples=60)
@given(forests, st.randoms(use_true_random=False), st.data())
def test_generators_that_are_abandoned_half_way_end_their_runs(forest, chance, data):
    tracer, outcome = Kept(), Outcome()
    manager = CallbackManager.configure([tracer])
    steps = {
        generated(manager, root, str(number), outcome): data.draw(st.integers(1, 12))
        for number, root in enumerate(forest)
    }
    while steps:
        generator = chance.choice(list(steps))
        steps[generator] -= 1
        try:
            next(generator)
        except StopIteration:
            del steps[generator]
            continue
        if not steps[generator]:
            del steps[generator]
            generator.close()
    assert recorded(tracer) == outcome.texts()


async def awaited(manager, node, name, outcome):
    async with atrace_as_chain_group(name, manager) as group:
        outcome.started(name)
        try:
            await asyncio.sleep(0)
            inner = [(child, f"{name}.{n}") for n, child in enumerate(node.children)]
            if node.together:
                async with asyncio.TaskGroup() as tasks:
                    for child, called in inner:
                        tasks.create_task(awaited(group, child, called, outcome))
            else:
                for child, called in inner:
                    await awaited(group, child, called, outcome)
            await asyncio.sleep(0)
        except BaseException as error:
            outcome.ended(name, error)
            raise
        outcome.ended(name)


async def _settled(task):
    with suppress(asyncio.CancelledError):
        await task
    # What is shielded ends in its own time.
    if others := asyncio.all_tasks() - {asyncio.current_task()}:
        await asyncio.wait(others)


@settings(max_examples=60)
@given(nodes, st.integers(0, 20))
def test_calls_that_are_cancelled_end_their_runs(root, steps):
    tracer, outcome = Kept(), Outcome()
    manager = AsyncCallbackManager.configure([tracer])

    async def program():
        task = asyncio.create_task(awaited(manager, root, "0", outcome))
        for _ in range(steps):
            await asyncio.sleep(0)
        task.cancel()
        await _settled(task)

    asyncio.run(program())
    assert recorded(tracer) == outcome.texts()
    assert "running" not in str(outcome.texts())


@settings(max_examples=40)
@given(nodes, st.integers(0, 30))
def test_for_an_async_tracer_too_every_cancelled_run_ends_that_had_begun(root, steps):
    tracer, outcome = AsyncKept(), Outcome()
    manager = AsyncCallbackManager.configure([tracer])

    async def program():
        task = asyncio.create_task(awaited(manager, root, "0", outcome))
        for _ in range(steps):
            await asyncio.sleep(0)
        task.cancel()
        await _settled(task)

    asyncio.run(program())
    found = {run.name: run for trace in tracer.traces for run in _every_run(trace)}
    # One that is cancelled while its start is told is unknown to the program.
    assert {name: _ending(found[name]) for name in outcome.lines} == outcome.lines


def _every_run(run):
    yield run
    for child in run.child_runs:
        yield from _every_run(child)


class Sent:
    """A destination that keeps operations."""

    def __init__(self):
        self.operations = []

    def submit(self, operation, *, urgent=False):
        self.operations.append(operation)

    def flush(self, timeout):
        return True


def rebuilt(operations):
    """Put runs together from what was told of them, in whatever order, and write the trees."""
    runs = {}
    for operation in operations:
        known = runs.get(operation.run_id)
        runs[operation.run_id] = operation if known is None else merge(known, operation)

    def write(run, depth):
        head = run.head
        ending = (
            "running" if "end_time" not in head else "failed" if "error" in run.parts else "ended"
        )
        inner = [each for each in runs.values() if each.head.get("parent_run_id") == run.run_id]
        inner.sort(key=lambda each: each.head["name"])
        line = "  " * depth + f"{head['run_type']}:{head['name']} {ending}"
        return "\n".join([line, *(write(each, depth + 1) for each in inner)])

    roots = [run for run in runs.values() if run.head.get("parent_run_id") is None]
    for run in runs.values():
        assert run.head["trace_id"] in {root.run_id for root in roots}
        assert run.head["dotted_order"].startswith(runs[run.head["trace_id"]].head["dotted_order"])
    # In the order that they are written in, parents come before their children.
    ordered = sorted(runs.values(), key=lambda run: run.head["dotted_order"])
    seen = set()
    for run in ordered:
        assert run.head.get("parent_run_id") in {None, *seen}
        seen.add(run.run_id)
    return sorted(write(root, 0) for root in roots)


@settings(max_examples=40)
@given(forests, st.randoms(use_true_random=False))
def test_what_is_sent_makes_the_same_trees_shuffled_and_repeated(forest, chance):
    sent = Sent()
    manager = CallbackManager.configure([LangChainTracer(destination=sent)])
    in_threads(
        lambda number=number, root=root: run_sync(manager, root, str(number))
        for number, root in enumerate(forest)
    )
    counts = Counter((each.kind, each.run_id) for each in sent.operations)
    assert {*counts.values()} == {1}
    assert len(counts) == 2 * sum(root.size() for root in forest)
    arrived = [*sent.operations, *chance.sample(sent.operations, len(sent.operations) // 2)]
    chance.shuffle(arrived)
    assert rebuilt(arrived) == expected(forest)


def snapshot(run, depth=0):
    """Write a trace as text, with its ids and times."""
    events = " ".join(f"{each['name']}@{each['time']:%S}" for each in run.events)
    parent = "-" if run.parent_run_id is None else run.parent_run_id.int
    line = (
        f"{'  ' * depth}{run.id.int} {run.run_type}:{run.name} in {run.trace_id.int} under {parent}"
        f" {run.start_time:%S}-{run.end_time:%S} [{events}] {run.inputs} -> {run.outputs}"
    )
    return "\n".join([line, *(snapshot(child, depth + 1) for child in run.child_runs)])


SNAPSHOT = """\
1 chain:0 in 1 under - 00-09 [start@00 end@09] {'in': 1} -> {'out': 1}
  2 tool:0.0 in 1 under 1 01-06 [start@01 error@06] {'input': 'in'} -> None
    3 retriever:0.0.0 in 1 under 2 02-03 [start@02 end@03] {'query': 'in'} -> {'documents': []}
    4 chain:0.0.1 in 1 under 2 04-05 [start@04 end@05] {'in': 1} -> {'out': 1}
  5 chain:0.1 in 1 under 1 07-08 [start@07 end@08] {'in': 1} -> {'out': 1}
"""


@pytest.mark.parametrize("colour", ["sync", "async", "async tracer"])
def test_with_counted_ids_and_a_stepping_clock_a_whole_trace_is_a_text(colour):
    leaf = Node("retriever", False, False, 0)
    inner = Node("chain", False, False, 0)
    middle = Node("tool", True, False, 0, (leaf, inner))
    root = Node("chain", False, False, 0, (middle, inner))
    tracer = AsyncKept() if colour == "async tracer" else Kept()
    with ids_from(CountingIds()), clock_from(StepClock()):
        if colour == "sync":
            run_sync(CallbackManager.configure([tracer]), root, "0")
        else:
            asyncio.run(run_async(AsyncCallbackManager.configure([tracer]), root, "0"))
    (trace,) = tracer.traces
    assert snapshot(trace) + "\n" == SNAPSHOT
