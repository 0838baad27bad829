"""Functions that the SDK traces, and LangChain's runnables, in each other.

Run with ``callboard`` as its argument it puts Callboard in LangChain's place first. Each of the
programs sends its traces to a project of its name, at the server that the environment names.
"""

import json
import sys
import warnings
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

if "callboard" in sys.argv:
    import callboard.langchain

    callboard.langchain.install()

with warnings.catch_warnings(action="ignore"):  # The SDK imports what it warns of itself.
    from langsmith.wrappers import wrap_openai

import httpx
import openai
from langchain_core.runnables import (
    RunnableConfig,
    RunnableGenerator,
    RunnableLambda,
    RunnableParallel,
)
from langchain_core.tools import tool
from langsmith import RunTree, trace, traceable
from langsmith.run_helpers import as_runnable
from weaving import (
    State,
    aleaf,
    apieces,
    around,
    bad,
    current,
    graph,
    inner,
    leaf,
    model,
    pieces,
    program,
    run_all,
    tagged_leaf,
)


@program
def nodes() -> None:
    """Traced functions in nodes, as nodes, and what a node finds its run to be."""

    @traceable(name="a traced node")
    def node(state: State) -> Any:
        return {"x": current().name}

    def look(_: State) -> Any:
        run = current()
        run.add_metadata({"in": "node"})
        run.add_tags(["looked at"])
        return {"x": (run.name, run.run_type, len(run.dotted_order.split(".")))}

    for each in (node, look, lambda state: {"x": leaf(state["x"])}):
        print(graph(each).invoke({"x": 1}))
    list(graph(node).stream({"x": 1}))


@program
async def nodes_in_async_code() -> None:
    @traceable(name="a traced node")
    async def node(_: State) -> Any:
        return {"x": await aleaf(current().name)}

    print(await graph(node).ainvoke({"x": 1}))
    print(len([each async for each in graph(node).astream_events({"x": 1}, version="v2")]))


@program
def tools() -> None:
    @tool
    def look(word: str) -> str:
        """Look at the run."""
        child = current().create_child("by hand", "retriever", inputs={"word": word}, tags=["c"])
        child.post()
        child.end(outputs={"found": 1})
        child.patch()
        return f"{current().name} {current().run_type} {leaf(word)}"

    print(look.invoke({"word": "x"}))
    print(around("around a tool", lambda word: look.invoke({"word": word})).invoke("y"))


def answer(request: httpx.Request) -> httpx.Response:
    """Answer as OpenAI's server does."""
    about: dict[str, Any] = {"id": "c", "created": 1, "model": "m"}
    if not json.loads(request.content).get("stream"):
        said = {"index": 0, "message": {"role": "assistant", "content": "hello"}}
        usage = {"prompt_tokens": 1, "completion_tokens": 2, "total_tokens": 3}
        return httpx.Response(200, json={**about, "choices": [said], "usage": usage})
    said = [{"index": 0, "delta": {"role": "assistant", "content": each}} for each in ("he", "llo")]
    lines = [f"data: {json.dumps({**about, 'choices': [each]})}\n\n" for each in said]
    kind = {"content-type": "text/event-stream"}
    return httpx.Response(200, text="".join([*lines, "data: [DONE]\n\n"]), headers=kind)


ASKED: Any = {"model": "m", "messages": [{"role": "user", "content": "hi"}]}
TO: Any = {"api_key": "k", "base_url": "http://127.0.0.1:9/v1"}


@program
def a_wrapped_client() -> None:
    transport = httpx.Client(transport=httpx.MockTransport(answer))
    client = wrap_openai(openai.OpenAI(http_client=transport, **TO))

    def node(_: State) -> Any:
        client.chat.completions.create(**ASKED)
        list(client.chat.completions.create(stream=True, **ASKED))
        return {"x": 1}

    graph(node).invoke({"x": 1})


