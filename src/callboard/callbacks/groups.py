"""Chain groups: several calls under one run, though no chain composes them."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Generator
from contextlib import asynccontextmanager, contextmanager
from typing import TYPE_CHECKING, Any, ClassVar, Generic, TypeVar

from callboard.callbacks.base_manager import BaseCallbackManager, new_run
from callboard.callbacks.checks import check_colour
from callboard.callbacks.handlers import BaseCallbackHandler
from callboard.callbacks.managers import AsyncCallbackManager, CallbackManager
from callboard.callbacks.runs import (
    AsyncCallbackManagerForChainRun,
    AsyncRunManager,
    BaseRunManager,
    CallbackManagerForChainRun,
    RunManager,
)
from callboard.callbacks.surroundings import surroundings, within

if TYPE_CHECKING:
    from uuid import UUID

__all__ = [
    "AsyncCallbackManagerForChainGroup",
    "CallbackManagerForChainGroup",
    "atrace_as_chain_group",
    "trace_as_chain_group",
]


Run = TypeVar("Run", bound=BaseRunManager)


class _Ending:
    """Whether a group's run has ended; shared by the copies of its manager."""

    __slots__ = ("reached",)

    def __init__(self) -> None:
        self.reached = False


class _Group(BaseCallbackManager, Generic[Run]):
    """What a group's manager knows of the group's own run, in either colour."""

    _own_colour: ClassVar[type]
    _other_colour: ClassVar[type]

    def __init__(
        self,
        handlers: list[BaseCallbackHandler],
        inheritable_handlers: list[BaseCallbackHandler] | None = None,
        parent_run_id: UUID | None = None,
        *,
        parent_run_manager: Run,
        **kwargs: Any,
    ) -> None:
        """Make the manager of a group; `trace_as_chain_group` and its twin do.

        Args:
            handlers: Who hears of the group's runs.
            inheritable_handlers: Who hears of the runs inside those.
            parent_run_id: The group's own run.
            parent_run_manager: That run's manager.
            **kwargs: Tags and metadata: see `BaseCallbackManager`.

        Raises:
            WrongColourError: The run's manager is of the other colour.
        """
        check_colour(
            parent_run_manager,
            wanted=self._own_colour,
            other=self._other_colour,
            instead="a group and its run are both sync or both async",
        )
        super().__init__(handlers, inheritable_handlers, parent_run_id, **kwargs)
        self.parent_run_manager = parent_run_manager
        self._ending = _Ending()

    @property
    def ended(self) -> bool:
        """Whether the group's run has been ended, through this manager or a copy of it."""
        return self._ending.reached

    @ended.setter
    def ended(self, value: bool) -> None:
        self._ending.reached = value


class CallbackManagerForChainGroup(CallbackManager, _Group[CallbackManagerForChainRun]):
    """Starts the runs of a group, and can end the group's own, from sync code."""

    _own_colour = CallbackManagerForChainRun
    _other_colour = AsyncRunManager

    def on_chain_end(self, outputs: dict[str, Any] | Any, **kwargs: Any) -> None:
        """End the group's run with its outputs: see `ChainManagerMixin.on_chain_end`."""
        self.ended = True
        self.parent_run_manager.on_chain_end(outputs, **kwargs)

    def on_chain_error(self, error: BaseException, **kwargs: Any) -> None:
        """End the group's run with an error: see `ChainManagerMixin.on_chain_error`."""
        self.ended = True
        self.parent_run_manager.on_chain_error(error, **kwargs)


class AsyncCallbackManagerForChainGroup(
    AsyncCallbackManager, _Group[AsyncCallbackManagerForChainRun]
):
    """Starts the runs of a group, and can end the group's own, from async code."""

    _own_colour = AsyncCallbackManagerForChainRun
    _other_colour = RunManager

    async def on_chain_end(self, outputs: dict[str, Any] | Any, **kwargs: Any) -> None:
        """End the group's run with its outputs: see `ChainManagerMixin.on_chain_end`."""
        self.ended = True
        await self.parent_run_manager.on_chain_end(outputs, **kwargs)

    async def on_chain_error(self, error: BaseException, **kwargs: Any) -> None:
        """End the group's run with an error: see `ChainManagerMixin.on_chain_error`."""
        self.ended = True
        await self.parent_run_manager.on_chain_error(error, **kwargs)


