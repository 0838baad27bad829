"""The handler that tells a call as a stream of events: see `callboard.tracing.run_events`."""

from __future__ import annotations

from asyncio import AbstractEventLoop
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import suppress
from typing import Any, TypeVar
from uuid import UUID

from callboard.callbacks.handlers import BaseCallbackHandler
from callboard.errors import BadParentError
from callboard.payloads import Payload, field
from callboard.tracing.filters import Choice, RunFilter
from callboard.tracing.gathering import Gathering
from callboard.tracing.kinds import is_unknown
from callboard.tracing.memory_stream import MemoryStream
from callboard.tracing.recorder import MAX_RUNS
from callboard.tracing.run import component_name
from callboard.tracing.run_events import ABSENT, Event, RunInfo, message_of, texts_of
from callboard.tracing.streaming import StreamingCallbackHandler

__all__ = ["EventStream"]

T = TypeVar("T")


class EventStream(BaseCallbackHandler, StreamingCallbackHandler[Any]):
    """A handler that is an async iterator over the events of what it hears.

    Pass it as a callback, and iterate over it in one task until `close` is called; or let
    `callboard.tracing.streamed_calls.stream_events` do all that. Events may come from any
    thread and event loop.

    Attributes:
        run_map: What is known of the runs that have started and not ended, by id.
    """

    run_inline = True  # It never waits, and events must not take turns.

    tells_errors = True
    """Whether runs of every type tell that they have failed, as tools always do."""

    def __init__(
        self,
        *,
        include_names: Choice = None,
        include_types: Choice = None,
        include_tags: Choice = None,
        exclude_names: Choice = None,
        exclude_types: Choice = None,
        exclude_tags: Choice = None,
        max_pending: int | None = None,
    ) -> None:
        """Make a stream; its filters choose whose events it tells.

        Args:
            include_names: See `RunFilter`, for these and the following.
            include_types: Of these types.
            include_tags: With any of these tags.
            exclude_names: None of these names.
            exclude_types: None of these types.
            exclude_tags: None with any of these tags.
            max_pending: How many events may wait to be read before the chunks of each run are
                added up, so that a slow reader gets fewer and larger ones; None for any number.

        Raises:
            BadOptionError: A filter is no list, or `max_pending` is no positive number.
        """
        super().__init__()
        self._filter = RunFilter(
            include_names=include_names,
            include_types=include_types,
            include_tags=include_tags,
            exclude_names=exclude_names,
            exclude_types=exclude_types,
            exclude_tags=exclude_tags,
        )
        stream = MemoryStream[Any](self._home())
        self.send_stream = stream.get_send_stream()
        self.receive_stream = stream.get_receive_stream()
        self._gathering = None if max_pending is None else Gathering(stream, max_pending)
        self.run_map: dict[UUID, RunInfo] = {}
        # Kept when runs end: children may end after their parents.
        self._parents: dict[UUID, UUID | None] = {}
        self._tapped: dict[UUID, object] = {}

    def _home(self) -> AbstractEventLoop | None:
        """Return the event loop that the stream is said to be made for, if any."""
        return None

    def __aiter__(self) -> AsyncIterator[Event]:
        return aiter(self.receive_stream if self._gathering is None else self._gathering)

    def close(self) -> None:
        """End the stream: what has been told can still be read, and no more is."""
        self.send_stream.close()

    def _tell(self, info: RunInfo, what: str, data: dict[str, Any]) -> None:
        if info.told:
            self.send_stream.send_nowait(info.event(what, data))

    def _tell_chunk(self, info: RunInfo, chunk: Any) -> None:
        if not info.told:
            return
        if self._gathering is None:
            self.send_stream.send_nowait(info.event("stream", {"chunk": chunk}))
        else:
            self._gathering.put(info.event("stream", {"chunk": chunk}))

    # Starts.

    def on_chain_start(
        self,
        serialized: dict[str, Any],
        inputs: dict[str, Any],
        *,
        run_id: UUID,
        **kwargs: Any,
    ) -> None:
        """Tell that a chain, or what says to be something else, has started."""
        run_type = kwargs.get("run_type") or "chain"
        known = ABSENT if is_unknown(inputs) else inputs
        self._start(run_type, serialized, known, run_id, kwargs)

    def on_llm_start(
        self, serialized: dict[str, Any], prompts: list[str], *, run_id: UUID, **kwargs: Any
    ) -> None:
        """Tell that a text model has started."""
        self._start("llm", serialized, {"prompts": prompts}, run_id, kwargs)

    def on_chat_model_start(
        self,
        serialized: dict[str, Any],
        messages: list[list[Payload]],
        *,
        run_id: UUID,
        **kwargs: Any,
    ) -> None:
        """Tell that a chat model has started."""
        self._start("chat_model", serialized, {"messages": messages}, run_id, kwargs)

    def on_tool_start(
        self,
        serialized: dict[str, Any],
        input_str: str,
        *,
        run_id: UUID,
        inputs: dict[str, Any] | None = None,
        **kwargs: Any,
    ) -> None:
        """Tell that a tool has started."""
        given = input_str if inputs is None else inputs
        self._start("tool", serialized, given, run_id, kwargs)

    def on_retriever_start(
        self, serialized: dict[str, Any], query: str, *, run_id: UUID, **kwargs: Any
    ) -> None:
        """Tell that a retriever has started."""
        self._start("retriever", serialized, {"query": query}, run_id, kwargs)

    def _start(
        self,
        run_type: str,
        serialized: dict[str, Any] | None,
        inputs: Any,
        run_id: UUID,
        kwargs: dict[str, Any],
    ) -> None:
        name = kwargs.get("name") or component_name(serialized) or "Unnamed"
        tags = kwargs.get("tags") or []
        self._parents[run_id] = kwargs.get("parent_run_id")
        if len(self._parents) > MAX_RUNS:
            self._let_go_of_oldest()
        common = {
            "name": name,
            "run_id": str(run_id),
            "tags": tags,
            "metadata": kwargs.get("metadata") or {},
            "parent_ids": self._ids_above(run_id),
        }
        info = self.run_map[run_id] = RunInfo(
            run_type,
            inputs,
            tool_call_id=kwargs.get("tool_call_id"),
            told=self._filter.includes(name, run_type, tags),
            common=common,
        )
        self._tell(info, "start", {} if inputs is ABSENT else {"input": inputs})

    def _ids_above(self, run_id: UUID) -> list[str]:
        """Return the ids of the runs that a run is inside of, the outermost first."""
        above: list[UUID] = []
        parent = self._parents.get(run_id)
        while parent is not None:
            if parent == run_id or parent in above:
                self._forget(run_id)
                raise BadParentError(
                    f"The run with id {run_id} is inside itself, so its events can't be told: "
                    "an id has been used for two runs."
                )
            above.append(parent)
            parent = self._parents.get(parent)
        return [str(each) for each in reversed(above)]

    def _let_go_of_oldest(self) -> None:
        with suppress(StopIteration, RuntimeError):  # Other threads do so at the same time.
            oldest = next(iter(self._parents))
            self._parents.pop(oldest, None)
            self._forget(oldest)

    # Meanwhile.

    def on_llm_new_token(
        self,
        token: str | list[str | dict[str, Any]],
        *,
        chunk: Payload | None = None,
        run_id: UUID,
        **kwargs: Any,
    ) -> None:
        """Tell a token, unless the model's output is told as it passes by."""
        info = self.run_map.get(run_id)
        if info is not None and info.told and run_id not in self._tapped:
            self._tell_chunk(info, self._chunk_of(info, token, chunk))

    def _chunk_of(self, info: RunInfo, token: Any, chunk: Payload | None) -> Any:
        """Return what a token's event carries: of a chat model a message, if there is one."""
        if chunk is None:
            return token
        return field(chunk, "message", chunk) if info.run_type == "chat_model" else chunk

    def on_custom_event(
        self,
        name: str,
        data: Any,
        *,
        run_id: UUID,
        tags: list[str] | None = None,
        metadata: dict[str, Any] | None = None,
        **kwargs: Any,
    ) -> None:
        """Tell an event of the application's own; to filters its type is its name."""
        if self._gathering is not None:
            self._gathering.finish(str(run_id))
        if self._filter.includes(name, name, tags or ()):
            event = {
                "event": "on_custom_event",
                "data": data,
                "name": name,
                "run_id": str(run_id),
                "tags": tags or [],
                "metadata": metadata or {},
                "parent_ids": self._ids_above(run_id),
            }
            self.send_stream.send_nowait(event)

    # Ends.

    def on_chain_end(
        self,
        outputs: dict[str, Any],
        *,
        run_id: UUID,
        inputs: dict[str, Any] | None = None,
        **kwargs: Any,
    ) -> None:
        """Tell that a chain has returned, and its inputs, which may be known only now."""
        self._end(run_id, outputs, inputs)

    def on_llm_end(self, response: Payload, *, run_id: UUID, **kwargs: Any) -> None:
        """Tell that a model, of either kind, has answered."""
        info = self.run_map.get(run_id)
        if info is not None:
            chat = info.run_type == "chat_model"
            self._end(run_id, message_of(response) if chat else texts_of(response))

    def on_tool_end(self, output: Any, *, run_id: UUID, **kwargs: Any) -> None:
        """Tell that a tool has returned."""
        self._end(run_id, output)

    def on_retriever_end(
        self, documents: Sequence[Payload], *, run_id: UUID, **kwargs: Any
    ) -> None:
        """Tell what a retriever has found."""
        self._end(run_id, documents)

    def _end(self, run_id: UUID, output: Any, inputs: Any = None) -> None:
        info = self._forget(run_id)
        if info is not None:
            if inputs is None:
                inputs = {} if info.inputs is ABSENT or info.inputs is None else info.inputs
            self._tell(info, "end", {"output": output, "input": inputs})

    def on_tool_error(self, error: BaseException, *, run_id: UUID, **kwargs: Any) -> None:
        """Tell that a tool has failed, and which tool call it was to answer."""
        info = self._forget(run_id)
        if info is not None:
            call = kwargs.get("tool_call_id") or info.tool_call_id
            data = {"error": error, "input": info.inputs, "tool_call_id": call}
            self._tell(info, "error", data)

    def on_chain_error(self, error: BaseException, *, run_id: UUID, **kwargs: Any) -> None:
        """Tell that a chain has failed."""
        self._fail(run_id, error)

    def on_llm_error(self, error: BaseException, *, run_id: UUID, **kwargs: Any) -> None:
        """Tell that a model, of either kind, has failed."""
        self._fail(run_id, error)

    def on_retriever_error(self, error: BaseException, *, run_id: UUID, **kwargs: Any) -> None:
        """Tell that a retriever has failed."""
        self._fail(run_id, error)

    def _fail(self, run_id: UUID, error: BaseException) -> None:
        info = self._forget(run_id)
        if info is not None and self.tells_errors:
            known = {} if info.inputs is ABSENT else {"input": info.inputs}
            self._tell(info, "error", {"error": error, **known})

    def _forget(self, run_id: UUID) -> RunInfo | None:
        info = self.run_map.pop(run_id, None)
        if info is not None:
            if self._gathering is not None:
                self._gathering.finish(info.common["run_id"])
            self._tapped.pop(run_id, None)
        return info

    # Output that passes by.

    async def tap_output_aiter(self, run_id: UUID, output: AsyncIterator[T]) -> AsyncIterator[T]:
        """Tell the pieces of a run's output as they pass by; the first to ask for a run does.

        Args:
            run_id: The run.
            output: The pieces.

        Yields:
            Each piece, as it is.
        """
        tap = object()
        first = self._tapped.setdefault(run_id, tap) is tap
        async for chunk in output:
            if first:
                self._tell_passing(run_id, chunk)
            yield chunk

    def tap_output_iter(self, run_id: UUID, output: Iterator[T]) -> Iterator[T]:
        """Tell the pieces of a run's output as they pass by; the first to ask for a run does.

        Args:
            run_id: The run.
            output: The pieces.

        Yields:
            Each piece, as it is.
        """
        tap = object()
        first = self._tapped.setdefault(run_id, tap) is tap
        for chunk in output:
            if first:
                self._tell_passing(run_id, chunk)
            yield chunk

    def _tell_passing(self, run_id: UUID, chunk: Any) -> None:
        info = self.run_map.get(run_id)
        if info is not None:  # The last piece may come after the end.
            self._tell_chunk(info, chunk)

    def __copy__(self) -> EventStream:
        return self  # Whoever has it tells the same reader.

    def __deepcopy__(self, memo: dict[int, Any] | None = None) -> EventStream:
        return self
