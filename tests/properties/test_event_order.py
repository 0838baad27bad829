"""Events of calls that are woven into each other come in each run's order, under the right runs.

A tree of runs is drawn, whose branches are tasks and threads. However they take turns, each run
starts before its chunks, ends after them, and knows the runs that it is inside of; and what is
told is the same for a quick reader and for one so slow that chunks are added up.
"""

import asyncio
from collections import defaultdict
from dataclasses import dataclass

from hypothesis import given
from hypothesis import strategies as st

from callboard.callbacks import AsyncCallbackManager, CallbackManager
from callboard.payloads import Generation, LLMResult
from callboard.tracers.event_stream import stream_events

RESULT = LLMResult([[Generation("x")]])


@dataclass(frozen=True)
class Node:
    """A chain to be: in a thread or a task, with tokens of a model inside, and chains inside."""

    in_thread: bool
    fails: bool
    tokens: int
    children: tuple["Node", ...] = ()

    def paths(self, above="r"):
        """Return the names of all chains, each after those that it is inside of."""
        yield above
        for number, child in enumerate(self.children):
            yield from child.paths(f"{above}.{number}")

    def token_count(self):
        return self.tokens + sum(child.token_count() for child in self.children)


nodes = st.recursive(
    st.builds(Node, st.booleans(), st.booleans(), st.integers(0, 4)),
    lambda inner: st.builds(
        Node,
        st.booleans(),
        st.booleans(),
        st.integers(0, 4),
        st.lists(inner, max_size=3).map(tuple),
    ),
    max_leaves=5,
)


def run_sync(node, name, manager):
    run = manager.on_chain_start({}, {}, name=name)
    [model] = run.get_child().on_llm_start({}, ["hi"], name=f"{name} model")
    for number in range(node.tokens):
        model.on_llm_new_token(f"{number} ")
    model.on_llm_end(RESULT)
    for number, child in enumerate(node.children):
        run_sync(child, f"{name}.{number}", run.get_child())
    if node.fails:
        run.on_chain_error(ValueError("no"))
    else:
        run.on_chain_end({})


async def run_async(node, name, manager):
    if node.in_thread:
        handlers = manager.handlers
        sync = CallbackManager(handlers, handlers, parent_run_id=manager.parent_run_id)
        await asyncio.to_thread(run_sync, node, name, sync)
        return
    run = await manager.on_chain_start({}, {}, name=name)
    [model] = await run.get_child().on_llm_start({}, ["hi"], name=f"{name} model")
    for number in range(node.tokens):
        await model.on_llm_new_token(f"{number} ")
        await asyncio.sleep(0)
    await model.on_llm_end(RESULT)
    inner = (
        run_async(child, f"{name}.{number}", run.get_child())
        for number, child in enumerate(node.children)
    )
    await asyncio.gather(*inner)
    await (run.on_chain_error(ValueError("no")) if node.fails else run.on_chain_end({}))


async def events_of(node, slowly, **options):
    events = []
    call = stream_events(
        lambda handler: run_async(node, "r", AsyncCallbackManager.configure([handler])), **options
    )
    async for event in call:
        events.append(event)
        if slowly:
            await asyncio.sleep(0)
    return events


def check(events, node):
    by_run = defaultdict(list)
    for event in events:
        by_run[event["run_id"]].append(event)
    names = {run_id: told[0]["name"] for run_id, told in by_run.items()}
    chains = {name for name in names.values() if not name.endswith("model")}
    assert chains == set(node.paths())
    for told in by_run.values():
        kinds = [event["event"].rpartition("_")[2] for event in told]
        assert kinds[0] == "start"
        assert kinds[-1] in ("end", "error")
        assert set(kinds[1:-1]) <= {"stream"}
        name = told[0]["name"].removesuffix(" model")
        above = [name[: 1 + 2 * depth] for depth in range(len(name) // 2)]
        inside = [name] if told[0]["name"].endswith(" model") else []
        assert [names[each] for each in told[0]["parent_ids"]] == [*above, *inside]
        assert all(event["parent_ids"] == told[0]["parent_ids"] for event in told)
        text = "".join(event["data"]["chunk"] for event in told[1:-1])
        assert text == "".join(f"{number} " for number in range(len(text) // 2))
    chunks = [e["data"]["chunk"] for e in events if e["event"].endswith("_stream")]
    assert len("".join(chunks)) == 2 * node.token_count()


def check_nesting(events):
    """A parent's last event comes after its children's: all of them are awaited."""
    ended = set()
    for event in events:
        assert not ended.intersection(event["parent_ids"])
        if event["event"].endswith(("_end", "_error")):
            ended.add(event["run_id"])


@given(nodes, st.booleans(), st.none() | st.integers(1, 3))
def test_each_run_is_told_in_order_and_in_its_place(node, slowly, max_pending):
    events = asyncio.run(events_of(node, slowly, max_pending=max_pending))
    check(events, node)
    check_nesting(events)


@given(st.lists(nodes, min_size=2, max_size=3))
def test_calls_at_once_hear_themselves_alone(forest):
    async def all_at_once():
        return await asyncio.gather(*(events_of(node, True) for node in forest))

    for node, events in zip(forest, asyncio.run(all_at_once()), strict=True):
        check(events, node)
        check_nesting(events)
