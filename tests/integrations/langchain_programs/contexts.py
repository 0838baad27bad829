"""The SDK's blocks, contexts, headers and runs by hand, around runnables and inside them.

Run with ``callboard`` as its argument it puts Callboard in LangChain's place first. Each of the
programs sends its traces to a project of its name, at the server that the environment names.
"""

import asyncio
import sys
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

if "callboard" in sys.argv:
    import callboard.langchain

    callboard.langchain.install()

from langchain_core.callbacks import CallbackManager, dispatch_custom_event
from langchain_core.callbacks.manager import atrace_as_chain_group, trace_as_chain_group
from langchain_core.runnables.config import ContextThreadPoolExecutor
from langchain_core.tracers.context import tracing_v2_enabled
from langchain_core.tracers.langchain import LangChainTracer
from langsmith import Client, RunTree, trace, traceable, tracing_context
from langsmith.schemas import Attachment
from langsmith.utils import ContextThreadPoolExecutor as SdkPool
from weaving import aleaf, around, current, graph, inner, leaf, program, run_all, tagged_leaf


@program
def blocks() -> None:
    with trace("block", "tool", inputs={"i": 1}, tags=["b"], metadata={"m": 1}) as run:
        inner("in a block").invoke(1)
        with trace("block in a block"):
            leaf(2)
        run.end(outputs={"o": 1})

    def block(x: Any) -> Any:
        with trace("block in a runnable", inputs={"x": x}) as run:
            inner("in a block").invoke(x)
            run.add_metadata({"late": 1})
            run.add_outputs({"o": x})

    around("has a block", block).invoke(1)


@program
async def blocks_in_async_code() -> None:
    async with trace("block", project_name="another"):
        await inner("in a block").ainvoke(1)
        await asyncio.gather(*(around(f"{n}", aleaf).ainvoke(n) for n in range(3)))


@program
def parents() -> None:
    root = RunTree(name="root", inputs={}, tags=["r"], project_name="another")
    root.post()
    for parent in (root, root.to_headers(), root.dotted_order):
        with trace("in a block", parent=parent):
            inner("inner").invoke(1)
        with tracing_context(parent=parent, tags=["p"]):
            inner("in a context").invoke(1)
            leaf(1)
            print(current().id == root.id)
    leaf(1, langsmith_extra={"parent": root, "name": "given a parent", "tags": ["x"]})

    def moves(x: Any) -> Any:
        with tracing_context(parent=False):
            inner("cut off").invoke(x)
            leaf(x)
        with tracing_context(parent=root):
            inner("moved").invoke(x)
            leaf(x)

    around("moves", moves).invoke(1)
    root.end(outputs={})
    root.patch()


@program
def contexts() -> None:
    with tracing_context(project_name="another", tags=["t"], metadata={"m": 1}):
        inner("in a context").invoke(1, {"tags": ["own"], "metadata": {"m": 2, "o": 3}})
        tagged_leaf(2)
        with tracing_context(project_name="a third", metadata={"n": 2}):
            inner("in two").invoke(1)
    with tracing_context(enabled=False):
        graph(lambda _: {"x": leaf("never seen")}).invoke({"x": 0})
    for context in (
        {"enabled": False},
        {"tags": ["i"], "metadata": {"i": 1}},
        {"project_name": "i"},
    ):

        def within(x: Any, context: Any = context) -> Any:
            with tracing_context(**context):
                return inner("within").invoke(leaf(x))

        around(f"around {sorted(context)}", within).invoke(1)


@program
def headers() -> None:
    def send(_: Any) -> Any:
        sent, found = current().to_headers(), []

        def serve() -> None:
            parent = RunTree.from_headers(sent)
            with tracing_context(parent=parent):
                inner("served").invoke(1, {"metadata": {"here": 1}})
                leaf(2)
            assert parent is not None
            found.append((sorted(sent), parent.tags, sorted(parent.metadata)))

        thread = threading.Thread(target=serve)
        thread.start()
        thread.join()
        return found

    print(around("sends headers", send).invoke(1, {"tags": ["h"], "metadata": {"m": 1}}))
    with tracing_context(parent={}):
        inner("without a parent").invoke(1)


@program
def by_hand() -> None:
    def make(x: Any) -> Any:
        run = current()
        first = run.create_child("first", "llm", inputs={"prompt": x})
        first.post()
        with tracing_context(parent=first):
            inner("below the first").invoke(x)
        first.end(outputs={"text": "t"})
        first.patch()
        second = RunTree(name="second", parent_run=run, inputs={})
        second.post()
        second.end(error="no good")
        second.patch()
        run.inputs["more"] = 1
        run.add_inputs({"added": 1})
        run.add_outputs({"early": 1})
        dispatch_custom_event("told", {})
        return {"late": 2}

    around("makes runs", make).invoke({"x": 1})

    def change(x: Any) -> Any:
        current().set(inputs={"set": 1}, outputs={"set": 2}, tags=["set"], metadata={"set": 3})
        return x

    around("changes itself", change).invoke(1)


