"""The bases of tracers: subclass one, and say what to do with the runs.

`_persist_run` is called with the root of each trace that ends, its tree complete. The other
hooks are called with each run as it goes along; override those you want.
"""

from __future__ import annotations

import asyncio
from abc import abstractmethod
from collections.abc import Callable, Coroutine
from functools import wraps
from typing import Any

from callboard.callbacks.handlers import AsyncCallbackHandler, BaseCallbackHandler
from callboard.events import EVENTS
from callboard.tracing.core import TracerCore
from callboard.tracing.run import Run

__all__ = ["HOOKS", "AsyncBaseTracer", "BaseTracer"]

_RECORDED = ("on_llm", "on_chat_model", "on_chain", "on_tool", "on_retriever", "on_retry")

HOOKS = (
    "_on_run_create",
    "_on_run_update",
    *(f"_{name}" for name in EVENTS if name.startswith(_RECORDED)),
)
"""The hooks that a tracer may override, each a method that is given the run, and that of a new
token the token and its chunk too: ``_on_run_create`` and ``_on_run_update`` at the start and the
end of a run of any kind, and one for each event, such as ``_on_llm_end``."""


class BaseTracer(TracerCore[Run], BaseCallbackHandler):
    """A tracer whose hooks are plain methods."""

    _on_run_create: Callable[[Run], None]
    _on_run_update: Callable[[Run], None]

    @abstractmethod
    def _persist_run(self, run: Run) -> None:
        """Keep a trace that has ended."""

    def _start_trace(self, run: Run) -> None:
        self._place_run(run)
        self._on_run_create(run)

    def _end_trace(self, run: Run) -> None:
        try:
            if run.parent_run_id is None:
                self._persist_run(run)
        finally:
            self._let_go_of_run(run)
        self._on_run_update(run)

    def _begin_run(self, run: Run, hook: str) -> Run:
        self._start_trace(run)
        getattr(self, hook)(run)
        return run

    def _tell_hook(self, run: Run, hook: str, *args: Any) -> Run:
        getattr(self, hook)(run, *args)
        return run

    def _finish_run(self, run: Run, hook: str) -> Run:
        try:
            getattr(self, hook)(run)
        finally:  # A hook that fails must not leave a run that never ends.
            self._end_trace(run)
        return run


class AsyncBaseTracer(TracerCore[Coroutine[Any, Any, Run]], AsyncCallbackHandler):
    """A tracer whose hooks are coroutines. Those of one event are awaited together."""

    @abstractmethod
    async def _persist_run(self, run: Run) -> None:
        """Keep a trace that has ended."""

    async def _start_trace(self, run: Run) -> None:
        self._place_run(run)
        await self._tell_hook(run, "_on_run_create")

    async def _end_trace(self, run: Run) -> None:
        try:
            if run.parent_run_id is None:
                await self._persist_run(run)
        finally:
            self._let_go_of_run(run)
        await self._tell_hook(run, "_on_run_update")

    async def _begin_run(self, run: Run, hook: str) -> Run:
        try:
            await asyncio.gather(self._start_trace(run), self._tell_hook(run, hook))
        except asyncio.CancelledError as error:
            # Whoever starts it never gets to end it.
            if str(run.id) in self.run_map:
                self._recorder.fail(run, error)
                await asyncio.shield(self._end_trace(run))
            raise
        return run

    async def _tell_hook(self, run: Run, hook: str, *args: Any) -> Run:
        await getattr(self, hook)(run, *args)
        return run

    async def _finish_run(self, run: Run, hook: str) -> Run:
        await asyncio.gather(self._tell_hook(run, hook), self._end_trace(run))
        return run


def _silent(self: object, run: Run, *args: Any) -> None:
    """Do nothing: this hook is not overridden."""


async def _asilent(self: object, run: Run, *args: Any) -> None:
    """Do nothing: this hook is not overridden."""


def _awaited(
    recorded: Callable[..., Coroutine[Any, Any, Run]],
) -> Callable[..., Coroutine[Any, Any, Run]]:
    """Make an event's method a coroutine function: dispatch calls others in a thread."""

    @wraps(recorded)
    async def method(self: AsyncBaseTracer, *args: Any, **kwargs: Any) -> Run:
        return await recorded(self, *args, **kwargs)

    return method


for _hook in HOOKS:
    setattr(BaseTracer, _hook, _silent)
    setattr(AsyncBaseTracer, _hook, _asilent)
for _name in EVENTS:
    if _name in vars(TracerCore):
        setattr(AsyncBaseTracer, _name, _awaited(vars(TracerCore)[_name]))
