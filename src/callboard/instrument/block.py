"""`trace`: a block that is a run."""

from __future__ import annotations

from types import TracebackType
from typing import TYPE_CHECKING, Any
from uuid import UUID

from callboard import ids
from callboard.callbacks.runs import CallbackManagerForChainRun
from callboard.callbacks.surroundings import surroundings
from callboard.callbacks.trace import Trace, trace_var
from callboard.instrument.call import Call, Sent, prepared_call
from callboard.instrument.run_tree import RunTree
from callboard.instrument.settings import Settings, handled_in, handlers_in, metadata_in

if TYPE_CHECKING:
    from collections.abc import Mapping

    from callboard.callbacks.base_manager import Callbacks

__all__ = ["trace"]


class trace:  # noqa: N801 - used as a function, as in the LangSmith SDK
    """A block that is a run: ``with trace("search", "tool") as run:``, or ``async with``.

    The run ends when the block does: with what ``run.end(outputs=...)`` was told, or with the
    exception that leaves the block, whichever it is. Where nobody listens, ``run`` is there
    all the same, and nobody hears of it.
    """

    def __init__(
        self,
        name: str,
        run_type: str = "chain",
        *,
        inputs: Mapping[str, Any] | None = None,
        tags: list[str] | None = None,
        metadata: Mapping[str, Any] | None = None,
        callbacks: Callbacks = None,
        parent: Any = None,
        run_id: UUID | str | None = None,
        project_name: str | None = None,
        client: Any = None,
        reference_example_id: UUID | str | None = None,
        enabled: bool | None = None,
        exceptions_to_handle: tuple[type[BaseException], ...] | None = None,
    ) -> None:
        """Describe the run.

        Args:
            name: Its name.
            run_type: chain, llm, tool, retriever, embedding, prompt or parser.
            inputs: What it is given, by name.
            tags: Its tags, and those of the runs inside it.
            metadata: Its metadata, and that of the runs inside it.
            callbacks: Who hears it and the runs inside it, besides who listens anyway.
            parent: What it is part of, if not of the run around it: a run tree, a run manager,
                headers, or a dotted order; ``"ignore"`` for nothing.
            run_id: Its id; made if not given.
            project_name: The project, if it is the root of a trace.
            client: A ``langsmith.Client`` to send through, if it is the root of a trace.
            reference_example_id: The dataset example that it runs, if it is the root.
            enabled: True to send it whatever the environment says, False for no run at all.
            exceptions_to_handle: Exceptions that are not recorded as failures.

        Raises:
            BadOptionError: There is no such run type, or an exception to handle is none.
            BadTagsError: The tags are not a list of strings.
            BadMetadataError: The metadata is not a dictionary.
            BadCallbacksError: The callbacks are neither a list of handlers nor a manager.
            BadHandlerError: Something among them is no handler.
        """
        self._settings = Settings(
            name,
            run_type,
            tags=tags,
            metadata=metadata_in(metadata),
            handlers=handlers_in(callbacks),
            parent=parent,
            run_id=UUID(run_id) if isinstance(run_id, str) else run_id,
            project_name=project_name,
            client=client,
            example_id=reference_example_id,
            enabled=enabled,
            handled=handled_in(exceptions_to_handle),
        )
        self._settings.check()
        self._inputs = dict(inputs or {})
        self._call: Call | None = None
        self._before: Trace | None = None

    def _prepared(self) -> Call | None:
        settings = self._settings
        if settings.enabled is False:
            return None
        if not settings.is_heard_by_itself and not surroundings().may_listen():
            return None
        return prepared_call(settings, lambda: self._inputs)

    def _entered(self, call: Call | None) -> RunTree:
        self._call = call
        if call is None:
            return self._unheard()
        self._before = trace_var.get()
        trace_var.set(call)
        return call.run_tree

    def _unheard(self) -> RunTree:
        """Return a run for a block that nobody hears of."""
        settings = self._settings
        manager = CallbackManagerForChainRun(
            run_id=settings.run_id or ids.new_id(), handlers=[], inheritable_handlers=[]
        )
        return RunTree(manager, settings.name, settings.run_type, self._inputs)

    def _left(self, error: BaseException | None) -> Sent:
        call = self._call
        if call is None:
            return None
        call.leave(self._before)
        if isinstance(error, GeneratorExit):
            # The event loop closes what was abandoned in a copy of the context that it began in.
            call.left_behind = True
            call.speak_sync()
        if error is not None:
            return call.fail(error)
        return call.end(dict(call.run_tree.outputs or {}))

    def __enter__(self) -> RunTree:
        """Start the run."""
        call = self._prepared()
        return self._entered(None if call is None else call.start())

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """End the run."""
        self._left(error)

    async def __aenter__(self) -> RunTree:
        """Start the run, from async code."""
        call = self._prepared()
        return self._entered(None if call is None else await call.astart())

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """End the run, from async code."""
        if (sent := self._left(error)) is not None:
            await sent
