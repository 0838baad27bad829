"""Traced functions and LangChain's runnables inside each other, with Callboard in place.

In processes of their own: what is installed stays installed.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest

HEAD = """
import callboard.langchain
callboard.langchain.install()
import asyncio
from langchain_core.language_models import FakeListChatModel
from langchain_core.runnables import RunnableLambda, RunnableParallel
from callboard import trace, traceable
from callboard.instrument import get_current_run_tree, tracing_context
from callboard.testing import RecordingHandler

heard = RecordingHandler()
config = {"callbacks": [heard]}
model = FakeListChatModel(responses=["hello"])

@traceable
def leaf(x):
    return x

@traceable
async def aleaf(x):
    return x

@traceable
def asks(x):
    return model.invoke("hi").content

@traceable
async def aasks(x):
    return (await model.ainvoke("hi")).content
"""


def printed(source: str, **environment: str) -> str:
    ran = subprocess.run(
        [sys.executable, "-W", "error", "-c", HEAD + source],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "LANGSMITH_TRACING": "false", **environment},
    )
    assert ran.returncode == 0, ran.stderr
    assert "failed" not in ran.stderr
    return ran.stdout.strip()


GRAPH = """
from typing import TypedDict
from langgraph.graph import END, START, StateGraph

class State(TypedDict):
    x: int

graph = StateGraph(State)
graph.add_node("node", lambda state: {"x": leaf(state["x"])})
graph.add_edge(START, "node")
graph.add_edge("node", END)
with trace("outer", callbacks=[heard]):
    graph.compile().invoke({"x": 1})
"""

# Programs, and the trees that are heard of them. They are run one after the other in one
# process, each with a handler of its own.
CASES = [
    (
        "traceable(callbacks=[heard], name='outer')(asks)(1)",
        "chain outer (ok)\n  chain asks (ok)\n    chat_model FakeListChatModel (ok)",
    ),
    (
        "asyncio.run(traceable(callbacks=[heard], name='outer')(aasks)(1))",
        "chain outer (ok)\n  chain aasks (ok)\n    chat_model FakeListChatModel (ok)",
    ),
    (
        "RunnableLambda(lambda x: leaf(x)).with_config(run_name='node').invoke(1, config)",
        "chain node (ok)\n  chain leaf (ok)",
    ),
    (
        "RunnableLambda(leaf).with_config(run_name='node').invoke(1, config)",
        "chain node (ok)\n  chain leaf (ok)",
    ),
    (
        "asyncio.run(RunnableLambda(aleaf).with_config(run_name='node').ainvoke(1, config))",
        "chain node (ok)\n  chain aleaf (ok)",
    ),
    (
        "RunnableLambda(asks).with_config(run_name='node').invoke(1, config)",
        "chain node (ok)\n  chain asks (ok)\n    chat_model FakeListChatModel (ok)",
    ),
    (
        "asyncio.run(RunnableLambda(aasks).with_config(run_name='node').ainvoke(1, config))",
        "chain node (ok)\n  chain aasks (ok)\n    chat_model FakeListChatModel (ok)",
    ),
    (
        (
            "inner = RunnableLambda(asks).with_config(run_name='node')\n"
            "with trace('outer', callbacks=[heard]): inner.invoke(1)"
        ),
        (
            "chain outer (ok)\n  chain node (ok)\n    chain asks (ok)\n"
            "      chat_model FakeListChatModel (ok)"
        ),
    ),
    (
        (
            "def node(x, config): return leaf(x, config=config)\n"
            "RunnableLambda(node).with_config(run_name='node').invoke(1, config)"
        ),
        "chain node (ok)\n  chain leaf (ok)",
    ),
    (
        (
            "def node(x, config):\n"
            "    with trace('block'): return model.invoke('hi', config)\n"
            "RunnableLambda(node).with_config(run_name='node').invoke(1, config)"
        ),
        "chain node (ok)\n  chain block (ok)\n    chat_model FakeListChatModel (ok)",
    ),
    (
        (
            "both = RunnableParallel(a=asks).with_config(run_name='in a thread')\n"
            "both.invoke(1, config)"
        ),
        (
            "chain in a thread (ok)\n  chain asks (ok)\n    chain asks (ok)\n"
            "      chat_model FakeListChatModel (ok)"
        ),
    ),
    (
        GRAPH,
        "chain outer (ok)\n  chain LangGraph (ok)\n    chain node (ok)\n      chain leaf (ok)",
    ),
    ("assert leaf(1) == 1\nassert get_current_run_tree() is None", ""),
]


@pytest.fixture(scope="module")
def trees() -> list[str]:
    programs = json.dumps([source for source, _ in CASES])
    return json.loads(
        printed(
            f"""
import json
trees = []
for source in json.loads({programs!r}):
    heard = RecordingHandler()
    exec(source, {{**globals(), "heard": heard, "config": {{"callbacks": [heard]}}}})
    trees.append(heard.tree())
print(json.dumps(trees))
"""
        )
    )


@pytest.mark.parametrize("number", range(len(CASES)))
def test_each_is_the_child_of_what_it_runs_in(trees, number):
    assert trees[number] == CASES[number][1]


def test_langchains_tracer_sends_traced_functions_and_knows_parents_from_elsewhere():
    out = printed(
        """
from unittest.mock import Mock
from langsmith import Client
from langsmith.run_trees import RunTree

sent = []
client = Mock(spec=Client)
client.create_run.side_effect = lambda **told: sent.append(told)
parent = RunTree(name="elsewhere", project_name="theirs")
with tracing_context(enabled=True, client=client, project_name="mine", parent=parent.to_headers()):
    asks(1)
    print(get_current_run_tree().id == parent.id)
print([(each["name"], each.get("project_name", each.get("session_name"))) for each in sent])
print(sent[0]["parent_run_id"] == parent.id, sent[1]["parent_run_id"] == sent[0]["id"])
print(all(each["trace_id"] == parent.id for each in sent))
print(sent[0]["inputs"])
"""
    )
    assert out.splitlines() == [
        "True",
        "[('asks', 'mine'), ('FakeListChatModel', 'mine')]",
        "True True",
        "True",
        "{'x': 1}",
    ]
