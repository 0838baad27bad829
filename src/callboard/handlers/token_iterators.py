"""Token iterators: a model's answer as an ``async for``, while the model runs elsewhere.

Each iterator reads one run, so that runs at the same time don't get into each other's text. Each
ends: with its run, however that ends, or, if no run begins that it could read, when what is under
way is over.
"""

from __future__ import annotations

import re
import threading
from collections import deque
from collections.abc import AsyncIterator, Sequence
from typing import Any
from uuid import UUID

from callboard.callbacks.handlers import BaseCallbackHandler
from callboard.payloads import Payload, content_text
from callboard.tracing.memory_stream import MemoryStream

__all__ = ["AsyncFinalIteratorCallbackHandler", "AsyncIteratorCallbackHandler"]

_MAX_UNREAD = 100
"""How many answers are held that nobody reads; then the oldest are let go."""
_MAX_GAP = 100
"""How many spaces and line breaks there may be in a prefix."""


class _End:
    """Ends a handler's iterators: what an `asyncio.Event` was for in LangChain's handler."""

    def __init__(self, handler: AsyncIteratorCallbackHandler) -> None:
        self._handler = handler

    def set(self) -> None:
        """See `AsyncIteratorCallbackHandler.close`."""
        self._handler.close()

    def is_set(self) -> bool:
        """Whether nothing is under way."""
        return self._handler.is_idle


class AsyncIteratorCallbackHandler(BaseCallbackHandler):
    """Passes on the tokens of model runs, each run's to an iterator of its own.

    Make one for each request: iterators get the runs in the order in which those start. Runs may be
    in other threads and event loops than their readers.
    """

    # Tokens are to come in their order, and passing one on takes a microsecond.
    run_inline = True

    def __init__(self) -> None:
        """Make a handler that has heard of nothing yet."""
        self._lock = threading.Lock()
        # The calls of models, and the outermost runs, in which such may follow.
        self._under_way: set[UUID] = set()
        self._writing: dict[UUID, MemoryStream[str]] = {}
        self._unread: deque[MemoryStream[str]] = deque()
        self._waiting: deque[MemoryStream[str]] = deque()
        self._begun = False
        self.done = _End(self)

    @property
    def is_idle(self) -> bool:
        """Whether there has been a run, and none is under way."""
        return self._begun and not self._under_way

    def aiter(self) -> AsyncIterator[str]:
        """Return the tokens of a model's run: the first that nobody reads, or the next to start.

        There are none if all runs are over and have been read, or end without another model's run.
        """
        with self._lock:
            if self._unread:
                stream = self._unread.popleft()
            else:
                stream = MemoryStream[str]()
                if self.is_idle:
                    stream.close()
                else:
                    self._waiting.append(stream)
        return stream.get_receive_stream()

    def close(self) -> None:
        """End all iterators: no more is to come. Call it if what they wait for may never begin."""
        with self._lock:
            for stream in (*self._writing.values(), *self._waiting):
                stream.close()
            self._under_way.clear()
            self._writing.clear()
            self._waiting.clear()
            self._begun = True

    # What is heard.

    def on_llm_start(self, serialized: Any, prompts: list[str], **kwargs: Any) -> None:
        """Begin an answer."""
        self._start(kwargs["run_id"])
        self._begin(kwargs["run_id"])

    def on_chat_model_start(self, serialized: Any, messages: list[Any], **kwargs: Any) -> None:
        """Begin an answer."""
        self._start(kwargs["run_id"])
        self._begin(kwargs["run_id"])

    def on_llm_new_token(self, token: str | list[Any], **kwargs: Any) -> None:
        """Pass on a token's text, if it has any."""
        if text := content_text(token):
            self._pass_on(kwargs["run_id"], text)

    def on_llm_end(self, response: Payload, **kwargs: Any) -> None:
        """End an answer."""
        self._end(kwargs["run_id"])

    def on_llm_error(self, error: BaseException, **kwargs: Any) -> None:
        """End an answer; what has called the model gets the error."""
        self._end(kwargs["run_id"])

    def on_chain_start(self, serialized: Any, inputs: Any, **kwargs: Any) -> None:
        """Hear that something has begun in which models may be called."""
        if kwargs.get("parent_run_id") is None:
            self._start(kwargs["run_id"])

    def on_chain_end(self, outputs: Any, **kwargs: Any) -> None:
        """Hear that it is over."""
        self._end(kwargs["run_id"])

    def on_chain_error(self, error: BaseException, **kwargs: Any) -> None:
        """Hear that it has failed."""
        self._end(kwargs["run_id"])

    def on_tool_start(self, serialized: Any, input_str: str, **kwargs: Any) -> None:
        """Hear that something has begun in which models may be called."""
        if kwargs.get("parent_run_id") is None:
            self._start(kwargs["run_id"])

    def on_tool_end(self, output: Any, **kwargs: Any) -> None:
        """Hear that it is over."""
        self._end(kwargs["run_id"])

    def on_tool_error(self, error: BaseException, **kwargs: Any) -> None:
        """Hear that it has failed."""
        self._end(kwargs["run_id"])

    # Streams and who reads them.

    def _start(self, run_id: UUID) -> None:
        with self._lock:
            self._under_way.add(run_id)
            self._begun = True

    def _begin(self, run_id: UUID) -> None:
        with self._lock:
            if self._waiting:
                self._writing[run_id] = self._waiting.popleft()
                return
            stream = self._writing[run_id] = MemoryStream[str]()
            self._unread.append(stream)
            if len(self._unread) > _MAX_UNREAD:
                self._unread.popleft().abandon()

    def _pass_on(self, run_id: UUID, text: str) -> None:
        if stream := self._writing.get(run_id):
            stream.put(text)

    def _end(self, run_id: UUID) -> None:
        with self._lock:
            self._under_way.discard(run_id)
            if stream := self._writing.pop(run_id, None):
                stream.close()
            if self.is_idle:
                for waiting in self._waiting:
                    waiting.close()
                self._waiting.clear()


