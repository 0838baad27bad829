"""A support desk that tells callbacks what it does, without any framework, package or server.

It answers questions about Callboard from its documents; a function that follows rules stands in
for the model. Run it, or ask it something: python -m examples.support_desk "What is a group?"
"""

import asyncio
import re
import sys
import time
from typing import Any

from callboard.callbacks import (
    AsyncCallbackManager,
    BaseCallbackHandler,
    CallbackManager,
    Callbacks,
    StreamingStdOutCallbackHandler,
    UsageMetadataCallbackHandler,
    adispatch_custom_event,
    atrace_as_chain_group,
    dispatch_custom_event,
    trace_as_chain_group,
)
from callboard.events import EVENTS
from callboard.payloads import AIMessage, ChatGeneration, Document, HumanMessage, LLMResult
from examples.docs_agent import stand_in
from examples.docs_agent.documents import search

QUESTIONS = [
    "How do I make an exception in a handler stop the application?",
    "Can I switch off on_tool_start, or on_coffee_break?",
]
MORE_QUESTIONS = ["What is a group for?", "How are runs ended when a request is cancelled?"]
MODEL = {"name": "rule_based_stand_in", "model": "rule_based_stand_in"}
SECONDS_A_TOKEN = 0.01


def retrieve(question: str) -> list[Document]:
    """Return the two sections of the documents that fit the question best."""
    return [Document(each.text, {"source": each.source}) for each in search(question, limit=2)]


def describe_event(name: str) -> str:
    """The tool: say who may ignore an event, from Callboard's own table."""
    if name not in EVENTS:
        raise LookupError(f"there is no event {name}")
    return f"{name} is silenced by {EVENTS[name].ignore or 'nothing'}."


def rule_based_stand_in(question: str, facts: list[str], found: list[Document]) -> list[str]:
    """Answer in place of a model, in tokens: the facts, or the sentences nearest the question."""
    texts = facts or [section.page_content for section in found]
    return stand_in.tokens_of(stand_in.answer(question, texts))


def result(prompt: str, tokens: list[str]) -> LLMResult:
    """Wrap an answer up as models do. Where they count tokens, this counts words."""
    taken, given = len(prompt.split()), len(tokens)
    usage = {"input_tokens": taken, "output_tokens": given, "total_tokens": taken + given}
    message = AIMessage("".join(tokens), response_metadata=MODEL, usage_metadata=usage)
    return LLMResult(generations=[[ChatGeneration(message)]])


def answer(question: str, callbacks: Callbacks) -> None:
    """Answer a question, and tell callbacks of each step."""
    manager = CallbackManager.configure(callbacks)
    with trace_as_chain_group("question", manager, inputs={"question": question}) as desk:
        searching = desk.on_retriever_start({"name": "word overlap"}, question)
        found = retrieve(question)
        searching.on_retriever_end(found)
        dispatch_custom_event("sources", [section.metadata["source"] for section in found])

        facts = []
        for name in re.findall(r"\bon_\w+", question):
            looking = desk.on_tool_start({"name": "describe_event"}, name)
            try:
                facts.append(describe_event(name))
                looking.on_tool_end(facts[-1])
            except LookupError as error:
                facts.append(f"Sorry, {error}.")
                looking.on_tool_error(error)

        prompt = "\n".join([question, *facts, *(section.page_content for section in found)])
        [thinking] = desk.on_chat_model_start(MODEL, [[HumanMessage(prompt)]])
        tokens = rule_based_stand_in(question, facts, found)
        for token in tokens:
            time.sleep(SECONDS_A_TOKEN)
            thinking.on_llm_new_token(token)
        thinking.on_llm_end(result(prompt, tokens))
        desk.on_chain_end({"answer": "".join(tokens)})


