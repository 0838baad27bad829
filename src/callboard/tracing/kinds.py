"""What runs are told of with: for each kind of run, the keys of its inputs and outputs.

One row a kind. Recorder and tracers read this table. The three formats that runs come in differ
here alone: *original*, what tracers are used to; *original+chat*, the same with chat models told
apart from text models; *streaming_events*, what the event stream shows, in which every input
and output is under one key, whatever it is.
"""

from __future__ import annotations

from typing import Any, Literal, NamedTuple, TypeAlias, TypeGuard

__all__ = [
    "CHAIN",
    "CHAT_MODEL",
    "LLM",
    "RETRIEVER",
    "TOOL",
    "Kind",
    "SchemaFormat",
    "is_unknown",
]

SchemaFormat: TypeAlias = Literal["original", "original+chat", "streaming_events"]
FORMATS = ("original", "original+chat", "streaming_events")


class Kind(NamedTuple):
    """One kind of run.

    Attributes:
        run_type: What it is called.
        input_key: Where its input goes.
        output_key: Where its output goes; None if the output is spread out instead.
        wraps: Whether input and output that are dictionaries stand for themselves.
    """

    run_type: str
    input_key: str
    output_key: str | None
    wraps: bool = False

    def inputs(self, given: Any, schema_format: SchemaFormat) -> dict[str, Any]:
        """Return what the run was given, as the dictionary that a run has for it."""
        if self.wraps and schema_format != "streaming_events" and _is_dict(given):
            return given
        return {self.input_key: given}

    def outputs(self, returned: Any, schema_format: SchemaFormat) -> dict[str, Any]:
        """Return what the run returned, as the dictionary that a run has for it."""
        spread = self.output_key is None or (self.wraps and schema_format != "streaming_events")
        if spread and _is_dict(returned):
            return returned
        return {self.output_key or "output": returned}


LLM = Kind("llm", "prompts", None)
CHAT_MODEL = Kind("chat_model", "messages", None)
CHAIN = Kind("chain", "input", "output", wraps=True)
TOOL = Kind("tool", "input", "output")
RETRIEVER = Kind("retriever", "query", "documents")


def is_unknown(inputs: Any) -> bool:
    """Whether inputs are what LangChain passes for those that stream in and aren't there yet.

    Args:
        inputs: What a chain's start tells.
    """
    if not (_is_dict(inputs) and len(inputs) == 1):
        return False
    value = inputs.get("input")
    return issubclass(type(value), str) and not value


def _is_dict(value: Any) -> TypeGuard[dict[str, Any]]:
    # Not by `isinstance`: that asks an object what it is, which may raise.
    return issubclass(type(value), dict)
