"""Runs in async code: every forgotten ``await`` is seen."""

from __future__ import annotations

from typing import assert_type
from uuid import UUID

from callboard.callbacks import (
    AsyncCallbackManager,
    AsyncCallbackManagerForChainRun,
    AsyncCallbackManagerForLLMRun,
    AsyncCallbackManagerForRetrieverRun,
    AsyncCallbackManagerForToolRun,
    AsyncRunManager,
    CallbackManagerForChainRun,
    CallbackManagerForLLMRun,
    CallbackManagerForRetrieverRun,
    CallbackManagerForToolRun,
    RunManager,
)
from callboard.payloads import AgentAction, AgentFinish, Document, HumanMessage, LLMResult


async def starts(manager: AsyncCallbackManager, run_id: UUID) -> None:
    """Start a run of each kind."""
    assert_type(await manager.on_llm_start({}, ["hi"]), list[AsyncCallbackManagerForLLMRun])
    assert_type(
        await manager.on_chat_model_start({}, [[HumanMessage("hi")]], run_id=run_id),
        list[AsyncCallbackManagerForLLMRun],
    )
    assert_type(
        await manager.on_chain_start(None, {"q": 1}, name="c"), AsyncCallbackManagerForChainRun
    )
    assert_type(
        await manager.on_tool_start(None, "1+1", run_id, inputs={"a": 1}),
        AsyncCallbackManagerForToolRun,
    )
    assert_type(await manager.on_retriever_start({}, "q"), AsyncCallbackManagerForRetrieverRun)
    await manager.on_custom_event("mine", {"any": "data"}, run_id)


async def forgotten_starts(manager: AsyncCallbackManager) -> None:
    """Start runs, and forget to await it."""
    manager.on_llm_start({}, ["hi"])  # type: ignore[unused-coroutine]  # pyright: ignore[reportUnusedCoroutine]
    manager.on_chat_model_start({}, [[]])  # type: ignore[unused-coroutine]  # pyright: ignore[reportUnusedCoroutine]
    manager.on_chain_start(None, {})  # type: ignore[unused-coroutine]  # pyright: ignore[reportUnusedCoroutine]
    manager.on_tool_start(None, "x")  # type: ignore[unused-coroutine]  # pyright: ignore[reportUnusedCoroutine]
    manager.on_retriever_start(None, "q")  # type: ignore[unused-coroutine]  # pyright: ignore[reportUnusedCoroutine]
    manager.on_custom_event("mine", 1)  # type: ignore[unused-coroutine]  # pyright: ignore[reportUnusedCoroutine]
    manager.on_chain_start(None, {}).on_chain_end({})  # type: ignore[attr-defined]  # pyright: ignore[reportAttributeAccessIssue]


async def wrong_starts(manager: AsyncCallbackManager) -> None:
    """Start runs with the wrong arguments."""
    await manager.on_llm_start({}, 1)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    await manager.on_llm_start({}, ["hi"], run_id="x")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    await manager.on_chat_model_start({})  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    await manager.on_chain_start(None)  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    await manager.on_tool_start(None, 1)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    await manager.on_retriever_start(None, 1)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    await manager.on_custom_event(1, None)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]


async def models(run: AsyncCallbackManagerForLLMRun) -> None:
    """Tell of a model run."""
    assert_type(run.get_sync(), CallbackManagerForLLMRun)
    await run.on_llm_new_token("hi", chunk=object())
    await run.on_stream_event({"event": "message-start"})
    await run.on_llm_end(LLMResult([[]]))
    await run.on_llm_error(ValueError("x"))
    await run.on_text("x")
    await run.on_retry(object())

    run.on_llm_new_token("hi")  # type: ignore[unused-coroutine]  # pyright: ignore[reportUnusedCoroutine]
    run.on_stream_event({})  # type: ignore[unused-coroutine]  # pyright: ignore[reportUnusedCoroutine]
    run.on_llm_end(LLMResult([[]]))  # type: ignore[unused-coroutine]  # pyright: ignore[reportUnusedCoroutine]
    run.on_llm_error(ValueError("x"))  # type: ignore[unused-coroutine]  # pyright: ignore[reportUnusedCoroutine]
    run.on_text("x")  # type: ignore[unused-coroutine]  # pyright: ignore[reportUnusedCoroutine]
    run.on_retry(object())  # type: ignore[unused-coroutine]  # pyright: ignore[reportUnusedCoroutine]

    await run.on_llm_new_token(1)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    await run.on_llm_end()  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    await run.on_llm_error("x")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    await run.on_text(1)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]