@program
async def a_wrapped_client_in_async_code() -> None:
    transport = httpx.AsyncClient(transport=httpx.MockTransport(answer))
    client = wrap_openai(openai.AsyncOpenAI(http_client=transport, **TO))

    async def node(_: State) -> Any:
        await client.chat.completions.create(**ASKED)
        return {
            "x": len(
                [each async for each in await client.chat.completions.create(stream=True, **ASKED)]
            )
        }

    print(await graph(node).ainvoke({"x": 1}))


@program
def traced_around() -> None:
    @traceable(name="around", tags=["a"], metadata={"m": 1}, project_name="another")
    def call(x: Any) -> Any:
        return (inner("inner") | model("so")).invoke(x, {"tags": ["own"], "metadata": {"n": 2}})

    @traceable(name="around a stream")
    def stream(x: Any) -> Any:
        yield from model("a b").stream(x)

    @traceable(name="around a batch")
    def batch(x: Any) -> Any:
        return around("batched", leaf).batch([x, x], {"max_concurrency": 2})

    call("x")
    list(stream("x"))
    batch("x")


@program
async def traced_around_in_async_code() -> None:
    @traceable(name="around a stream")
    async def stream(x: Any) -> Any:
        async for each in (model("a b") | inner("after")).astream(x):
            yield each

    @traceable(name="around events")
    async def events(x: Any) -> Any:
        stream = (inner("before") | model("a b")).astream_events(x, version="v2")
        return len([each async for each in stream])

    print(len([each async for each in stream("x")]), await events("x"))


@program
def in_turns() -> None:
    @traceable
    def third(x: Any) -> Any:
        return inner("fourth").invoke(x)

    @traceable
    def first(x: Any) -> Any:
        return around("second", third).invoke(x)

    around("outermost", first).invoke(1)


@program
def with_a_config() -> None:
    @traceable(name="takes a config")
    def takes(x: Any, config: RunnableConfig | None = None) -> Any:
        return inner("with it").invoke(x, config)

    around("gives it", lambda x, config: takes(x, config=config)).invoke(1, {"tags": ["t"]})

    def by_config(x: Any, config: RunnableConfig) -> Any:
        run = RunTree.from_runnable_config(config)
        assert run is not None
        child = run.create_child("by config", inputs={"x": x})
        child.end(outputs={"y": 1})
        child.post()
        return run.id == current().id

    print(around("has one", by_config).invoke(1, {"tags": ["t"], "metadata": {"m": 1}}))


def leaves(given: Iterator[Any]) -> Iterator[Any]:
    for each in given:
        yield leaf(each)


@program
def as_runnables() -> None:
    (RunnableLambda(leaf) | tagged_leaf).invoke(1)
    RunnableParallel(a=leaf, b=tagged_leaf).invoke(2)
    print(as_runnable(leaf).invoke({"x": 1}), as_runnable(leaf).batch([{"x": 1}, {"x": 2}]))
    (inner("before") | (lambda x: {"x": x}) | as_runnable(tagged_leaf)).invoke(3)
    RunnableGenerator(leaves).invoke(4)
    around("lists pieces", lambda x: list(pieces(x))).invoke(5)


@program
async def as_runnables_in_async_code() -> None:
    async def listed(x: Any) -> Any:
        return [each async for each in apieces(x)]

    await (RunnableLambda(aleaf) | aleaf).ainvoke(1)
    await RunnableParallel(a=aleaf, b=aleaf).abatch([2, 3])
    print(await as_runnable(aleaf).ainvoke({"x": 1}))
    await around("lists pieces", listed).ainvoke(4)


@program
def failures() -> None:
    with suppress(ValueError):
        around("calls what fails", bad).invoke(1)
    traceable(name="falls back")(RunnableLambda(bad).with_fallbacks([RunnableLambda(leaf)]).invoke)(
        2
    )
    with suppress(ValueError), trace("a block that fails"):
        inner("in it").invoke(1)
        raise ValueError


run_all()
