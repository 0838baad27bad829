"""A traced call in progress: its run from the start to the end, in either colour.

What tells handlers returns None where that is done at once, and a coroutine to await where
handlers want async code; so each step is written once.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Coroutine, Mapping
from datetime import datetime
from typing import Any, Self

from callboard import clock, ids
from callboard.callbacks.base_manager import BaseCallbackManager, new_run
from callboard.callbacks.configuration import enlist
from callboard.callbacks.dispatch import is_inline
from callboard.callbacks.handlers import AsyncCallbackHandler, BaseCallbackHandler
from callboard.callbacks.managers import AsyncCallbackManager, CallbackManager
from callboard.callbacks.runs import AsyncRunManager, BaseRunManager
from callboard.callbacks.scope import twin_scope
from callboard.callbacks.surroundings import surround_with_tracing, surroundings
from callboard.callbacks.trace import Trace, current_trace, trace_var
from callboard.errors import RunFailedError
from callboard.instrument.answers import chunk_text, outputs_of
from callboard.instrument.place import Place, place_of, wishing
from callboard.instrument.run_tree import RunTree
from callboard.instrument.settings import Settings

__all__ = ["Call", "Sent", "prepared_call"]

logger = logging.getLogger(__name__)

Sent = Coroutine[Any, Any, None] | None
"""What telling handlers returns: a coroutine to await, or None if it is done."""


def prepared_call(
    settings: Settings,
    inputs: Callable[[], dict[str, Any]],
    extra: Mapping[str, Any] | None = None,
    config: Any = None,
) -> Call | None:
    """Return a call that is to be started; None if nobody would hear of it.

    Args:
        settings: How its run is to be named, told and placed.
        inputs: Returns what it is given, by name.
        extra: What this call is told besides: see `LangSmithExtra`.
        config: The LangChain config that it is given, if any.
    """
    try:
        if extra is not None:
            settings = settings.for_call(extra, config)
        outer = _place_for(settings) if settings.has_wishes else current_trace()
        manager = _configured(settings, outer)
        return Call(settings, manager, inputs(), outer) if manager.handlers else None
    except Exception:
        logger.warning("%s can't be traced", settings.name, exc_info=True)
        return None


def _place_for(settings: Settings) -> Trace:
    place = wishing(
        place_of(settings.parent) or current_trace(),
        project_name=settings.project_name,
        client=settings.client,
        example_id=settings.example_id,
    )
    if settings.enabled:
        surround_with_tracing()
        place.enabled = True
    return place


def _configured(settings: Settings, place: Trace | None) -> CallbackManager:
    callbacks = settings.callbacks
    if callbacks is None and settings.parent is None:
        callbacks = surroundings().callbacks()
    if not settings.has_wishes:
        return _manager(settings, callbacks)
    token = trace_var.set(place)
    try:
        return _manager(settings, callbacks)
    finally:
        trace_var.reset(token)


def _manager(settings: Settings, callbacks: Any) -> CallbackManager:
    manager = CallbackManager.configure(
        callbacks,
        inheritable_tags=settings.tags,
        inheritable_metadata=settings.metadata,
    )
    for handler in settings.handlers:
        enlist(manager, handler, inherit=True)
    return manager


def _is_told_at_once(handler: BaseCallbackHandler) -> bool:
    """Whether async code may tell a handler as sync code does: in order, in its own thread."""
    return not isinstance(handler, AsyncCallbackHandler) and is_inline(handler)


class Call(Place):
    """A traced call: the place in the trace where its code runs, and the run's start and end."""

    # Set when it has started.
    _run: BaseRunManager
    _start_time: datetime

    def __init__(
        self,
        settings: Settings,
        manager: CallbackManager,
        inputs: dict[str, Any],
        outer: Trace | None,
    ) -> None:
        """Make a call that has not started.

        Args:
            settings: How its run is to be named, told and placed.
            manager: Who hears it.
            inputs: What it is given, by name.
            outer: The place around it.
        """
        self.run_id = self._run_id = settings.run_id or ids.new_id()
        self.outer = outer
        self._settings = settings
        self._kind = settings.kind
        self._manager: BaseCallbackManager = manager
        self._inputs = inputs
        self._ended = False

    @property
    def tree(self) -> RunTree | None:
        """The run, once it has started; made when it is first asked for."""
        return self._tree if self._tree is not None or self.scope is None else self.run_tree

    @property
    def run_tree(self) -> RunTree:
        """The run, which has started."""
        if self._tree is None:
            settings = self._settings
            self._tree = RunTree(
                self._run,
                settings.name,
                settings.run_type,
                self._inputs,
                outer=self.outer if isinstance(self.outer, Place) else None,
                start_time=self._start_time,
            )
            self._tree.session_name = settings.project_name
            self._tree.reference_example_id = settings.example_id
        return self._tree

    # The start.

    def start(self) -> Self:
        """Start the run, from sync code."""
        try:
            self._started(self._begun())
        except BaseException as error:
            self._fail_to_start(error, is_async=False)
            raise
        return self

    async def astart(self) -> Self:
        """Start the run, from async code."""
        if not all(map(_is_told_at_once, self._manager.handlers)):
            self._manager = twin_scope(self._manager, AsyncCallbackManager)
        try:
            sent = self._begun()
            self._started(await sent if self._manager.is_async else sent)
        except BaseException as error:
            can_await = self._manager.is_async and not isinstance(error, GeneratorExit)
            if (told := self._fail_to_start(error, is_async=can_await)) is not None:
                await told
            raise
        return self

    def _begun(self) -> Any:
        """Tell of the start; return the run's manager, or a coroutine that does."""
        settings = self._settings
        return self._kind.start(
            self._manager, settings.name, settings.run_type, self._inputs, self._run_id
        )

    def _started(self, run: Any) -> None:
        self.scope = self._run = run[0] if isinstance(run, list) else run
        self._start_time = clock.now()

    def _fail_to_start(self, error: BaseException, *, is_async: bool) -> Sent:
        """End a run whose start may have been heard by then."""
        run = new_run(self._manager, self._kind.colours[is_async], self._run_id)
        told: Sent = getattr(run, self._kind.error)(error)
        return told

    # The end.

    def end(self, value: Any) -> Sent:
        """End the run with what the call has returned.

        Args:
            value: What it has returned, as it is to be recorded.
        """
        tree = self._tree
        if tree is not None and tree.error is not None:
            return self.fail(_as_exception(tree.error), value)
        outputs = self._with_outputs(value)
        try:
            subject, keywords, usage = self._kind.answer(value, outputs)
        except Exception:
            logger.warning("What %s returned can't be read", self._settings.name, exc_info=True)
            subject, keywords, usage = self._kind.unread(outputs)
        if usage and "usage_metadata" not in self._run.metadata:
            self.run_tree.add_metadata({"usage_metadata": usage})
        return self._close(self._kind.end, subject, keywords)

    def fail(self, error: BaseException, value: Any = None) -> Sent:
        """End the run with what went wrong.

        Args:
            error: What went wrong.
            value: What the call had returned or yielded by then, if anything.
        """
        tree = self.run_tree
        if isinstance(error, self._settings.handled):
            tree.error = None
            return self.end(value)
        tree.error = error
        if value is not None:
            self._with_outputs(value)
        told = {"outputs": tree.outputs} if tree.outputs else {}
        return self._close(self._kind.error, error, told)

    def _with_outputs(self, value: Any) -> dict[str, Any]:
        """Return the run's outputs: what was set meanwhile, or what was added and returned."""
        returned = outputs_of(value)
        if self._tree is None and self._settings.on_end is None:
            return returned
        tree = self.run_tree
        if tree.outputs_are_set:
            returned = tree.outputs or {}
        elif tree.outputs:
            returned = {**tree.outputs, **returned}
        tree.outputs = returned
        return returned

    def _close(self, method: str, subject: Any, keywords: dict[str, Any]) -> Sent:
        if self._ended:
            return None
        self._ended = True
        tree = self._tree
        if tree is not None:
            self._write_down(tree, keywords)
        sent: Sent = getattr(self._run, method)(subject, **keywords)
        self._let_go()
        if tree is None or self._settings.on_end is None:
            return sent
        if sent is not None:
            return self._awaited(sent, tree)
        self._tell_of_end(tree)
        return None

    def _write_down(self, tree: RunTree, keywords: dict[str, Any]) -> None:
        """Have what was added and set meanwhile recorded."""
        try:
            tree.write_down()
        except Exception:
            logger.warning("What was added to %s can't be recorded", tree.name, exc_info=True)
        if tree.inputs is not self._inputs:
            keywords["inputs"] = tree.inputs

    def _let_go(self) -> None:
        """Let go of values: contexts that tasks and timers hold may hold this for long."""
        self._inputs = {}
        if self._tree is not None:
            self._tree = self._tree.without_values()
        if not self.left_behind:
            self.outer = None

    async def _awaited(self, sent: Coroutine[Any, Any, None], tree: RunTree) -> None:
        try:
            await sent
        finally:
            self._tell_of_end(tree)

    def _tell_of_end(self, tree: RunTree) -> None:
        try:
            if self._settings.on_end is not None:
                self._settings.on_end(tree)
        except Exception:
            logger.warning("on_end of %s failed", tree.name, exc_info=True)

    def speak_sync(self) -> None:
        """Tell what is left without awaiting: what is closed or collected can't await any more."""
        if isinstance(self._run, AsyncRunManager):
            self._run = self._run.get_sync()
            if self._tree is not None:
                self._tree.run_manager = self._run

    # Meanwhile.

    def heard_token(self, chunk: Any) -> Sent:
        """Tell of a piece of a model's answer; of other runs' pieces nothing is told.

        Args:
            chunk: The piece.
        """
        if self._settings.run_type != "llm":
            return None
        try:
            token = chunk_text(chunk)
        except Exception:
            logger.warning("A chunk of %s can't be read", self._settings.name, exc_info=True)
            return None
        run: Any = self._run
        return None if token is None else run.on_llm_new_token(token, chunk=_chunk(token, chunk))

    def leave(self, before: Trace | None) -> None:
        """Put the place around this one back, at the end of a block.

        A block of a generator that is closed by another task ends in another context than it
        began in; there, it is left behind.

        Args:
            before: What `trace_var` held when the block began.
        """
        if trace_var.get() is self:
            trace_var.set(before)
        else:
            self.left_behind = True


def _chunk(token: str, chunk: Any) -> Any:
    """Return a piece for handlers that want more than its text; a text has no more."""
    return None if chunk is token else chunk


def _as_exception(error: BaseException | str) -> BaseException:
    return error if isinstance(error, BaseException) else RunFailedError(error)
