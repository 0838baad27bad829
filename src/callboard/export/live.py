"""Live: what running models say, on its way to a server that shows it as it comes.

It is for looking on only: what a run returned is told at its end, by operations. So it is never
kept, never sent twice, and the first thing to be dropped.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from callboard.payloads import content_text
from callboard.wire.progress import MAX_MESSAGES, MAX_TEXT, Progress

__all__ = ["Live", "LiveCounters"]

_MAX_RUNS = 10_000
_MAX_TOKENS = 10_000
_MAX_AT_ONCE = 4 * MAX_TEXT
"""Characters of one run. Of more than that the end is sent."""
_MAX_TAKEN = 100_000
"""Characters of all runs, which are at the most six times as many bytes in JSON."""


@dataclass(frozen=True, slots=True)
class LiveCounters:
    """What became of pieces of text.

    Attributes:
        sent: Accepted by the sink.
        dropped: Not sent, or not accepted.
    """

    sent: int = 0
    dropped: int = 0


@dataclass(slots=True, eq=False)
class _Text:
    """What one run says."""

    run_id: UUID
    trace_id: UUID
    start_time: datetime
    session_name: str
    tokens: list[str]
    sequence: int = 0
    offset: int = 0

    def take(self) -> list[Progress]:
        """Return what was said since this was called last, in pieces."""
        # Others append meanwhile: what they append now is there the next time.
        tokens = self.tokens[:]
        del self.tokens[: len(tokens)]
        text = "".join(tokens)
        skipped = max(0, len(text) - _MAX_AT_ONCE)
        if skipped:
            self.sequence += 1
            self.offset += skipped
        starts = range(skipped, len(text), MAX_TEXT)
        return [self._piece(text[start : start + MAX_TEXT]) for start in starts]

    def _piece(self, text: str) -> Progress:
        piece = Progress(
            self.run_id,
            self.trace_id,
            self.sequence,
            self.offset,
            text,
            self.start_time,
            self.session_name,
        )
        self.sequence += 1
        self.offset += len(text)
        return piece


class Live:
    """Text of running models, that waits to be sent.

    `add` is called for each token: it appends to a list. All else is done by the export thread.

    Attributes:
        wanted: Whether anybody takes it; true as long as that is not known.
    """

    def __init__(self, wake: Callable[[], None], *, wanted: bool) -> None:
        """Begin without any.

        Args:
            wake: Called when there is something to send.
            wanted: Whether there may be somebody who takes it.
        """
        self.wanted = wanted
        self._wake = wake
        self._lock = threading.Lock()
        self._texts: dict[UUID, _Text] = {}
        self._waits = False
        self._sent = 0
        self._dropped = 0

    @property
    def counters(self) -> LiveCounters:
        """How many pieces of text were sent, and were not."""
        return LiveCounters(self._sent, self._dropped)

    @property
    def waits(self) -> bool:
        """Whether there is something to send."""
        return self._waits

    def begin(self, run_id: UUID, trace_id: UUID, start_time: datetime, session_name: str) -> None:
        """Say that a run begins to say something: only of such runs is anything taken.

        Args:
            run_id: The run.
            trace_id: Its trace.
            start_time: When it started.
            session_name: The project that it belongs to.
        """
        if len(self._texts) >= _MAX_RUNS:
            oldest = next(iter(list(self._texts)))  # Its end never came.
            self._texts.pop(oldest, None)
        self._texts[run_id] = _Text(run_id, trace_id, start_time, session_name, [])

    def add(self, run_id: UUID, token: str | list[str | dict[str, Any]]) -> None:
        """Take a token.

        Args:
            run_id: The run that says it.
            token: Text, or content blocks, of which the text is taken.
        """
        text = self._texts.get(run_id)
        if text is None:
            return
        text.tokens.append(token if type(token) is str else content_text(token))
        if len(text.tokens) > _MAX_TOKENS:
            with self._lock:
                self._dropped += len(text.take())
        if not self._waits:
            self._waits = True
            self._wake()

    def end(self, run_id: UUID) -> None:
        """Say that a run has ended: what it said is told otherwise."""
        self._texts.pop(run_id, None)

    def take(self) -> list[Progress]:
        """Return what is to be sent, as much as is sent at once."""
        self._waits = False
        taken: list[Progress] = []
        size = 0
        with self._lock:
            for text in list(self._texts.values()):
                if size > _MAX_TAKEN or len(taken) > MAX_MESSAGES // 2:
                    self._waits = True  # The rest goes next time.
                    break
                pieces = text.take()
                size += sum(len(each.text) for each in pieces)
                taken += pieces
        return taken

    def settle(self, pieces: int, *, were_sent: bool) -> None:
        """Say what became of what was taken.

        Args:
            pieces: How many pieces.
            were_sent: Whether somebody has them.
        """
        with self._lock:
            self._sent += pieces * were_sent
            self._dropped += pieces * (not were_sent)

    def drop(self) -> None:
        """Drop what waits; offsets go on counting, so that the gap shows."""
        self.settle(len(self.take()), were_sent=False)

    def stop(self) -> None:
        """Take nothing any more: there is nobody who wants it."""
        self.wanted = False
        self._waits = False
        self._texts.clear()

    def after_fork(self) -> None:
        """Begin anew, in the child of a fork: what runs say there is the parent's affair."""
        self._lock = threading.Lock()
        self._texts = {}
        self._waits = False
        self._sent = self._dropped = 0
