"""An application of LangChain's, as a program that says what tracing and handlers cost it.

    python -m benchmarks.langchain_program ROUNDS [callboard]

With ``callboard`` it puts Callboard in LangChain's place first; nothing else differs. It prints
one line of JSON: the seconds that each thing takes, with each number that it is measured in.

What is measured is CPU time, less that of the same work without a tracer or a handler, in turns:
of the calling thread for tracing, whose rest is done by other threads later; of the whole process
for handlers, which may be called in other threads meanwhile.
"""

import asyncio
import gc
import json
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from functools import partial
from statistics import median
from time import process_time, thread_time
from typing import Any

if "callboard" in sys.argv:
    import callboard.langchain

    callboard.langchain.install()

from langchain_core.callbacks import BaseCallbackHandler
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, AIMessageChunk, BaseMessage
from langchain_core.outputs import ChatGeneration, ChatGenerationChunk, ChatResult
from langchain_core.runnables import Runnable, RunnableLambda
from langchain_core.tracers.langchain import LangChainTracer, wait_for_all_tracers

ROUNDS = int(sys.argv[1])
LENGTH = 20
CALLS = 5
TOKENS = 400
TEXT = "What is asked, and what comes of it: the same for all. " * 4

Clock = Callable[[], float]
Work = Callable[[], Any]


class Streaming(BaseChatModel):
    """A chat model that answers with the same tokens each time."""

    @property
    def _llm_type(self) -> str:
        return "streaming"

    def _generate(self, messages: list[BaseMessage], *_: Any, **__: Any) -> ChatResult:
        return ChatResult(generations=[ChatGeneration(message=AIMessage(TEXT))])

    def _stream(self, *_: Any, **__: Any) -> Iterator[ChatGenerationChunk]:
        for _ in range(TOKENS):
            yield ChatGenerationChunk(message=AIMessageChunk("token "))

    async def _astream(self, *_: Any, **__: Any) -> AsyncIterator[ChatGenerationChunk]:
        for chunk in self._stream():
            yield chunk


class Ends(BaseCallbackHandler):
    """A plain handler: it hears that a model has answered."""

    def on_llm_end(self, *_: Any, **__: Any) -> None:
        pass


class Tokens(Ends):
    """One that hears each token besides."""

    def on_llm_new_token(self, *_: Any, **__: Any) -> None:
        pass


def chain() -> Runnable[str, str]:
    """Return a chain all of whose runs have the same input and output."""
    steps: list[Any] = [RunnableLambda(lambda text: text) for _ in range(LENGTH)]
    first: Any = steps[0]
    for step in steps[1:]:
        first = first | step
    return first


def timed(clock: Clock, work: Work) -> float:
    """Return what some work takes, collecting garbage left out."""
    gc.collect()
    gc.disable()
    start = clock()
    work()
    taken = clock() - start
    gc.enable()
    return taken


def added(clock: Clock, bare: Work, more: Work, after: Work) -> list[float]:
    """Return by how much some work takes longer than some other, each round."""
    for work in (bare, more, after):
        work()
    found = []
    for index in range(ROUNDS):
        first, second = (bare, more) if index % 2 else (more, bare)
        one, other = timed(clock, first), timed(clock, second)
        after()
        found.append((other - one) if index % 2 else (one - other))
    return found


def traced_chain() -> float:
    """Return what tracing adds to a call of the chain."""
    calling, tracer = chain(), LangChainTracer()

    def call(callbacks: list[Any]) -> None:
        for _ in range(CALLS):
            assert calling.invoke(TEXT, {"callbacks": callbacks}) == TEXT

    found = added(thread_time, partial(call, []), partial(call, [tracer]), wait_for_all_tracers)
    return median(found) / CALLS


def streamed_token(handler: BaseCallbackHandler) -> float:
    """Return what a handler adds to each token of a call that is streamed in async code."""
    model = Streaming()

    async def call(callbacks: list[Any]) -> None:
        count = 0
        async for _ in model.astream("Why?", {"callbacks": callbacks}):
            count += 1
        assert count >= TOKENS

    with asyncio.Runner() as runner:
        bare, heard = (lambda: runner.run(call([]))), (lambda: runner.run(call([handler])))
        found = added(process_time, bare, heard, lambda: None)
    return median(found) / TOKENS


def main() -> None:
    """Measure, and print what was found."""
    gc.freeze()
    found = {
        "chain": traced_chain(),
        "token": streamed_token(Ends()),
        "token, heard": streamed_token(Tokens()),
    }
    runs = (ROUNDS + 1) * CALLS * (LENGTH + 1)
    print(json.dumps({"seconds": found, "runs": runs, "text": TEXT}))


if __name__ == "__main__":
    main()
