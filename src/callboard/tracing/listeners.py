"""Root listeners: functions that are called with the outermost run, at its start and its end."""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, TypeAlias
from uuid import UUID

from callboard.tracing.base import AsyncBaseTracer, BaseTracer
from callboard.tracing.run import Run

__all__ = ["AsyncListener", "AsyncRootListenersTracer", "Listener", "RootListenersTracer"]

Config: TypeAlias = Mapping[str, Any]
Listener: TypeAlias = Callable[[Run], None] | Callable[[Run, Any], None]
"""Takes the run, and the call's config if it has a parameter named ``config``."""
AsyncListener: TypeAlias = Callable[[Run], Awaitable[None]] | Callable[[Run, Any], Awaitable[None]]


def _called(listener: Callable[..., Any], run: Run, config: Config) -> Any:
    """Call a listener with the config too, if it takes one."""
    try:
        takes_config = "config" in inspect.signature(listener).parameters
    except (TypeError, ValueError):  # Some built-ins have no signature.
        takes_config = False
    return listener(run, config=config) if takes_config else listener(run)


class RootListenersTracer(BaseTracer):
    """Calls listeners with the first run that it hears of."""

    log_missing_parent = False

    def __init__(
        self,
        *,
        config: Config,
        on_start: Listener | None,
        on_end: Listener | None,
        on_error: Listener | None,
    ) -> None:
        """Make a tracer.

        Args:
            config: The call's config, for listeners that take it.
            on_start: Called when the run starts.
            on_end: Called when it has returned.
            on_error: Called when it has failed.
        """
        super().__init__(_schema_format="original+chat")
        self.config = config
        self._arg_on_start = on_start
        self._arg_on_end = on_end
        self._arg_on_error = on_error
        self.root_id: UUID | None = None

    def _persist_run(self, run: Run) -> None:
        pass  # The listeners have been told by then.

    def _on_run_create(self, run: Run) -> None:
        if self.root_id is None:
            self.root_id = run.id
            if self._arg_on_start is not None:
                _called(self._arg_on_start, run, self.config)

    def _on_run_update(self, run: Run) -> None:
        listener = self._arg_on_end if run.error is None else self._arg_on_error
        if run.id == self.root_id and listener is not None:
            _called(listener, run, self.config)


class AsyncRootListenersTracer(AsyncBaseTracer):
    """Calls async listeners with the first run that it hears of."""

    log_missing_parent = False

    def __init__(
        self,
        *,
        config: Config,
        on_start: AsyncListener | None,
        on_end: AsyncListener | None,
        on_error: AsyncListener | None,
    ) -> None:
        """Make a tracer: see `RootListenersTracer`."""
        super().__init__(_schema_format="original+chat")
        self.config = config
        self._arg_on_start = on_start
        self._arg_on_end = on_end
        self._arg_on_error = on_error
        self.root_id: UUID | None = None

    async def _persist_run(self, run: Run) -> None:
        pass  # The listeners have been told by then.

    async def _on_run_create(self, run: Run) -> None:
        if self.root_id is None:
            self.root_id = run.id
            if self._arg_on_start is not None:
                await _called(self._arg_on_start, run, self.config)

    async def _on_run_update(self, run: Run) -> None:
        listener = self._arg_on_end if run.error is None else self._arg_on_error
        if run.id == self.root_id and listener is not None:
            await _called(listener, run, self.config)
