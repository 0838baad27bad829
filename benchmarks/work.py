"""What is traced: chains that are given and return text, and a chat model's run."""

from dataclasses import dataclass, field
from typing import Any

from langchain_core.load import dumpd
from langchain_core.messages import AIMessage, BaseMessage, HumanMessage
from langchain_core.outputs import ChatGeneration, LLMResult

from benchmarks.receiver import digest

__all__ = ["Work", "chat_work", "text_work"]


@dataclass(frozen=True)
class Work:
    """One run: what it is given and what it returns.

    Attributes:
        inputs: What must arrive as its inputs.
        outputs: What must arrive as its outputs.
        messages: What a chat model is given; a chain, if it is empty.
        result: What the chat model returns.
        serialized: What the chat model is.
        options: What its start tells besides.
    """

    inputs: dict[str, Any]
    outputs: dict[str, Any]
    messages: list[BaseMessage] = field(default_factory=list)
    result: LLMResult | None = None
    serialized: dict[str, Any] = field(default_factory=dict)
    options: dict[str, Any] = field(default_factory=dict)

    @property
    def content(self) -> str:
        """The digest of what must arrive."""
        return digest(self.inputs, self.outputs)

    @property
    def question(self) -> str:
        """The text that a function is given."""
        return str(self.inputs["question"])

    @property
    def answer(self) -> str:
        """The text that a function returns."""
        return str(self.outputs["output"])


def text_work(size: int) -> Work:
    """Return a run with that many characters in, and as many out."""
    return Work({"question": _text(size)}, {"output": _text(size)})


def chat_work(count: int, size: int, model: str = "model-1") -> Work:
    """Return a chat model's run with so many messages of LangChain's, so many characters in all."""
    messages = [
        (AIMessage if number % 2 else HumanMessage)(_text(size // count), id=f"message-{number}")
        for number in range(count)
    ]
    usage = {"input_tokens": size // 4, "output_tokens": 50, "total_tokens": size // 4 + 50}
    answer = AIMessage(
        _text(200),
        id="answer",
        usage_metadata=usage,
        response_metadata={"model_name": model, "finish_reason": "stop"},
    )
    result = LLMResult(generations=[[ChatGeneration(message=answer)]])
    return Work(
        {"messages": [[dumpd(message) for message in messages]]},
        _told(result),
        messages,
        result,
        {"lc": 1, "type": "not_implemented", "id": ["models", "ChatModel"], "name": "ChatModel"},
        {
            "invocation_params": {"model": model, "temperature": 0.5, "_type": "chat"},
            "options": {"stop": None},
            "name": "ChatModel",
            "batch_size": 1,
        },
    )


def _told(result: LLMResult) -> dict[str, Any]:
    """Return a result as langchain-core's tracer tells it: a dictionary, messages in their form."""
    told = result.model_dump()
    for candidates, originals in zip(told["generations"], result.generations, strict=True):
        for candidate, original in zip(candidates, originals, strict=True):
            assert isinstance(original, ChatGeneration)
            candidate["message"] = dumpd(original.message)
    return told


def _text(size: int) -> str:
    line = 'The quick brown fox jumps over the lazy dog, and then it "rests".\n'
    return (line * (size // len(line) + 1))[:size]