async def chains(run: AsyncCallbackManagerForChainRun) -> None:
    """Tell of a chain run."""
    assert_type(run.get_sync(), CallbackManagerForChainRun)
    assert_type(run.get_child("step"), AsyncCallbackManager)
    await run.on_agent_action(AgentAction("t", "x"))
    await run.on_agent_finish(AgentFinish({}))
    await run.on_chain_end({"a": 1})
    await run.on_chain_error(KeyboardInterrupt())

    run.on_agent_action(AgentAction("t", "x"))  # type: ignore[unused-coroutine]  # pyright: ignore[reportUnusedCoroutine]
    run.on_agent_finish(AgentFinish({}))  # type: ignore[unused-coroutine]  # pyright: ignore[reportUnusedCoroutine]
    run.on_chain_end({})  # type: ignore[unused-coroutine]  # pyright: ignore[reportUnusedCoroutine]
    run.on_chain_error(ValueError())  # type: ignore[unused-coroutine]  # pyright: ignore[reportUnusedCoroutine]
    run.on_text("x")  # type: ignore[unused-coroutine]  # pyright: ignore[reportUnusedCoroutine]
    run.on_retry(object())  # type: ignore[unused-coroutine]  # pyright: ignore[reportUnusedCoroutine]

    await run.on_chain_error("x")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]


async def tools(run: AsyncCallbackManagerForToolRun) -> None:
    """Tell of a tool run."""
    assert_type(run.get_sync(), CallbackManagerForToolRun)
    assert_type(run.get_child(), AsyncCallbackManager)
    await run.on_tool_end("4")
    await run.on_tool_error(ValueError("x"))

    run.on_tool_end("4")  # type: ignore[unused-coroutine]  # pyright: ignore[reportUnusedCoroutine]
    run.on_tool_error(ValueError())  # type: ignore[unused-coroutine]  # pyright: ignore[reportUnusedCoroutine]
    run.on_text("x")  # type: ignore[unused-coroutine]  # pyright: ignore[reportUnusedCoroutine]
    run.on_retry(object())  # type: ignore[unused-coroutine]  # pyright: ignore[reportUnusedCoroutine]

    await run.on_tool_error("x")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]


async def retrievers(run: AsyncCallbackManagerForRetrieverRun) -> None:
    """Tell of a retriever run."""
    assert_type(run.get_sync(), CallbackManagerForRetrieverRun)
    assert_type(run.get_child(), AsyncCallbackManager)
    await run.on_retriever_end([Document("x")])
    await run.on_retriever_error(ValueError("x"))

    run.on_retriever_end([])  # type: ignore[unused-coroutine]  # pyright: ignore[reportUnusedCoroutine]
    run.on_retriever_error(ValueError())  # type: ignore[unused-coroutine]  # pyright: ignore[reportUnusedCoroutine]
    run.on_text("x")  # type: ignore[unused-coroutine]  # pyright: ignore[reportUnusedCoroutine]
    run.on_retry(object())  # type: ignore[unused-coroutine]  # pyright: ignore[reportUnusedCoroutine]

    await run.on_retriever_end(1)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]


def bases(run: AsyncRunManager) -> None:
    """Use what every async run has."""
    assert_type(run.get_sync(), RunManager)
    AsyncRunManager(run_id=run.run_id, handlers=[], inheritable_handlers=[])  # type: ignore[abstract]  # pyright: ignore[reportAbstractUsage]
