"""LangGraph's graphs with retries, interrupts, sends and subgraphs, called in every way.

Run with ``callboard`` as its argument it puts Callboard in LangChain's place first. What follows
are the ways to call them. What it prints must be the same either way.
"""

import asyncio
import sys
import warnings
from collections.abc import Awaitable, Callable, Iterator
from itertools import cycle
from operator import add
from typing import Annotated, Any, TypedDict

if "callboard" in sys.argv:
    import callboard.langchain

    callboard.langchain.install()

from hearing import Inline, InTasks, plain, report
from langchain_core.callbacks import adispatch_custom_event, dispatch_custom_event
from langchain_core.language_models import GenericFakeChatModel
from langchain_core.messages import AIMessage, HumanMessage
from langchain_core.runnables import RunnableConfig, RunnableLambda, RunnableParallel
from langchain_core.runnables.config import ContextThreadPoolExecutor
from langchain_core.tools import tool
from langchain_core.tracers.run_collector import RunCollectorCallbackHandler
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.config import get_stream_writer
from langgraph.func import entrypoint, task
from langgraph.graph import END, START, MessagesState, StateGraph
from langgraph.prebuilt import ToolNode, create_react_agent
from langgraph.types import Command, RetryPolicy, Send, interrupt
from ways import Programs, asked, call_all


class State(TypedDict):
    notes: Annotated[list[str], add]


def same(x: Any) -> Any:
    return x


async def asame(x: Any) -> Any:
    return x


def named(name: str) -> Any:
    return RunnableLambda(same, name=name)


def note(text: str) -> Any:
    """Return a node that notes something."""
    return lambda _: {"notes": [text]}


def path(**nodes: Any) -> StateGraph[Any, Any, Any, Any]:
    """Return a graph of nodes that follow each other."""
    graph = StateGraph(State)
    before = START
    for name, node in nodes.items():
        graph.add_node(name, node)
        graph.add_edge(before, name)
        before = name
    return graph


def retried(times: int) -> Any:
    """Return a graph whose node fails so often before it works."""
    left = [ConnectionError("not yet")] * times

    def flaky(_: State) -> Any:
        named("inside").invoke(1)
        if left:
            raise left.pop()
        return {"notes": ["worked"]}

    policy = RetryPolicy(max_attempts=3, initial_interval=0.001, jitter=False)
    graph = StateGraph(State)
    graph.add_node("flaky", flaky, retry_policy=policy)
    graph.add_edge(START, "flaky")
    return graph.compile(name="retried")


def fan() -> Any:
    """Return a graph that sends the same node several inputs, and then goes on."""

    def work(state: State) -> Any:
        dispatch_custom_event("worked", {"on": state["notes"]})
        return {"notes": [named("inside").invoke(state["notes"][0])]}

    graph = path(plan=note("plan"), work=work, join=note("joined"))
    graph.edges.remove(("plan", "work"))
    sends = [Send("work", {"notes": [name]}) for name in "abcd"]
    graph.add_conditional_edges("plan", lambda _: sends, ["work"])
    return graph.compile(name="fan")


def goto() -> Any:
    """Return a graph whose nodes say themselves where to go."""

    def first(_: State) -> Command[Any]:
        sends = [Send("last", {"notes": [name]}) for name in "xy"]
        return Command(goto=sends, update={"notes": ["first"]})

    graph = path(first=first)
    graph.add_node("last", lambda state: {"notes": ["last " + state["notes"][0]]})
    return graph.compile(name="goto")


def deep() -> Any:
    """Return a graph inside a graph inside a graph, and one that a node calls."""
    called = path(leaf=note("called")).compile(name="called")

    def call(_: State, config: RunnableConfig) -> Any:
        called.invoke({"notes": []})
        return called.invoke({"notes": []}, config)

    inner = path(call=call).compile(name="inner")
    return path(outer=path(inner=inner).compile(name="middle")).compile(name="deep")


