"""Runs in sync code: their starts and ends, and the managers of their children."""

from collections.abc import Iterable
from functools import partial

from langchain_core.messages import AIMessage, HumanMessage, SystemMessage

from benchmarks.case import Case, Loop
from benchmarks.handlers import Hears, HearsPrompts
from benchmarks.libraries import Library
from callboard.ids import uuid7

__all__ = ["CASES"]

RUN, PARENT = uuid7(), uuid7()
TAGS = ["tag"]
METADATA = {"tenant": "a", "thread": 7}
INPUTS, OUTPUTS = {"question": "Why?"}, {"answer": "Because."}
# Callboard reads messages by shape; both libraries get langchain-core's, which are its users'.
MESSAGES = [
    [SystemMessage("Be brief."), HumanMessage("Hi"), AIMessage("Hello!"), HumanMessage("Why?")]
]
PROMPTS = ["System: Be brief.\nHuman: Hi\nAI: Hello!\nHuman: Why?"]


def chain(handler: str, count: int, library: Library) -> Loop:
    """Start and end a chain."""
    handlers = [getattr(library, handler)() for _ in range(count)]
    manager = library.callbacks.CallbackManager(
        handlers, parent_run_id=PARENT, tags=TAGS, metadata=METADATA
    )

    def loop(times: Iterable[None]) -> None:
        for _ in times:
            manager.on_chain_start(None, INPUTS).on_chain_end(OUTPUTS)

    return loop


def named_chain(library: Library) -> Loop:
    """Start and end a chain with the keywords that a LangChain runnable gives."""
    manager = library.callbacks.CallbackManager(
        [library.heard()], parent_run_id=PARENT, tags=TAGS, metadata=METADATA
    )

    def loop(times: Iterable[None]) -> None:
        for _ in times:
            run = manager.on_chain_start(None, INPUTS, run_type="chain", name="answer")
            run.on_chain_end(OUTPUTS)

    return loop


def chain_calls(count: int) -> Loop:
    """Call handlers with a chain's start and end."""
    handlers = [Hears() for _ in range(count)]

    def loop(times: Iterable[None]) -> None:
        for _ in times:
            for each in handlers:
                each.on_chain_start(
                    None, INPUTS, run_id=RUN, parent_run_id=PARENT, tags=TAGS, metadata=METADATA
                )
            for each in handlers:
                each.on_chain_end(OUTPUTS, run_id=RUN, parent_run_id=PARENT, tags=TAGS)

    return loop


def named_chain_calls(times: Iterable[None]) -> None:
    """Call a handler with a runnable's start and end."""
    handler = Hears()
    for _ in times:
        handler.on_chain_start(
            None,
            INPUTS,
            run_id=RUN,
            parent_run_id=PARENT,
            tags=TAGS,
            metadata=METADATA,
            run_type="chain",
            name="answer",
        )
        handler.on_chain_end(OUTPUTS, run_id=RUN, parent_run_id=PARENT, tags=TAGS)


def chat_model(handler: str, library: Library) -> Loop:
    """Start a chat model."""
    manager = library.callbacks.CallbackManager(
        [getattr(library, handler)()], parent_run_id=PARENT, tags=TAGS, metadata=METADATA
    )

    def loop(times: Iterable[None]) -> None:
        for _ in times:
            manager.on_chat_model_start({}, MESSAGES)

    return loop


def chat_model_calls(times: Iterable[None]) -> None:
    """Call a handler with a chat model's start."""
    handler = Hears()
    for _ in times:
        handler.on_chat_model_start(
            {}, MESSAGES, run_id=RUN, parent_run_id=PARENT, tags=TAGS, metadata=METADATA
        )


def prompt_calls(times: Iterable[None]) -> None:
    """Call a handler with the same start, reworded."""
    handler = HearsPrompts()
    for _ in times:
        handler.on_llm_start(
            {}, PROMPTS, run_id=RUN, parent_run_id=PARENT, tags=TAGS, metadata=METADATA
        )


def child(library: Library) -> Loop:
    """Make the manager of a run's children."""
    handler = library.heard()
    run = library.callbacks.CallbackManagerForChainRun(
        run_id=RUN,
        handlers=[handler],
        inheritable_handlers=[handler],
        inheritable_tags=TAGS,
        inheritable_metadata=METADATA,
    )

    def loop(times: Iterable[None]) -> None:
        for _ in times:
            run.get_child("seq:step:1")

    return loop


def run_id(library: Library) -> Loop:
    """Make the id of a run."""
    new_id = library.new_id

    def loop(times: Iterable[None]) -> None:
        for _ in times:
            new_id()

    return loop


CASES = [
    Case("chain start + end, heard by 1", partial(chain, "heard", 1), chain_calls(1), 1.8),
    Case("chain start + end, heard by 5", partial(chain, "heard", 5), chain_calls(5), 1.5),
    Case("chain start + end, with keywords", named_chain, named_chain_calls),
    Case("chain start + end, no handlers", partial(chain, "heard", 0)),
    Case("chat model start", partial(chat_model, "heard"), chat_model_calls),
    Case("chat model start, reworded", partial(chat_model, "prompts"), prompt_calls),
    Case("get_child", child),
    Case("run id", run_id),
]
