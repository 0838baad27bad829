"""Thoughts: what a chat shows of a run, as Markdown that nothing in the run can get out of.

Gradio renders a message's content and a thought's title as Markdown with HTML in it, and cleans
the HTML of scripts if it is not told otherwise. Text of runs is shown as it is: in fences that it
can't close, and in titles with all escaped that may mean something. So a tool's output is no link,
no formula, and no picture that tells another site of its reader.
"""

from __future__ import annotations

import json as standard
import re
from typing import Any

from callboard.integrations.excerpts import excerpt
from callboard.integrations.markdown import fenced
from callboard.integrations.messages import said_out
from callboard.integrations.records import RunRecord
from callboard.integrations.rows import used
from callboard.payloads import content_text, field, unwrapped
from callboard.wire import json

__all__ = ["Thought", "answer_in"]

_ICONS = {"tool": "🔧", "retriever": "🔎", "chat_model": "💬", "llm": "💬"}
_FAILED = "❌"
_UNFINISHED = "❔"
_MAX_LINE = 80
_MAX_TITLE = 120
_MAX_NOTES = 20
# What chains call what they answer, if it is among other things that they return.
_ANSWERS = ("output", "answer", "result", "text")
_PUNCTUATION = re.compile(r"([!-/:-@\[-`{-~])")
_ENTITIES = {"&": "&amp;", "<": "&lt;", ">": "&gt;"}


class Thought:
    """What is shown of a run.

    Attributes:
        record: The run's record.
        outer: The thought of the run that it is part of, if that is shown.
        inner: How many thoughts are shown inside of it.
    """

    def __init__(self, record: RunRecord, outer: Thought | None, max_text: int) -> None:
        """Begin to show a run.

        Args:
            record: The run's record, as it is at its start.
            outer: The thought of the run that it is part of, if that is shown.
            max_text: How many characters are shown of what it was given, and of what it returned.
        """
        self.record = record
        self.outer = outer
        self.inner = 0
        self._max_text = max_text
        self._parts: list[str] = []
        self._said: list[str] = []
        if not record.is_model and record.inputs:
            self._parts.append(self._shown(record.inputs))

    @property
    def text(self) -> str:
        """What the model has said, so far."""
        return "".join(self._said)

    @property
    def is_running(self) -> bool:
        """Whether the run has not ended."""
        return self.record.status == "running"

    def say(self, text: str) -> None:
        """Add a token's text."""
        self._said.append(text)

    def note(self, name: str, data: Any) -> None:
        """Add what happened meanwhile; the last few are shown."""
        self._parts.append(self._fenced(name if data is None else f"{name}: {data}"))
        del self._parts[1:-_MAX_NOTES]

    def end(self) -> None:
        """Add how the run has ended."""
        record = self.record
        if record.is_model:
            answered = "\n\n".join(each.text for each in said_out(record) if each.text)
            self._said = [answered] if answered else self._said
        elif record.outputs:
            self._parts.append(self._shown(record.outputs))
        if record.error_message is not None:
            self._parts.append(self._fenced(record.error_message))

    def content(self, *, speaks: bool) -> str:
        """Return what is inside of the thought, as Markdown.

        Args:
            speaks: Whether the model's text is the chat's answer, so that it is not shown here.
        """
        said = "" if speaks else self.text
        return "\n\n".join([*self._parts, *([self._fenced(said)] if said else [])])

    def metadata(self) -> dict[str, Any]:
        """Return a thought's metadata, as Gradio names them."""
        record = self.record
        told: dict[str, Any] = {
            "title": self._title(),
            "id": str(record.id),
            "status": "pending" if self.is_running else "done",
        }
        if self.outer is not None:
            told["parent_id"] = str(self.outer.record.id)
        if record.latency is not None:
            told["duration"] = record.latency
        if log := ", ".join(used(record)):
            told["log"] = log
        return told

    def _title(self) -> str:
        record = self.record
        parts = [_ICONS.get(record.type), record.name]
        if record.error_message is not None:
            parts = [_FAILED, f"{record.name}: {record.error_message}"]
        elif record.status == "unfinished":
            parts[0] = _UNFINISHED
        title = " ".join(" ".join(part.split()) for part in parts if part)
        return _escaped(excerpt(title, _MAX_TITLE))

    def _shown(self, told: dict[str, Any]) -> str:
        if text := _text_of(told):
            return self._fenced(text)
        line = json.encode(told).decode()
        if len(line) > _MAX_LINE:
            line = standard.dumps(standard.loads(line), ensure_ascii=False, indent=2)
        return self._fenced(line, "json")

    def _fenced(self, text: str, language: str = "text") -> str:
        return fenced(excerpt(text, self._max_text), language)


def answer_in(record: RunRecord) -> str:
    """Return the text that an outermost run has returned: itself, in it, or as its last message.

    Args:
        record: The run's record.
    """
    returned = field(record.outputs, "output")
    for name in _ANSWERS:
        if isinstance(said := field(record.outputs, name), str):
            return said
    messages = field(record.outputs, "messages") or field(returned, "messages")
    last = messages[-1] if isinstance(messages, list) and messages else returned
    return content_text(field(unwrapped(last), "content") or "")


def _text_of(told: dict[str, Any]) -> str | None:
    """Return the text of a run that was given, or returned, nothing but a text or a message."""
    if len(told) != 1 or not told.keys() <= {"input", "output"}:
        return None
    [only] = told.values()
    return only if isinstance(only, str) else content_text(field(unwrapped(only), "content") or "")


def _escaped(text: str) -> str:
    return _PUNCTUATION.sub(lambda found: _ENTITIES.get(found[0], f"\\{found[0]}"), text)