def chosen() -> Any:
    """Return a graph with a branch, tags and metadata on all sides, and a hidden node."""
    tagged = named("said").with_config(tags=["node"], metadata={"node": 1})
    graph = path(a=tagged | note("a"), hidden=named("h").with_config(tags=["langsmith:hidden"]))
    graph.add_node("b", note("b"))
    graph.add_conditional_edges("hidden", lambda _: named("chooser").invoke("b"), ["b"])
    return graph.compile(name="chosen").with_config(tags=["graph"], run_name="by another name")


def bad(_: State) -> Any:
    raise KeyError("bad")


def endless() -> Any:
    graph = path(again=note("again"))
    graph.add_edge("again", "again")
    return graph.compile(name="endless").with_config(recursion_limit=3)


def streaming(_: State) -> Iterator[Any]:
    yield {"notes": ["one"]}
    yield {"notes": ["two"]}


def mixed() -> Any:
    """Return a graph whose node uses threads and loops in sync code, and tasks in async code."""

    def work(_: State) -> Any:
        with ContextThreadPoolExecutor(2) as pool:
            list(pool.map(named("in a pool").invoke, range(2)))
        asyncio.run(RunnableLambda(asame, name="in a loop").ainvoke(1))
        return {"notes": ["worked"]}

    async def awork(_: State) -> Any:
        await adispatch_custom_event("working", {})
        await asyncio.gather(*(RunnableLambda(asame, name=f"{n}").ainvoke(n) for n in range(3)))
        await asyncio.to_thread(named("in a thread").invoke, 1)
        return {"notes": ["worked"]}

    return path(work=RunnableLambda(work, awork, name="work")).compile(name="mixed")


@task
def count(number: int) -> int:
    return int(named("in a task").invoke(number)) + 1


@entrypoint()
def functional(number: int) -> int:
    return sum(each.result() for each in [count(number), count(number + 1)])


@tool
def look_up(word: str) -> str:
    """Look a word up."""
    get_stream_writer()({"looking": word})
    return word.upper()


@tool
def broken(word: str) -> str:
    """Fail."""
    raise ValueError(f"no {word}")


@tool
def hand_over(word: str) -> Command[Any]:
    """Leave the agent."""
    return Command(update={"messages": [HumanMessage(word)]}, goto=END, graph=Command.PARENT)


class Model(GenericFakeChatModel):
    def bind_tools(self, tools: Any, **_: Any) -> Any:
        return self.bind(tools=[each.name for each in tools])


def asks_for(*names: str) -> AIMessage:
    calls: Any = [
        {"name": name, "args": {"word": f"{name} {n}"}, "id": f"call-{n}"}
        for n, name in enumerate(names)
    ]
    return AIMessage("on it", tool_calls=calls)


def agent(**options: Any) -> Any:
    said = [asks_for("look_up", "look_up", "broken"), AIMessage("all done")]
    tools = ToolNode([look_up, broken], handle_tool_errors=True)
    return create_react_agent(Model(messages=cycle(said)), tools, name="agent", **options)


def leaving() -> Any:
    """Return a graph whose agent's tool leaves it."""
    model = Model(messages=cycle([asks_for("hand_over")]))
    graph = StateGraph(MessagesState)
    graph.add_node("agent", create_react_agent(model, [hand_over]), destinations=(END,))
    graph.add_edge(START, "agent")
    return graph.compile(name="leaving")


def asking() -> Any:
    """Return a graph that asks twice in a subgraph, and in two nodes at once."""

    def ask(_: State) -> Any:
        return {"notes": [f"{interrupt('one')} {interrupt('two')}"]}

    graph = path(inner=path(ask=ask).compile(name="inner"))
    for name in ("left", "right"):
        graph.add_node(name, lambda _, name=name: {"notes": [interrupt(name)]})
        graph.add_edge("inner", name)
    return graph.compile(name="asking", checkpointer=InMemorySaver())


NOTES: Any = {"notes": ["start"]}
QUESTION: Any = {"messages": [("human", "go")]}

