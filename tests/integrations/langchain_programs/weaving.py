"""What programs of runnables and of the SDK's runs in each other have in common.

They import it after they have put Callboard in LangChain's place, or not.
"""

import asyncio
from collections.abc import Callable
from typing import Any, TypedDict

import langsmith
from langchain_core.language_models import GenericFakeChatModel
from langchain_core.runnables import RunnableLambda
from langchain_core.tracers.langchain import wait_for_all_tracers
from langgraph.graph import START, StateGraph
from langsmith import RunTree, get_current_run_tree, traceable, tracing_context

PROGRAMS: list[Callable[[], Any]] = []


def program(function: Callable[[], Any]) -> Callable[[], Any]:
    PROGRAMS.append(function)
    return function


def same(x: Any) -> Any:
    return x


def inner(name: str) -> Any:
    return RunnableLambda(same, name=name)


def around(name: str, function: Any) -> Any:
    return RunnableLambda(function, name=name)


def current() -> RunTree:
    run = get_current_run_tree()
    assert isinstance(run, RunTree)
    return run


class State(TypedDict):
    x: Any


def graph(node: Any) -> Any:
    made = StateGraph(State)
    made.add_node("node", node)
    made.add_edge(START, "node")
    return made.compile(name="graph")


def model(said: str) -> Any:
    return GenericFakeChatModel(messages=iter([said]))


@traceable
def leaf(x: Any) -> Any:
    return x


@traceable
async def aleaf(x: Any) -> Any:
    return x


@traceable(run_type="tool", name="another leaf", tags=["leaf"], metadata={"leaf": 1})
def tagged_leaf(x: Any) -> Any:
    return inner("below a leaf").invoke(x)


@traceable
def pieces(x: Any) -> Any:
    yield inner("in pieces").invoke(x)
    yield 2


@traceable
async def apieces(x: Any) -> Any:
    yield await inner("in pieces").ainvoke(x)
    yield 2


@traceable
def bad(x: Any) -> Any:
    raise ValueError(f"no {x}")


def run_all() -> None:
    """Run each program, in a project of its name."""
    for each in PROGRAMS:
        with tracing_context(project_name=each.__name__):
            asyncio.run(each()) if asyncio.iscoroutinefunction(each) else each()
    wait_for_all_tracers()
    langsmith.run_trees.get_cached_client().flush()
