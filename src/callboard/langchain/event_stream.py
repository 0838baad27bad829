"""What `Runnable.astream_events` does: a call, as events, in the schemas v1 and v2."""

from __future__ import annotations

from asyncio import AbstractEventLoop
from collections.abc import AsyncGenerator, Iterator, Mapping
from contextlib import aclosing
from importlib import import_module
from typing import Any

from callboard.ids import new_id
from callboard.langchain.log_stream import astream_log
from callboard.langchain.streams import config_with
from callboard.payloads import Payload
from callboard.tracing.event_stream import EventStream
from callboard.tracing.filters import RunFilter
from callboard.tracing.json_patch import Document, escaped, unescaped
from callboard.tracing.log_stream import LogStreamCallbackHandler
from callboard.tracing.memory_stream import get_or_create_loop
from callboard.tracing.run_events import Event, RunInfo
from callboard.tracing.run_log import LogEntry
from callboard.tracing.streamed_calls import heard_of

__all__ = ["AstreamEventsCallbackHandler", "astream_events_v1", "astream_events_v2"]


class AstreamEventsCallbackHandler(EventStream):
    """Tells a call as `Runnable.astream_events` does: with LangChain's chunks, in its schema."""

    tells_errors = False

    def _home(self) -> AbstractEventLoop:
        return get_or_create_loop(self)

    def _chunk_of(self, info: RunInfo, token: Any, chunk: Payload | None) -> Any:
        if chunk is not None:
            return super()._chunk_of(info, token, chunk)
        if info.run_type == "chat_model":
            return import_module("langchain_core.messages").AIMessageChunk(content=token)
        text = token if isinstance(token, str) else ""
        return import_module("langchain_core.outputs").GenerationChunk(text=text)


async def astream_events_v2(
    runnable: Any,
    value: Any,
    config: Mapping[str, Any] | None = None,
    *,
    include_names: Any = None,
    include_types: Any = None,
    include_tags: Any = None,
    exclude_names: Any = None,
    exclude_types: Any = None,
    exclude_tags: Any = None,
    **kwargs: Any,
) -> AsyncGenerator[Event]:
    """Call a runnable, and tell its events as they happen.

    Args:
        runnable: What to call.
        value: Its input.
        config: Its config.
        include_names: See `RunFilter`, for these and the following.
        include_types: Of these types.
        include_tags: With any of these tags.
        exclude_names: None of these names.
        exclude_types: None of these types.
        exclude_tags: None with any of these tags.
        **kwargs: For the runnable.

    Yields:
        The events. What the runnable raises is raised after the last.
    """
    stream = AstreamEventsCallbackHandler(
        include_names=include_names,
        include_types=include_types,
        include_tags=include_tags,
        exclude_names=exclude_names,
        exclude_types=exclude_types,
        exclude_tags=exclude_tags,
    )
    config = config_with(config, stream)
    run_id = config["run_id"] = config.get("run_id") or new_id()

    async def call() -> None:
        # The first to tap a run's output tells it: the runnable's own tapping is idle then.
        async with aclosing(runnable.astream(value, config, **kwargs)) as chunks:
            async for _ in stream.tap_output_aiter(run_id, chunks):
                pass

    first_id: str | None = None
    async with aclosing(heard_of(stream, call)) as events:
        async for event in events:
            if first_id is None:
                # A runnable that takes a stream does not know its input yet; here it is known.
                first_id = event["run_id"]
                event["data"]["input"] = value
            elif event["run_id"] == first_id and event["event"].endswith("_end"):
                event["data"].pop("input", None)  # It has been told, at the start.
            yield event


async def astream_events_v1(
    runnable: Any,
    value: Any,
    config: Mapping[str, Any] | None = None,
    *,
    include_names: Any = None,
    include_types: Any = None,
    include_tags: Any = None,
    exclude_names: Any = None,
    exclude_types: Any = None,
    exclude_tags: Any = None,
    **kwargs: Any,
) -> AsyncGenerator[Event]:
    """Call a runnable, and tell its events, in the older schema: see `astream_events_v2`."""
    chosen: dict[str, Any] = {
        "include_names": include_names,
        "include_types": include_types,
        "include_tags": include_tags,
        "exclude_names": exclude_names,
        "exclude_types": exclude_types,
        "exclude_tags": exclude_tags,
    }
    stream = LogStreamCallbackHandler(auto_close=False, _schema_format="streaming_events", **chosen)
    known: dict[str, Any] = import_module("langchain_core.runnables.config").ensure_config(config)
    log = _Log(
        name=known.get("run_name", runnable.get_name()),
        tags=known.get("tags", []),
        metadata=known.get("metadata", {}),
        chosen=RunFilter(**chosen),
    )
    patches = astream_log(runnable, value, known, stream=stream, **kwargs)
    async with aclosing(patches):
        async for patch in patches:
            for event in log.events_of(patch.ops, value):
                yield event
    for event in log.last_event():
        yield event


class _Log:
    """The log of a call, and the events that its patches stand for."""

    def __init__(
        self, name: str, tags: list[str], metadata: dict[str, Any], chosen: RunFilter
    ) -> None:
        self._document = Document()
        self._root: dict[str, Any] = {"name": name, "tags": tags, "metadata": metadata}
        self._chosen = chosen
        self._started = False
        self._root_told = False

    def events_of(self, ops: list[dict[str, Any]], value: Any) -> Iterator[Event]:
        """Apply a patch, and return its events."""
        self._document.apply(ops)
        if not self._started:
            self._started = True
            run_type, root = self._document.value["type"], self._root
            self._root_told = self._chosen.includes(root["name"], run_type, root["tags"])
            yield from self._root_event("start", {"input": value})
        keys = {op["path"].split("/")[2]: None for op in ops if op["path"].startswith("/logs/")}
        for key in keys:
            yield self._inner_event(unescaped(key))
        for chunk in self._taken("/streamed_output", self._document.value):
            yield from self._root_event("stream", {"chunk": chunk})

    def last_event(self) -> Iterator[Event]:
        """Return the event of the call's end, if it has begun."""
        if not self._started:
            return
        yield from self._root_event("end", {"output": self._document.value["final_output"]})

    def _root_event(self, what: str, data: dict[str, Any]) -> Iterator[Event]:
        state = self._document.value
        if self._root_told:
            yield _event(what, {**state, **self._root}, data)

    def _inner_event(self, key: str) -> Event:
        entry: LogEntry = self._document.value["logs"][key]
        known = {} if entry.get("inputs") is None else {"input": entry.get("inputs")}
        if entry["end_time"] is not None:
            return _event("end", entry, {**known, "output": entry["final_output"]})
        chunks = self._taken(f"/logs/{escaped(key)}/streamed_output", entry)
        if chunks:
            return _event("stream", entry, {"chunk": chunks[0]})
        return _event("start", entry, known)

    def _taken(self, path: str, holder: Mapping[str, Any]) -> list[Any]:
        """Take the pieces of output out of the log, so that each is told once."""
        chunks: list[Any] = holder["streamed_output"]
        if chunks:
            self._document.apply([{"op": "replace", "path": path, "value": []}])
        return chunks


def _event(what: str, run: Mapping[str, Any], data: dict[str, Any]) -> Event:
    return {
        "event": f"on_{run['type']}_{what}",
        "name": run["name"],
        "run_id": run["id"],
        "tags": run["tags"],
        "metadata": run["metadata"],
        "data": data,
        "parent_ids": [],  # The older schema has none.
    }