PROGRAMS: Programs = {
    "retried": (lambda: retried(2), NOTES),
    "retried in vain": (lambda: retried(3), NOTES),
    "fan": (fan, NOTES),
    "goto": (goto, NOTES),
    "deep": (deep, NOTES),
    "chosen": (chosen, NOTES),
    "failing": (lambda: path(a=note("a"), bad=bad).compile(name="failing"), NOTES),
    "endless": (endless, NOTES),
    "streaming": (lambda: path(streaming=streaming).compile(name="streaming"), NOTES),
    "mixed": (mixed, NOTES),
    "agent": (agent, QUESTION),
    "agent of one node": (lambda: agent(version="v1"), QUESTION),
    "agent with a stop": (lambda: agent(interrupt_before=["tools"]), QUESTION),
    "leaving": (leaving, QUESTION),
    "bad input": (fan, "nonsense"),
}
ALL_MODES: Any = ["values", "updates", "messages", "custom", "debug", "tasks"]


def answers(paused: Any) -> Command[Any]:
    found = sorted(paused["__interrupt__"], key=lambda each: each.value)
    return Command(resume={each.id: f"answer to {each.value}" for each in found})


def sync_part() -> None:
    """Have graphs interrupted and resumed, and streamed in all modes."""
    heard, collected = Inline(), RunCollectorCallbackHandler()
    config, graph = asked(heard, collected), asking()
    state = graph.invoke(NOTES, config)
    while "__interrupt__" in state:
        print("paused", sorted(each.value for each in state["__interrupt__"]))
        state = graph.invoke(answers(state), config)
    print("resumed", state)
    report("asking", heard, collected)
    for name in ("agent", "fan", "deep"):
        heard, collected = Inline(), RunCollectorCallbackHandler()
        make, given = PROGRAMS[name]
        stream = make().stream(
            given, asked(heard, collected), stream_mode=ALL_MODES, subgraphs=True
        )
        print(*sorted(map(plain, stream)), sep="\n")
        report(f"{name} in all modes", heard, collected)
    heard, collected = Inline(), RunCollectorCallbackHandler()
    print(functional.invoke(1, asked(heard, collected)))
    report("functional", heard, collected)


def slow(started: asyncio.Event) -> dict[str, Callable[[], Any]]:
    """Return what is cancelled while it works, by name: it says when it is at work."""

    async def wait(value: Any) -> Any:
        started.set()
        await asyncio.sleep(60)
        return value

    @tool
    async def waiting(number: int) -> int:
        """Wait."""
        return int(await wait(number))

    async def use(_: Any) -> Any:
        return await waiting.ainvoke({"number": 1})

    waits = RunnableLambda(wait, name="waits")
    return {
        "chain": lambda: named("first") | waits,
        "parallel": lambda: RunnableParallel(done=named("done"), waits=waits),
        "tool": lambda: RunnableLambda(use, name="uses a tool"),
        "graph": lambda: path(inner=path(waits=waits).compile(name="inner")).compile(name="outer"),
        "graph with a tool": lambda: path(a=RunnableLambda(use, name="a")).compile(name="graph"),
    }


async def cancelled(name: str, call: Callable[[Any, Any], Awaitable[Any]]) -> None:
    heard, collected = InTasks(), RunCollectorCallbackHandler()
    started = asyncio.Event()
    running = asyncio.ensure_future(call(slow(started)[name](), asked(heard, collected)))
    await started.wait()
    await asyncio.sleep(0.01)  # Others, side by side, are done.
    running.cancel()
    await asyncio.wait([running])
    report(f"{name} cancelled", heard, collected)


async def async_part() -> None:
    """Have graphs resumed, and calls cancelled, in async code."""
    heard, collected = InTasks(), RunCollectorCallbackHandler()
    config, graph = asked(heard, collected), asking()
    state = await graph.ainvoke(NOTES, config)
    while "__interrupt__" in state:
        state = await graph.ainvoke(answers(state), config)
    report("asking in async code", heard, collected)
    for name in slow(asyncio.Event()):
        await cancelled(name, lambda made, config: made.ainvoke(NOTES, config))


warnings.simplefilter("ignore")  # Of betas and deprecations; ours would be there without.
call_all(PROGRAMS, [each for each in sys.argv[1:] if each != "callboard"])
sync_part()
asyncio.run(async_part())
