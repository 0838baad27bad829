"""The handler that shows runs in a chat of Gradio's, while they run."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncGenerator, Awaitable, Callable, Generator
from concurrent.futures import Future, wait
from contextvars import copy_context
from typing import Any, ParamSpec, TypeVar
from uuid import UUID

from callboard.integrations.base import RunRecord, RunTreeHandler
from callboard.integrations.extras import load
from callboard.integrations.gradio.thoughts import Thought, answer_in
from callboard.integrations.holds import Hold

__all__ = ["GradioCallbackHandler"]

P = ParamSpec("P")
T = TypeVar("T")

_ACTS = frozenset({"chat_model", "llm", "retriever", "tool"})


class GradioCallbackHandler(RunTreeHandler):
    """Shows one turn of a chat: each run as a thought inside its parent's, and then the answer.

    Make one for each turn. What a model says is the answer while it says it, and its thought's
    content once a tool, a retriever or another model follows. Runs may be in any thread or task.
    """

    def __init__(
        self,
        *,
        answer: bool = True,
        max_thoughts: int = 100,
        max_text: int = 2_000,
        refresh_per_second: float = 10.0,
        **options: Any,
    ) -> None:
        """Make a handler.

        Args:
            answer: Whether the answer is a message, after the thoughts.
            max_thoughts: How many runs are shown; of more, the last.
            max_text: How many characters are shown of what a run was given, and of what it
                returned. The answer is shown whole.
            refresh_per_second: How often messages are given to the chat, at the most.
            **options: See `RunTreeHandler`: ``redaction``, ``prices``, ``content``, ``max_runs``.

        Raises:
            MissingExtraError: Gradio is not installed.
        """
        self._message: Callable[..., Any] = load("gradio", "gradio", "gradio").ChatMessage
        super().__init__(**options)
        self._answers = answer
        self._max_thoughts, self._max_text = max_thoughts, max_text
        self._pause = 1 / refresh_per_second
        self._thoughts: dict[UUID, Thought] = {}
        self._speaker: Thought | None = None
        self._answer = ""
        self._has_changed = False
        self._showing = Hold()

    # What the chat is given.

    @property
    def messages(self) -> list[Any]:
        """The turn so far: a ``gradio.ChatMessage`` for each run, and one for the answer."""
        with self._showing:
            self._has_changed = False
            thoughts, speaker = list(self._thoughts.values()), self._speaker
            answer = self._answer if speaker is None else speaker.text
            told = [
                self._message(
                    content=each.content(speaks=self._answers and each is speaker),
                    metadata=each.metadata(),
                )
                for each in thoughts
            ]
        if self._answers and answer:
            told.append(self._message(content=answer))
        return told

    def watch(
        self, call: Callable[P, T], *args: P.args, **kwargs: P.kwargs
    ) -> Generator[list[Any], None, T]:
        """Call something in another thread, and yield the messages as they change.

        A caller that stops early leaves the thread to its work: it can't be stopped.

        Args:
            call: What to call; it is to have this handler among its callbacks.
            *args: What it is given.
            **kwargs: What it is given by name.

        Yields:
            `messages`, as they are then.

        Returns:
            What the call returned. What it raises is raised, after the last messages.
        """
        done: Future[T] = Future()
        context = copy_context()
        threading.Thread(
            target=lambda: context.run(_fulfil, done, lambda: call(*args, **kwargs)), daemon=True
        ).start()
        while not done.done():
            wait([done], timeout=self._pause)
            if self._has_changed:
                yield self.messages
        if self._has_changed:
            yield self.messages
        return done.result()

    async def awatch(self, work: Awaitable[Any]) -> AsyncGenerator[list[Any]]:
        """Await something, and yield the messages as they change.

        Args:
            work: What to await, such as ``agent.ainvoke(...)``, with this handler among its
                callbacks. It is cancelled if the caller stops early. What it raises is raised,
                after the last messages.

        Yields:
            `messages`, as they are then.
        """
        task = asyncio.ensure_future(work)
        try:
            while not task.done():
                await asyncio.wait({task}, timeout=self._pause)
                if self._has_changed:
                    yield self.messages
            if self._has_changed:
                yield self.messages
            await task
        finally:
            if not task.done():
                task.cancel()
                await asyncio.wait({task})

    # What runs tell.

    def run_started(self, record: RunRecord) -> None:
        """Show a run, inside its parent's thought."""
        outer = None if record.parent is None else record.parent.kept
        thought = record.kept = Thought(record, outer, self._max_text)
        with self._showing:
            if outer is not None:
                outer.inner += 1
            if record.is_model:
                self._speaker = thought
            elif record.type in _ACTS and not self._is_speaking():
                self._speaker = None
            self._thoughts[record.id] = thought
            if len(self._thoughts) > self._max_thoughts:
                self._drop_oldest()
            self._has_changed = True

    def run_streamed(self, record: RunRecord, text: str) -> None:
        """Show what a model says."""
        if isinstance(record.kept, Thought):
            record.kept.say(text)
            self._has_changed = True

    def run_noted(self, record: RunRecord, name: str, data: Any) -> None:
        """Show what happened meanwhile."""
        if isinstance(record.kept, Thought):
            with self._showing:
                record.kept.note(name, data)
                self._has_changed = True

    def run_ended(self, record: RunRecord) -> None:
        """Show how a run has ended; with the outermost one the answer is settled."""
        if not isinstance(record.kept, Thought):
            return
        with self._showing:
            record.kept.end()
            if record.status != "ok" and (record.parent is None or record.kept is self._speaker):
                self._speaker = None
            elif record.parent is None and not (self._speaker and self._speaker.text):
                self._speaker, self._answer = None, answer_in(record)
            self._has_changed = True

    def _is_speaking(self) -> bool:
        return self._speaker is not None and self._speaker.is_running

    def _drop_oldest(self) -> None:
        """Show no longer what has ended first, unless something is shown inside of it."""
        for run_id, thought in self._thoughts.items():
            if not thought.is_running and not thought.inner and thought is not self._speaker:
                del self._thoughts[run_id]
                if thought.outer is not None:
                    thought.outer.inner -= 1
                return


def _fulfil(done: Future[T], call: Callable[[], T]) -> None:
    try:
        done.set_result(call())
    except BaseException as error:  # noqa: BLE001 - whoever asks for the result is told
        done.set_exception(error)