@contextmanager
def trace_as_chain_group(
    group_name: str,
    callback_manager: CallbackManager | None = None,
    *,
    inputs: dict[str, Any] | None = None,
    project_name: str | None = None,
    address: Any | None = None,
    example_id: str | UUID | None = None,
    run_id: UUID | None = None,
    tags: list[str] | None = None,
    metadata: dict[str, Any] | None = None,
) -> Generator[CallbackManagerForChainGroup, None, None]:
    """Group calls under one run, for the length of a block.

    The group's run always ends: with what is passed to the manager's ``on_chain_end``, else
    with no outputs, or with the exception that leaves the block, whichever it is.

    Args:
        group_name: The run's name.
        callback_manager: Who hears of the group, besides tracers.
        inputs: The run's inputs.
        project_name: The project to trace into, if tracing is on.
        address: The agent address to trace to, instead of a project.
        example_id: The dataset example that the group runs.
        run_id: The run's id; made if not given.
        tags: Tags of the run and of those inside it.
        metadata: Metadata of the run and of those inside it.

    Yields:
        The manager to pass on as callbacks to the calls in the group.

    Raises:
        WrongColourError: The manager is an async one.
    """
    check_colour(
        callback_manager,
        wanted=CallbackManager,
        other=AsyncCallbackManager,
        instead="use atrace_as_chain_group",
    )
    callbacks = surroundings().group_callbacks(
        callback_manager, project_name=project_name, example_id=example_id, address=address
    )
    manager = CallbackManager.configure(
        callbacks, inheritable_tags=tags, inheritable_metadata=metadata
    )
    run = new_run(manager, CallbackManagerForChainRun, run_id)
    group = CallbackManagerForChainGroup(**vars(run.get_child()), parent_run_manager=run)
    with within(group):
        try:
            # Inside, for a start that fails may have been heard by then.
            manager.on_chain_start({"name": group_name}, inputs or {}, run_id=run.run_id)
            yield group
        except BaseException as error:
            if not group.ended:
                group.on_chain_error(error)
            raise
        if not group.ended:
            group.on_chain_end({})


@asynccontextmanager
async def atrace_as_chain_group(
    group_name: str,
    callback_manager: AsyncCallbackManager | None = None,
    *,
    inputs: dict[str, Any] | None = None,
    project_name: str | None = None,
    address: Any | None = None,
    example_id: str | UUID | None = None,
    run_id: UUID | None = None,
    tags: list[str] | None = None,
    metadata: dict[str, Any] | None = None,
) -> AsyncGenerator[AsyncCallbackManagerForChainGroup, None]:
    """Group calls under one run, for the length of a block: see `trace_as_chain_group`.

    Raises:
        WrongColourError: The manager is a sync one.
    """
    check_colour(
        callback_manager,
        wanted=AsyncCallbackManager,
        other=CallbackManager,
        instead="use trace_as_chain_group",
    )
    callbacks = surroundings().group_callbacks(
        callback_manager, project_name=project_name, example_id=example_id, address=address
    )
    manager = AsyncCallbackManager.configure(
        callbacks, inheritable_tags=tags, inheritable_metadata=metadata
    )
    run = new_run(manager, AsyncCallbackManagerForChainRun, run_id)
    group = AsyncCallbackManagerForChainGroup(**vars(run.get_child()), parent_run_manager=run)
    with within(group):
        try:
            # Inside, for a start that fails or is cancelled may have been heard by then.
            await manager.on_chain_start({"name": group_name}, inputs or {}, run_id=run.run_id)
            yield group
        except GeneratorExit as error:
            # A coroutine or generator that is closed can't await any more.
            if not group.ended:
                group.ended = True
                run.get_sync().on_chain_error(error)
            raise
        except BaseException as error:
            if not group.ended:
                await group.on_chain_error(error)
            raise
        if not group.ended:
            await group.on_chain_end({})
