"""LangChain tools that ask for consent before they run, and so before their run begins.

They are known by their shape. Asked for are the inputs that a model gives; those that are injected
are kept. Edited inputs go through the tool's own validation, and are what is recorded.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from callboard.integrations.asking import verdict
from callboard.integrations.consent import Consent, edited
from callboard.integrations.decisions import Decision, Edit, Reject, ToolRequest

__all__ = ["approved_langchain_tool", "is_langchain_tool"]


def is_langchain_tool(tool: Any) -> bool:
    """Whether something is a tool of LangChain's.

    Args:
        tool: Anything.
    """
    return all(hasattr(tool, name) for name in ("run", "arun", "args", "model_copy"))


def approved_langchain_tool(tool: Any, consent: Consent) -> Any:
    """Return a copy of a tool that asks before it runs.

    Args:
        tool: The tool.
        consent: Who is asked.
    """
    kind: Any = type(tool)

    class Approved(kind):  # type: ignore[misc]
        def run(self, tool_input: Any, *args: Any, **kwargs: Any) -> Any:
            request = _request(self, tool_input, kwargs)
            decision = consent.ask(request)
            if isinstance(decision, Reject):
                return consent.refused(request, decision)
            given = _as_decided(self, tool_input, request, decision, kwargs)
            return super().run(given, *args, **kwargs)

        async def arun(self, tool_input: Any, *args: Any, **kwargs: Any) -> Any:
            request = _request(self, tool_input, kwargs)
            decision = await consent.aask(request)
            if isinstance(decision, Reject):
                return consent.refused(request, decision)
            given = _as_decided(self, tool_input, request, decision, kwargs)
            return await super().arun(given, *args, **kwargs)

    if kind.ainvoke.__module__.startswith("langchain_core."):
        # That of sync tools goes to `run`, in a thread: who is asked would not be asked in the
        # application's event loop. Where `arun` is, there is the one that goes there.
        home: Any = next(each for each in kind.__mro__ if "arun" in vars(each))
        Approved.ainvoke = home.ainvoke
    Approved.__name__, Approved.__qualname__ = kind.__name__, kind.__qualname__
    twin = tool.model_copy()
    object.__setattr__(twin, "__class__", Approved)
    return twin


def _request(tool: Any, given: Any, told: Mapping[str, Any]) -> ToolRequest:
    if isinstance(given, Mapping):
        inputs = {name: each for name, each in given.items() if name in tool.args}
    else:
        inputs = {next(iter(tool.args), "input"): given}
    call = told.get("tool_call_id")
    return ToolRequest.of(str(inputs), str(tool.name), inputs, tool_call_id=call)


def _as_decided(
    tool: Any, given: Any, request: ToolRequest, decision: Decision, told: dict[str, Any]
) -> Any:
    """Return what to call the tool with, and have its run tell what was decided."""
    told["metadata"] = {**(told.get("metadata") or {}), "approval": verdict(decision)["decision"]}
    if not isinstance(decision, Edit):
        return given
    injected = given if isinstance(given, Mapping) else {}
    kept = {name: each for name, each in injected.items() if name not in request.inputs}
    return {**kept, **edited(decision, request, tool.args)}