@program
def managers() -> None:
    with trace("around a manager"):
        manager = CallbackManager.configure(inheritable_tags=["m"], inheritable_metadata={"m": 1})
        run = manager.on_chain_start({"name": "by a manager"}, {"i": 1})
        inner("below it").invoke(1, {"callbacks": run.get_child("child")})
        run.on_chain_end({"o": 1})
    explicit: Any = {"callbacks": [LangChainTracer(project_name="another")]}
    around("around", lambda x: inner("with a tracer").invoke(x, explicit)).invoke(1, explicit)
    traceable(name="traced around")(inner("with a tracer").invoke)(1, explicit)


@program
def groups() -> None:
    @traceable(name="around a group")
    def grouped() -> None:
        with trace_as_chain_group("group", inputs={"g": 1}, tags=["g"]) as manager:
            inner("in a group").invoke(1, {"callbacks": manager})
            leaf(1)
            manager.on_chain_end({"ended": 1})
        with tracing_v2_enabled("another", tags=["v2"]):
            inner("in a block").invoke(1)
            leaf(2)

    grouped()
    with trace_as_chain_group("with a project", project_name="a third") as manager:
        inner("in a group").invoke(1, {"callbacks": manager})
        inner("beside the group").invoke(1)


@program
async def groups_in_async_code() -> None:
    async with atrace_as_chain_group("group") as manager:
        await inner("in a group").ainvoke(1, {"callbacks": manager})
        await aleaf(1)


@program
def threads() -> None:
    def work(x: Any) -> Any:
        for pool in (ContextThreadPoolExecutor(1), SdkPool(1), ThreadPoolExecutor(1)):
            with pool:
                name = f"in a pool of {type(pool).__module__.partition('.')[0]}"
                pool.submit(lambda name=name: leaf(inner(name).invoke(x))).result()
        return asyncio.run(around("in a loop", aleaf).ainvoke(x))

    around("uses threads", work).invoke(1)


@program
async def tasks() -> None:
    async def work(x: Any) -> Any:
        await asyncio.to_thread(lambda: leaf(inner("in a thread").invoke(x)))
        await asyncio.create_task(around("in a task", aleaf).ainvoke(x))
        return await asyncio.gather(*(aleaf(n) for n in range(3)))

    await around("uses tasks", work).ainvoke(1)
    await traceable(name="traced, with tasks")(work)(2)


def waiting(started: asyncio.Event) -> Callable[[Any], Any]:
    """Return what says that it has started, and goes on for long."""

    async def wait(x: Any) -> Any:
        await aleaf(1)
        started.set()
        await asyncio.sleep(60)
        return x

    return wait


@program
async def cancellations() -> None:
    calls: tuple[Callable[[Any], Any], ...] = (
        lambda wait: around("cancelled", wait).ainvoke(1),
        lambda wait: traceable(name="cancelled")(wait)(1),
        lambda wait: graph(wait).ainvoke({"x": 1}),
    )
    for call in calls:
        started = asyncio.Event()
        running = asyncio.ensure_future(call(waiting(started)))
        await started.wait()
        running.cancel()
        await asyncio.wait([running])


@program
def clients() -> None:
    hiding = Client(hide_inputs=True, hide_outputs=lambda told: {"n": len(told)})
    with tracing_context(client=hiding):
        around("hiding", leaf).invoke({"secret": 1})

    @traceable(client=hiding, process_inputs=lambda _: {"p": 1}, process_outputs=lambda _: {"q": 1})
    def processed(x: Any) -> Any:
        return inner("in a processed one").invoke(x)

    around("around a processed one", processed).invoke(1)
    inner("with its tracer").invoke(1, {"callbacks": [LangChainTracer(client=hiding)]})
    hiding.flush()


@program
def odds_and_ends() -> None:
    never = traceable(enabled=False)(lambda x: inner("in a disabled one").invoke(leaf(x)))
    never(1)
    around("around a disabled one", never).invoke(1)

    @traceable
    def attached(x: Any, file: Attachment) -> Any:
        return inner("with a file").invoke(x)

    file = Attachment(mime_type="text/plain", data=b"abc")
    around("attaches", lambda x: attached(x, file)).invoke(1)

    @traceable(run_type="llm", metadata={"ls_provider": "p", "ls_model_name": "m"})
    def ask(messages: Any) -> Any:
        usage = {"input_tokens": 1, "output_tokens": 2, "total_tokens": 3}
        return {"role": "assistant", "content": "x", "usage_metadata": usage}

    around("asks", lambda x: ask([{"role": "user", "content": x}])).invoke("q")


run_all()