async def aanswer(question: str, callbacks: Callbacks) -> str:
    """Do the same in async code, but for the tool."""
    manager = AsyncCallbackManager.configure(callbacks)
    async with atrace_as_chain_group("question", manager, inputs={"question": question}) as desk:
        searching = await desk.on_retriever_start({"name": "word overlap"}, question)
        found = await asyncio.to_thread(retrieve, question)
        await searching.on_retriever_end(found)
        await adispatch_custom_event("sources", [section.metadata["source"] for section in found])

        prompt = "\n".join([question, *(section.page_content for section in found)])
        [thinking] = await desk.on_chat_model_start(MODEL, [[HumanMessage(prompt)]])
        tokens = rule_based_stand_in(question, [], found)
        for token in tokens:
            await asyncio.sleep(SECONDS_A_TOKEN)
            await thinking.on_llm_new_token(token)
        await thinking.on_llm_end(result(prompt, tokens))
        await desk.on_chain_end({"answer": "".join(tokens)})
    return "".join(tokens)


async def answer_together(questions: list[str], callbacks: Callbacks) -> list[str]:
    manager = AsyncCallbackManager.configure(callbacks)
    async with atrace_as_chain_group("two at once", manager) as desk:
        return await asyncio.gather(*(aanswer(question, desk) for question in questions))


class RunTree(BaseCallbackHandler):
    """Notes when runs start and end, and shows them as a tree beside the time they took."""

    run_inline = True  # Async code, too, then tells it one thing after the other.

    def __init__(self) -> None:
        self.runs: dict[Any, dict[str, Any]] = {}

    def begin(self, serialized: Any, _: Any, *, run_id: Any, **kwargs: Any) -> None:
        name = kwargs.get("name") or serialized["name"]
        run = {"name": name, "parent": kwargs["parent_run_id"], "notes": []}
        self.runs[run_id] = run | {"began": time.perf_counter()}

    def end(self, _: Any, *, run_id: Any, **kwargs: Any) -> None:
        self.runs[run_id]["ended"] = time.perf_counter()

    def fail(self, error: BaseException, *, run_id: Any, **kwargs: Any) -> None:
        self.runs[run_id]["notes"].append(f"failed: {error}")
        self.end(error, run_id=run_id)

    def on_custom_event(self, name: str, data: Any, *, run_id: Any, **kwargs: Any) -> None:
        self.runs[run_id]["notes"].append(f"{name}: {'; '.join(data) or 'none'}")

    on_chain_start = on_retriever_start = on_tool_start = on_chat_model_start = begin
    on_chain_end = on_retriever_end = on_tool_end = on_llm_end = end
    on_chain_error = on_retriever_error = on_tool_error = on_llm_error = fail

    def lines(self, parent: Any = None, depth: int = 1) -> list[str]:
        origin = min(run["began"] for run in self.runs.values())
        whole = max(run["ended"] for run in self.runs.values()) - origin
        lines = []
        for run_id, run in self.runs.items():
            if run["parent"] == parent:
                start, took = run["began"] - origin, run["ended"] - run["began"]
                bar = " " * int(30 * start / whole) + "=" * max(1, round(30 * took / whole))
                lines.append(f"{'  ' * depth + run['name']:32} {bar:31} {1000 * took:6.1f} ms")
                lines += [f"{'  ' * depth}  * {note}" for note in run["notes"]]
                lines += self.lines(run_id, depth + 1)
        return lines


def main(asked: list[str]) -> None:
    print("Callboard's support desk. It answers from docs/*.md; a stand-in plays the model.\n")
    usage = UsageMetadataCallbackHandler()
    for question in asked or QUESTIONS:
        tree = RunTree()
        print(f"You:   {question}\nDesk:  ", end="")
        answer(question, [StreamingStdOutCallbackHandler(), tree, usage])
        print("\n\nWhat happened, and when:", *tree.lines(), "", sep="\n")

    if not asked:
        tree = RunTree()
        answers = asyncio.run(answer_together(MORE_QUESTIONS, [tree, usage]))
        for question, told in zip(MORE_QUESTIONS, answers, strict=True):
            print(f"You:   {question}\nDesk:  {told}\n")
        print("What happened: async code, so both at once:", *tree.lines(), "", sep="\n")

    print("Tokens used, counted in words, for a stand-in has no tokens:")
    for model, counts in usage.usage_metadata.items():
        print(f"  {model}: {counts['input_tokens']} in, {counts['output_tokens']} out")


if __name__ == "__main__":
    main(sys.argv[1:])
