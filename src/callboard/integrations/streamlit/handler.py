"""The handler that shows runs in a Streamlit app, while they run."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

from callboard.integrations.base import RunRecord, RunTreeHandler
from callboard.integrations.excerpts import counted_excerpt
from callboard.integrations.extras import load
from callboard.integrations.markdown import fenced, quoted
from callboard.integrations.messages import said_out
from callboard.integrations.streamlit.boxes import DONE, FAILED, Box, Element, Fit, Pile
from callboard.integrations.streamlit.contents import (
    MAX_TEXT,
    call_of,
    drawing_of,
    plain,
    text_of,
    without_images,
)
from callboard.integrations.streamlit.labels import LLMThoughtLabeler, label_of
from callboard.integrations.streamlit.session import Session

__all__ = ["StreamlitCallbackHandler"]

_CURSOR = "▌"
_HIDDEN = "langsmith:hidden"


class _Answer:
    """What a model has said so far, and where it is drawn."""

    def __init__(self, element: Element) -> None:
        self.element = element
        self.text = ""
        self.drawn = float("-inf")


class StreamlitCallbackHandler(RunTreeHandler):
    """Shows each run as a box inside its parent's: what it was given, what came, how it ended.

    Made in the app's script, it draws into that session from whatever thread or task a run is in.
    Text is drawn as it comes, some twenty times a second. Runs that LangChain hides, by the tag
    ``langsmith:hidden``, have no box: what is inside them is drawn in the box around them.
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
            max_thought_containers: How many boxes are shown at once, on the page and in each box.
                If there are more, the earliest that are done move into a box above them, the
                history, which is one of them. If it is 1, they are taken away.
            expand_new_thoughts: Whether boxes are open while they run.
            collapse_completed_thoughts: Whether boxes close when their run has ended well.
            thought_labeler: What boxes are called.
            refresh_per_second: How often text that streams is drawn anew.
            **options: See `RunTreeHandler`: ``redaction``, ``prices``, ``content``, ``max_runs``.

        Raises:
            MissingExtraError: Streamlit is not installed.
        """
        page = load("streamlit", "streamlit", "streamlit")
        self._session = Session()
        super().__init__(**options)
        self._labels = LLMThoughtLabeler() if thought_labeler is None else thought_labeler
        self._expand, self._collapse = expand_new_thoughts, collapse_completed_thoughts
        self._pause = 1 / refresh_per_second
        container = page if parent_container is None else parent_container
        fit = Fit(max(max_thought_containers, 1), self._labels.get_history_label)
        self._page = Pile(fit, container.container())
        self._answers: dict[Any, _Answer] = {}

    def run_started(self, record: RunRecord) -> None:
        """Draw a run's box, in its parent's."""
        if _HIDDEN in record.tags:
            return
        with self._session.drawing():
            box = self._around(record).open(label_of(record, self._labels), expanded=self._expand)
            record.kept = box
            if record.is_model:
                self._answers[record.id] = _Answer(box.put("empty"))
            elif quoted(text_of(given := plain(record.inputs))) not in box.label:
                _put(box, given)

    def run_streamed(self, record: RunRecord, text: str) -> None:
        """Draw what a model has said so far, unless that was a moment ago."""
        answer = self._answers.get(record.id)
        if answer is None:
            return
        answer.text += text
        now = time.monotonic()
        if now - answer.drawn >= self._pause:
            answer.drawn = now
            with self._session.drawing():
                answer.element.become("markdown", without_images(answer.text) + _CURSOR)

    def run_noted(self, record: RunRecord, name: str, data: Any) -> None:
        """Draw what happened meanwhile."""
        if isinstance(record.kept, Box):
            with self._session.drawing():
                record.kept.put(
                    "caption", quoted(name if data is None else f"{name}: {text_of(data)}")
                )

    def run_ended(self, record: RunRecord) -> None:
        """Draw how a run has ended, and what it returned."""
        answer = self._answers.pop(record.id, None)
        box = record.kept
        if not isinstance(box, Box):
            return
        with self._session.drawing():
            if answer is not None:
                self._draw_answer(record, answer)
            elif (returned := plain(record.outputs)) != box.said:
                _put(box, returned)
            if record.error_message is not None:
                box.put("error", fenced(counted_excerpt(record.error_message, MAX_TEXT)))
            if record.parent is None:
                _stop(box)
            failed = record.status != "ok"
            box.update(
                label_of(record, self._labels),
                FAILED if failed else DONE,
                expanded=failed or not self._collapse,
            )

    def _around(self, record: RunRecord) -> Pile:
        """Return where a run's box belongs: in the box of the innermost run that has one."""
        return next(_boxes_around(record), self._page)

    def _draw_answer(self, record: RunRecord, answer: _Answer) -> None:
        said = said_out(record)
        text = "\n\n".join(each.text for each in said if each.text) or answer.text
        if text:
            answer.element.become("markdown", without_images(text))
            for outer in _boxes_around(record):
                outer.said = text
        if calls := [call_of(call) for each in said for call in each.tool_calls]:
            _put(record.kept, "\n".join(calls))


def _boxes_around(record: RunRecord) -> Iterator[Box]:
    while (outer := record.parent) is not None:
        if isinstance(outer.kept, Box):
            yield outer.kept
        record = outer


def _put(box: Box, value: Any) -> None:
    if value:
        drawing = drawing_of(value)
        box.put(drawing.method, drawing.body, **drawing.options)


def _stop(box: Box) -> None:
    """Draw what still runs inside an outermost run that has ended as unfinished."""
    for inner in list(box.running()):
        inner.update(f"{inner.label} (unfinished)", FAILED, expanded=False)
