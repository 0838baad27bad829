"""Runs in sync code: what managers start, and what is told of it."""

from __future__ import annotations

from typing import Any, assert_type
from uuid import UUID

from callboard.callbacks import (
    CallbackManager,
    CallbackManagerForChainRun,
    CallbackManagerForLLMRun,
    CallbackManagerForRetrieverRun,
    CallbackManagerForToolRun,
    ParentRunManager,
    RunManager,
)
from callboard.payloads import AgentAction, AgentFinish, Document, HumanMessage, LLMResult


def starts(manager: CallbackManager, run_id: UUID) -> None:
    """Start a run of each kind."""
    assert_type(manager.on_llm_start({}, ["hi"]), list[CallbackManagerForLLMRun])
    assert_type(
        manager.on_chat_model_start({}, [[HumanMessage("hi")]], run_id=run_id),
        list[CallbackManagerForLLMRun],
    )
    assert_type(manager.on_chain_start(None, {"q": 1}, name="c"), CallbackManagerForChainRun)
    assert_type(
        manager.on_tool_start(None, "1+1", run_id, None, {"a": 1}), CallbackManagerForToolRun
    )
    assert_type(manager.on_retriever_start({}, "q"), CallbackManagerForRetrieverRun)
    assert_type(manager.is_async, bool)
    manager.on_custom_event("mine", {"any": "data"}, run_id)


def wrong_starts(manager: CallbackManager) -> None:
    """Start runs with the wrong arguments."""
    manager.on_llm_start({}, 1)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    manager.on_llm_start({}, [1])  # type: ignore[list-item]  # pyright: ignore[reportArgumentType]
    manager.on_llm_start({})  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    manager.on_llm_start({}, ["hi"], run_id="x")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    manager.on_chat_model_start({}, [HumanMessage("hi")])  # type: ignore[list-item]  # pyright: ignore[reportArgumentType]
    manager.on_chain_start("c", {})  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    manager.on_chain_start(None)  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    manager.on_tool_start(None, 1)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    manager.on_tool_start(None, "x", inputs="x")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    manager.on_retriever_start(None, ["q"])  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    manager.on_custom_event(1, None)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    manager.on_custom_event("mine")  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    manager.on_lunch_start({})  # type: ignore[attr-defined]  # pyright: ignore[reportAttributeAccessIssue]


def models(run: CallbackManagerForLLMRun) -> None:
    """Tell of a model run."""
    run.on_llm_new_token("hi")
    run.on_llm_new_token([{"type": "text"}, "x"], chunk=object(), more=1)
    run.on_stream_event({"event": "message-start"})
    run.on_llm_end(LLMResult([[]]))
    run.on_llm_error(ValueError("x"), response=LLMResult([[]]))
    run.on_text("x", color="red")
    run.on_retry(object())

    run.on_llm_new_token(1)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    run.on_llm_new_token("hi", "chunk")  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    run.on_llm_new_token()  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    run.on_llm_end()  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    run.on_llm_error("x")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    run.on_text(1)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    run.on_retry()  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    run.get_child()  # type: ignore[attr-defined]  # pyright: ignore[reportAttributeAccessIssue]
    run.on_chain_end({})  # type: ignore[attr-defined]  # pyright: ignore[reportAttributeAccessIssue]


def chains(run: CallbackManagerForChainRun) -> None:
    """Tell of a chain run."""
    run.on_agent_action(AgentAction("t", "x"))
    run.on_agent_finish(AgentFinish({}))
    run.on_chain_end({"a": 1})
    run.on_chain_end("any value")
    run.on_chain_error(KeyboardInterrupt())

    run.on_agent_action()  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    run.on_agent_finish()  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    run.on_chain_end()  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    run.on_chain_error("x")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]


def tools(run: CallbackManagerForToolRun) -> None:
    """Tell of a tool run."""
    run.on_tool_end("4", color="red")
    run.on_tool_error(ValueError("x"))

    run.on_tool_end()  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    run.on_tool_error("x")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]


def retrievers(run: CallbackManagerForRetrieverRun) -> None:
    """Tell of a retriever run."""
    run.on_retriever_end([Document("x")])
    run.on_retriever_error(ValueError("x"))

    run.on_retriever_end(1)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    run.on_retriever_error("x")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]


async def awaited(run: CallbackManagerForChainRun, manager: CallbackManager) -> None:
    """Await what is no coroutine."""
    await run.on_chain_end({})  # type: ignore[misc]  # pyright: ignore[reportGeneralTypeIssues]
    await manager.on_chain_start(None, {})  # type: ignore[misc]  # pyright: ignore[reportGeneralTypeIssues]


def anything(run: ParentRunManager) -> None:
    """Read what every run has."""
    assert_type(run.get_child(), CallbackManager)
    assert_type(run.get_child("step"), CallbackManager)
    assert_type(run.run_id, UUID)
    assert_type(run.parent_run_id, UUID | None)
    assert_type(run.tags, list[str])
    assert_type(run.metadata, dict[str, Any])
    assert_type(RunManager.get_noop_manager(), RunManager)
    assert_type(CallbackManagerForLLMRun.get_noop_manager(), CallbackManagerForLLMRun)
    assert_type(run.on_text("x"), None)

    run.get_child(1)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    RunManager(run_id="x", handlers=[], inheritable_handlers=[])  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    RunManager(handlers=[], inheritable_handlers=[])  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    RunManager(run_id=run.run_id, handlers=[], inheritable_handlers=[], tags="x")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