class AsyncFinalIteratorCallbackHandler(AsyncIteratorCallbackHandler):
    """Passes on what comes after "Final Answer:", or another prefix, and nothing before it.

    A run that never says the prefix is passed over.
    """

    def __init__(
        self,
        *,
        answer_prefix_tokens: Sequence[str] = ("Final", "Answer", ":"),
        strip_tokens: bool = True,
        stream_prefix: bool = False,
    ) -> None:
        """Make a handler that has heard of nothing yet.

        Args:
            answer_prefix_tokens: The prefix; it is found however the model's tokens cut it.
            strip_tokens: Whether spaces and line breaks in it don't count.
            stream_prefix: Whether the prefix is passed on, too.
        """
        super().__init__()
        words = ["".join(each.split()) if strip_tokens else each for each in answer_prefix_tokens]
        self._prefix = re.compile((r"\s*" if strip_tokens else "").join(map(re.escape, words)))
        self._kept = sum(map(len, words)) + _MAX_GAP
        self._with_prefix = stream_prefix
        self._said: dict[UUID, str] = {}

    def _begin(self, run_id: UUID) -> None:
        self._said[run_id] = ""

    def _pass_on(self, run_id: UUID, text: str) -> None:
        before = self._said.get(run_id)
        if before is None:
            super()._pass_on(run_id, text)
            return
        said = before + text
        prefix = self._prefix.search(said)
        if prefix is None:
            self._said[run_id] = said[-self._kept :]
            return
        del self._said[run_id]
        super()._begin(run_id)
        if answer := said[prefix.start() if self._with_prefix else prefix.end() :]:
            super()._pass_on(run_id, answer)

    def _end(self, run_id: UUID) -> None:
        self._said.pop(run_id, None)
        super()._end(run_id)
