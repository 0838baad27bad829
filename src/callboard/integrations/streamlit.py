"""The handler that shows runs in a Streamlit app, while they run."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from callboard.integrations.base import RunRecord, RunTreeHandler
from callboard.integrations.extras import load
from callboard.integrations.messages import said_out
from callboard.wire import json

__all__ = ["LLMThoughtLabeler", "StreamlitCallbackHandler", "ToolRecord"]

_CURSOR = "▌"
_ICONS = {"tool": "🔧", "retriever": "🔎", "chat_model": "💬", "llm": "💬"}


@dataclass(frozen=True, slots=True)
class ToolRecord:
    """A tool and what it is called with, as labels tell it."""

    name: str
    input_str: str


class LLMThoughtLabeler:
    """Says what boxes are called. Override what you want otherwise."""

    @staticmethod
    def get_initial_label() -> str:
        """Return the label of a model that is thinking."""
        return "Thinking..."

    @staticmethod
    def get_tool_label(tool: ToolRecord, is_complete: bool) -> str:  # noqa: ARG004 - for overriders
        """Return the label of a tool.

        Args:
            tool: The tool.
            is_complete: Whether it has returned.
        """
        said = " ".join(tool.input_str.split())
        short = said if len(said) <= 60 else f"{said[:60]}..."
        return f"**{tool.name}:** {short}" if short else f"**{tool.name}**"

    @staticmethod
    def get_history_label() -> str:
        """Return the label of earlier runs."""
        return "**History**"

    @staticmethod
    def get_final_agent_thought_label() -> str:
        """Return the label of an outermost run that is done."""
        return "**Complete!**"


class _Box:
    """What is drawn of a run: a box, and a place for the text that streams into it."""

    def __init__(self, status: Any) -> None:
        self.status = status
        self.place: Any = None
        self.text = ""
        self.drawn = 0.0


class StreamlitCallbackHandler(RunTreeHandler):
    """Shows each run as a box inside its parent's: what it was given, what came, how it ended.

    Made in the app's script, it draws into that session from whatever thread or task a run is in.
    Text is drawn as it comes, some twenty times a second.
    """

    def __init__(
        self,
        parent_container: Any = None,
        *,
        max_thought_containers: int = 4,
        expand_new_thoughts: bool = True,
        collapse_completed_thoughts: bool = True,
        thought_labeler: LLMThoughtLabeler | None = None,
        refresh_per_second: float = 20.0,
        **options: Any,
    ) -> None:
        """Make a handler, in the app's script.

        Args:
            parent_container: Where to draw: ``st.container()``, a column ...; the page, by default.
            max_thought_containers: How many outermost runs stay open; earlier ones are closed.
            expand_new_thoughts: Whether boxes are open while they run.
            collapse_completed_thoughts: Whether boxes close when their run has ended well.
            thought_labeler: What boxes are called.
            refresh_per_second: How often text that streams is drawn anew.
            **options: See `RunTreeHandler`: ``redaction``, ``prices``, ``content``, ``max_runs``.

        Raises:
            MissingExtraError: Streamlit is not installed.
        """
        page = load("streamlit", "streamlit", "streamlit")
        self._session = _Session()
        super().__init__(**options)
        self._container = page if parent_container is None else parent_container
        self._open_roots = max_thought_containers
        self._expand, self._collapse = expand_new_thoughts, collapse_completed_thoughts
        self._labels = LLMThoughtLabeler() if thought_labeler is None else thought_labeler
        self._pause = 1 / refresh_per_second
        self._roots: list[_Box] = []

    def run_started(self, record: RunRecord) -> None:
        """Draw a run's box, in its parent's."""
        outer = None if record.parent is None else record.parent.kept
        with self._session.drawing():
            place = outer.status if isinstance(outer, _Box) else self._container
            box = _Box(place.status(self._label(record), expanded=self._expand))
            record.kept = box
            if outer is None:
                self._roots.append(box)
                if len(self._roots) > self._open_roots:
                    self._roots.pop(0).status.update(expanded=False)
            if record.is_model:
                box.place = box.status.empty()
            elif record.inputs:
                box.status.json(json.encode(record.inputs).decode(), expanded=False)

    def run_streamed(self, record: RunRecord, text: str) -> None:
        """Draw what a model has said so far, unless that was a moment ago."""
        box = record.kept
        if not isinstance(box, _Box) or box.place is None:
            return
        box.text += text
        now = time.monotonic()
        if now - box.drawn >= self._pause:
            box.drawn = now
            with self._session.drawing():
                box.place.markdown(box.text + _CURSOR)

    def run_noted(self, record: RunRecord, name: str, data: Any) -> None:
        """Draw what happened meanwhile."""
        if isinstance(record.kept, _Box):
            with self._session.drawing():
                record.kept.status.caption(name if data is None else f"{name}: {data}")

    def run_ended(self, record: RunRecord) -> None:
        """Draw how a run has ended, and what it returned."""
        box = record.kept
        if not isinstance(box, _Box):
            return
        with self._session.drawing():
            self._draw_end(record, box)
            failed = record.status != "ok"
            box.status.update(
                label=f"{self._label(record)} ({record.latency or 0.0:.1f} s)",
                state="error" if failed else "complete",
                expanded=failed or not self._collapse,
            )

    def _draw_end(self, record: RunRecord, box: _Box) -> None:
        if record.error_message is not None:
            box.status.error(record.error_message)
        if box.place is not None:
            answered = "\n\n".join(said.text for said in said_out(record) if said.text)
            box.place.markdown(answered or box.text)
        elif record.outputs is not None:
            box.status.json(json.encode(record.outputs).decode(), expanded=False)

    def _label(self, record: RunRecord) -> str:
        if record.type == "tool":
            given = json.encode(record.inputs).decode() if record.inputs else ""
            return self._labels.get_tool_label(
                ToolRecord(record.name, given), record.status != "running"
            )
        if record.is_model and record.status == "running":
            return self._labels.get_initial_label()
        if record.parent is None and record.status == "ok":
            return f"{self._labels.get_final_agent_thought_label()} {record.name}"
        return f"{_ICONS.get(record.type, '')} {record.name}".strip()


class _Session:
    """The session of the script that makes it, for other threads to draw into.

    Streamlit knows a thread's session by an attribute of the thread. Threads of a pool serve many
    sessions: so it is theirs while they draw, and taken back after that.
    """

    def __init__(self) -> None:
        runner = load("streamlit.runtime.scriptrunner", "streamlit", "streamlit")
        self._current: Callable[..., Any] = runner.get_script_run_ctx
        self._add: Callable[..., Any] = runner.add_script_run_ctx
        self._ours = self._current(suppress_warning=True)
        self._lock = threading.RLock()

    @contextmanager
    def drawing(self) -> Generator[None]:
        """Have this thread draw into the session, alone."""
        with self._lock:
            thread, before = threading.current_thread(), self._current(suppress_warning=True)
            if self._ours is None or before is self._ours:
                yield
                return
            self._add(thread, self._ours)
            try:
                yield
            finally:
                self._give_back(thread, before)

    def _give_back(self, thread: threading.Thread, before: Any) -> None:
        if before is not None:
            self._add(thread, before)
        else:
            for name in [each for each in vars(thread) if vars(thread)[each] is self._ours]:
                delattr(thread, name)
