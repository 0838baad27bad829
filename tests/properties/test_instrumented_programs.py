"""Programs of traced functions of every kind give the trees that they are.

A program is drawn: calls that make calls, as functions, coroutines, generators, async
generators and blocks, one after the other or at once, in threads or tasks. Some fail, some
generators are abandoned half-way. Whatever the way, the recorded trees are the calls' own.
"""

from __future__ import annotations

import asyncio
import gc
from contextlib import suppress
from dataclasses import dataclass

from hypothesis import given, settings
from hypothesis import strategies as st

from callboard.instrument import ContextThreadPoolExecutor, trace, traceable
from callboard.tracing.base import AsyncBaseTracer, BaseTracer

SYNC = ("function", "generator", "block")
ASYNC = (*SYNC, "coroutine", "async generator", "async block")


@dataclass(frozen=True)
class Node:
    """A call to be: what it is, whether it fails, and whether what it calls overlaps."""

    way: str
    fails: bool
    together: bool
    children: tuple[Node, ...] = ()

    def text(self, name="0", depth=0):
        """Write the tree that is to be recorded."""
        line = "  " * depth + f"{name} {'failed' if self.fails else 'ended'}"
        inner = [child.text(f"{name}.{n}", depth + 1) for n, child in enumerate(self.children)]
        return "\n".join([line, *inner])


def programs(ways):
    leaf = st.builds(Node, st.sampled_from(ways), st.booleans(), st.booleans())
    return st.recursive(
        leaf,
        lambda inner: st.builds(
            Node,
            st.sampled_from(ways),
            st.booleans(),
            st.booleans(),
            st.lists(inner, max_size=3).map(tuple),
        ),
        max_leaves=8,
    )


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


def text(run, depth=0):
    ending = "running" if run.end_time is None else "failed" if run.error else "ended"
    inner = sorted(run.child_runs, key=lambda child: child.name)
    line = "  " * depth + f"{run.name} {ending}"
    return "\n".join([line, *(text(child, depth + 1) for child in inner)])


class RefusedError(Exception):
    """What a call fails with."""


def judge(node):
    if node.fails:
        raise RefusedError


def steps(node, name):
    """Make the calls in a call, one a step."""
    for n, child in enumerate(node.children):
        call_sync(child, f"{name}.{n}")
        yield n
    judge(node)
    yield "never asked past this"


def call_sync(node, name, **options):
    """Make a call and those in it, from sync code."""

    def inside():
        calls = [
            lambda n=n, child=child: call_sync(child, f"{name}.{n}")
            for n, child in enumerate(node.children)
        ]
        if node.together:
            with ContextThreadPoolExecutor() as pool:
                list(pool.map(lambda call: call(), calls))
        else:
            for call in calls:
                call()
        judge(node)

    with suppress(RefusedError):
        if node.way == "block":
            with trace(name, **options):
                inside()
        elif node.way == "generator":
            for value in traceable(name=name, **options)(steps)(node, name):
                if value == "never asked past this":
                    break
        else:
            traceable(name=name, **options)(inside)()


async def asteps(node, name):
    """Make the calls in a call, one a step."""
    for n, child in enumerate(node.children):
        await call_async(child, f"{name}.{n}")
        yield n
    judge(node)
    yield "never asked past this"


async def call_async(node, name, **options):
    """Make a call and those in it, from async code."""

    async def inside():
        calls = [call_async(child, f"{name}.{n}") for n, child in enumerate(node.children)]
        if node.together:
            await asyncio.gather(*map(asyncio.create_task, calls))
        else:
            for call in calls:
                await call
        judge(node)

    async def generated():
        generator = traceable(name=name, **options)(asteps)(node, name)
        while await asyncio.create_task(anext(generator)) != "never asked past this":
            pass
        closing = generator.aclose()
        await (closing if node.together else asyncio.create_task(closing))

    with suppress(RefusedError):
        if node.way == "coroutine":
            await traceable(name=name, **options)(inside)()
        elif node.way == "async block":
            async with trace(name, **options):
                await inside()
        elif node.way == "async generator":
            await generated()
        elif node.together:
            await asyncio.to_thread(call_sync, node, name, **options)
        else:
            call_sync(node, name, **options)


@settings(max_examples=60)
@given(programs(SYNC))
def test_a_program_of_functions_generators_and_threads_is_recorded_as_it_is(program):
    kept = Kept()
    call_sync(program, "0", callbacks=[kept])
    gc.collect(0)
    assert [text(run) for run in kept.traces] == [program.text()]
    assert kept.run_map == {}


@settings(max_examples=60)
@given(programs(ASYNC), st.booleans())
def test_a_program_of_coroutines_and_tasks_is_recorded_as_it_is(program, is_async):
    kept = AsyncKept() if is_async else Kept()

    async def main():
        await call_async(program, "0", callbacks=[kept])

    asyncio.run(main())
    assert [text(run) for run in kept.traces] == [program.text()]
    assert kept.run_map == {}
