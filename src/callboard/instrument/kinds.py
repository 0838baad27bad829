"""How each type of run is told to handlers: a row for each kind of event.

Handlers hear a traced function as they hear a model, tool or retriever of a framework. Its
arguments and what it returned go along under their own names (``inputs``, ``outputs``), which
is what tracers record.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple, TypeAlias
from uuid import UUID

from callboard.callbacks.runs import (
    AsyncCallbackManagerForChainRun,
    AsyncCallbackManagerForLLMRun,
    AsyncCallbackManagerForRetrieverRun,
    AsyncCallbackManagerForToolRun,
    BaseRunManager,
    CallbackManagerForChainRun,
    CallbackManagerForLLMRun,
    CallbackManagerForRetrieverRun,
    CallbackManagerForToolRun,
)
from callboard.errors import BadOptionError
from callboard.instrument.answers import conversation_in, model_result, question_in, usage_in
from callboard.payloads import LLMResult
from callboard.usage import Usage
from callboard.wire.operations import measured

__all__ = ["RUN_TYPES", "Answer", "Kind", "kind_of"]


Answer: TypeAlias = tuple[Any, dict[str, Any], Usage | None]
"""What the end of a run tells: what handlers are given, what they are given besides, in a
dictionary of their own, and the tokens that it used, if it told."""


class Kind(NamedTuple):
    """How runs of some types are told.

    Attributes:
        start: Tells a callback manager, of either colour, that one starts: given the run's name,
            its type, its inputs by name, and its id.
        answer: Turns what was returned, and its outputs by name, into what the end tells.
        end: The run manager's method for the end.
        error: The run manager's method for a failure.
        colours: The classes of its run managers: for sync and for async code.
    """

    start: Callable[[Any, str, str, dict[str, Any], UUID], Any]
    answer: Callable[[Any, dict[str, Any]], Answer]
    end: str
    error: str
    colours: tuple[type[BaseRunManager], type[BaseRunManager]]

    def unread(self, outputs: dict[str, Any]) -> Answer:
        """Return what the end tells if nothing more is known of what was returned.

        Args:
            outputs: It, by name.
        """
        if self.answer is _as_it_is:
            return outputs, {}, None
        subject = LLMResult([]) if self.answer is _model_answer else outputs
        return subject, {"outputs": outputs}, None


def _start_chain(
    manager: Any, name: str, run_type: str, inputs: dict[str, Any], run_id: UUID
) -> Any:
    told = measured({"name": name}, len(name))
    if run_type == "chain":
        return manager.on_chain_start(told, inputs, run_id, name=name)
    return manager.on_chain_start(told, inputs, run_id, name=name, run_type=run_type)


def _start_tool(manager: Any, name: str, _: str, inputs: dict[str, Any], run_id: UUID) -> Any:
    question = question_in(inputs)
    return manager.on_tool_start({"name": name}, question, run_id, inputs=inputs, name=name)


def _start_retriever(manager: Any, name: str, _: str, inputs: dict[str, Any], run_id: UUID) -> Any:
    question = question_in(inputs)
    return manager.on_retriever_start({"name": name}, question, run_id, inputs=inputs, name=name)


def _start_model(manager: Any, name: str, _: str, inputs: dict[str, Any], run_id: UUID) -> Any:
    told = {"inputs": inputs, "name": name}
    messages = conversation_in(inputs)
    if messages is not None:
        return manager.on_chat_model_start({"name": name}, [messages], run_id, **told)
    return manager.on_llm_start({"name": name}, [question_in(inputs)], run_id, **told)


def _as_it_is(value: Any, outputs: dict[str, Any]) -> Answer:
    """Chains tell outputs by name themselves, and what has no name as it is."""
    has_no_name = len(outputs) == 1 and outputs.get("output", outputs) is value
    return value if has_no_name else outputs, {}, None


def _by_name(value: Any, outputs: dict[str, Any]) -> Answer:
    return value, {"outputs": outputs}, None


def _documents(value: Any, outputs: dict[str, Any]) -> Answer:
    found = list(value) if isinstance(value, list | tuple) else [value]
    return found, {"outputs": outputs}, None


def _model_answer(value: Any, outputs: dict[str, Any]) -> Answer:
    found = usage_in(value) or usage_in(outputs)
    usage = None if found is None else found[1]
    return model_result(value, found), {"outputs": outputs}, usage


_CHAIN = Kind(
    _start_chain,
    _as_it_is,
    "on_chain_end",
    "on_chain_error",
    (CallbackManagerForChainRun, AsyncCallbackManagerForChainRun),
)
_TOOL = Kind(
    _start_tool,
    _by_name,
    "on_tool_end",
    "on_tool_error",
    (CallbackManagerForToolRun, AsyncCallbackManagerForToolRun),
)
_RETRIEVER = Kind(
    _start_retriever,
    _documents,
    "on_retriever_end",
    "on_retriever_error",
    (CallbackManagerForRetrieverRun, AsyncCallbackManagerForRetrieverRun),
)
_MODEL = Kind(
    _start_model,
    _model_answer,
    "on_llm_end",
    "on_llm_error",
    (CallbackManagerForLLMRun, AsyncCallbackManagerForLLMRun),
)

RUN_TYPES: Mapping[str, Kind] = {
    "chain": _CHAIN,
    "llm": _MODEL,
    "tool": _TOOL,
    "retriever": _RETRIEVER,
    "embedding": _CHAIN,
    "prompt": _CHAIN,
    "parser": _CHAIN,
}
"""The types that a run may have, as LangSmith has them, and how each is told."""


def kind_of(run_type: object) -> Kind:
    """Return how runs of a type are told.

    Args:
        run_type: One of `RUN_TYPES`.

    Raises:
        BadOptionError: There is no such type.
    """
    kind = RUN_TYPES.get(run_type) if isinstance(run_type, str) else None
    if kind is None:
        raise BadOptionError(
            f"Unknown run type {run_type!r}; accepted are {', '.join(RUN_TYPES)}. "
            f"Did you mean name={run_type!r}?"
        )
    return kind
