"""Managers, groups, custom events and dispatch by name."""

from __future__ import annotations

from typing import Any, assert_type
from uuid import UUID

from callboard.callbacks import (
    AsyncCallbackManager,
    AsyncCallbackManagerForChainGroup,
    AsyncCallbackManagerForChainRun,
    BaseCallbackHandler,
    BaseCallbackManager,
    CallbackManager,
    CallbackManagerForChainGroup,
    CallbackManagerForChainRun,
    Callbacks,
    adispatch_custom_event,
    ahandle_event,
    atrace_as_chain_group,
    dispatch_custom_event,
    handle_event,
    shielded,
    trace_as_chain_group,
)


def configured(callbacks: Callbacks, handler: BaseCallbackHandler) -> None:
    """Configure managers."""
    assert_type(CallbackManager.configure(), CallbackManager)
    assert_type(
        CallbackManager.configure(
            callbacks,
            [handler],
            verbose=True,
            inheritable_tags=["a"],
            local_tags=None,
            inheritable_metadata={"a": 1},
            local_metadata={},
            langsmith_inheritable_metadata={"a": 1},
            langsmith_inheritable_tags=["a"],
        ),
        CallbackManager,
    )
    assert_type(AsyncCallbackManager.configure(CallbackManager([])), AsyncCallbackManager)

    CallbackManager.configure(handler)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    CallbackManager.configure("x")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    CallbackManager.configure(inheritable_tags="x")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    CallbackManager.configure(local_metadata=["x"])  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    CallbackManager.configure(tags=["x"])  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    AsyncCallbackManager.configure(local_tags=[1])  # type: ignore[list-item]  # pyright: ignore[reportArgumentType]


def changed(manager: CallbackManager, handler: BaseCallbackHandler, run_id: UUID) -> None:
    """Make managers and change them."""
    CallbackManager([handler], None, run_id, tags=["a"], inheritable_metadata={"a": 1})
    assert_type(manager.copy(), CallbackManager)
    assert_type(manager.merge(AsyncCallbackManager([])), CallbackManager)
    assert_type(manager.handlers, list[BaseCallbackHandler])
    assert_type(manager.inheritable_handlers, list[BaseCallbackHandler])
    assert_type(manager.parent_run_id, UUID | None)
    assert_type(manager.tags, list[str])
    assert_type(manager.inheritable_metadata, dict[str, Any])
    manager.add_handler(handler, inherit=False)
    manager.remove_handler(handler)
    manager.set_handlers([handler])
    manager.set_handler(handler, False)
    manager.add_tags(["a"], inherit=False)
    manager.remove_tags(["a"])
    manager.add_metadata({"a": 1})
    manager.remove_metadata(["a"])

    CallbackManager()  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    CallbackManager([], tags="x")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    CallbackManager([], None, None, ["x"])  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    CallbackManager([], parent_run_id="x")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    manager.add_handler(BaseCallbackHandler)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    manager.set_handlers(handler)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    manager.add_tags("a")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    manager.add_tags([1])  # type: ignore[list-item]  # pyright: ignore[reportArgumentType]
    manager.remove_tags()  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    manager.add_metadata(["a"])  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    manager.merge(handler)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    manager.merge([])  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]


def groups(manager: CallbackManager, other: AsyncCallbackManager, run_id: UUID) -> None:
    """Group calls, in sync code."""
    with trace_as_chain_group("g", manager, inputs={}, run_id=run_id, tags=["a"]) as group:
        assert_type(group, CallbackManagerForChainGroup)
        assert_type(group.parent_run_manager, CallbackManagerForChainRun)
        assert_type(group.ended, bool)
        assert_type(group.copy(), CallbackManagerForChainGroup)
        assert_type(group.merge(manager), CallbackManagerForChainGroup)
        group.on_chain_end({"a": 1})
        group.on_chain_error(ValueError("x"))
        group.on_chain_error("x")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]

    trace_as_chain_group()  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    trace_as_chain_group("g", other)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    trace_as_chain_group("g", tags="x")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    trace_as_chain_group("g", run_id="x")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    with trace_as_chain_group("g", manager, {}):  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
        pass


async def async_groups(manager: AsyncCallbackManager, other: CallbackManager) -> None:
    """Group calls, in async code."""
    async with atrace_as_chain_group("g", manager, inputs={}) as group:
        assert_type(group, AsyncCallbackManagerForChainGroup)
        assert_type(group.parent_run_manager, AsyncCallbackManagerForChainRun)
        assert_type(group.copy(), AsyncCallbackManagerForChainGroup)
        await group.on_chain_end({"a": 1})
        await group.on_chain_error(ValueError("x"))
        group.on_chain_end({})  # type: ignore[unused-coroutine]  # pyright: ignore[reportUnusedCoroutine]
        group.on_chain_error(ValueError())  # type: ignore[unused-coroutine]  # pyright: ignore[reportUnusedCoroutine]

    atrace_as_chain_group("g", other)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    with atrace_as_chain_group("g"):  # type: ignore[attr-defined]  # pyright: ignore[reportGeneralTypeIssues]
        pass
    async with trace_as_chain_group("g"):  # type: ignore[attr-defined]  # pyright: ignore[reportGeneralTypeIssues]
        pass


async def custom_events(manager: BaseCallbackManager) -> None:
    """Dispatch events of an application's own."""
    dispatch_custom_event("mine", {"any": "data"})
    dispatch_custom_event("mine", 1, config={"callbacks": manager})
    await adispatch_custom_event("mine", 1, config=None)

    adispatch_custom_event("mine", 1)  # type: ignore[unused-coroutine]  # pyright: ignore[reportUnusedCoroutine]
    await dispatch_custom_event("mine", 1)  # type: ignore[func-returns-value, misc]  # pyright: ignore[reportGeneralTypeIssues]
    dispatch_custom_event("mine")  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    dispatch_custom_event(1, 1)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    dispatch_custom_event("mine", 1, {})  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    dispatch_custom_event("mine", 1, config=manager)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]


@shielded
async def shielded_work(number: int) -> str:
    """Work that is not to be cancelled."""
    return str(number)


async def by_name(handlers: list[BaseCallbackHandler], run_id: UUID) -> None:
    """Dispatch by name."""
    handle_event(handlers, "on_llm_end", "ignore_llm", {}, run_id=run_id)
    handle_event(handlers, "on_text", None, "x", run_id=run_id)
    await ahandle_event(handlers, "on_llm_end", "ignore_llm", {}, run_id=run_id)
    assert_type(await shielded_work(1), str)

    ahandle_event(handlers, "on_text", None, "x")  # type: ignore[unused-coroutine]  # pyright: ignore[reportUnusedCoroutine]
    shielded_work(1)  # type: ignore[unused-coroutine]  # pyright: ignore[reportUnusedCoroutine]
    await shielded_work("x")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    handle_event(handlers, "on_text")  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    handle_event(handlers, 1, None)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    handle_event(handlers[0], "on_text", None)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    shielded(print)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
