"""The tracer that tells a call as a stream of patches to its log."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from itertools import count
from typing import Any, Literal, TypeAlias, TypeVar, get_args
from uuid import UUID

from callboard.errors import BadOptionError
from callboard.payloads import Payload, field
from callboard.tracing.base import BaseTracer
from callboard.tracing.filters import Choice, RunFilter
from callboard.tracing.json_patch import escaped
from callboard.tracing.kinds import SchemaFormat, is_unknown
from callboard.tracing.memory_stream import MemoryStream, get_or_create_loop
from callboard.tracing.responses import response_fields
from callboard.tracing.run import Run
from callboard.tracing.run_log import LogEntry, RunLogPatch, RunState
from callboard.tracing.streaming import StreamingCallbackHandler

__all__ = ["LogStreamCallbackHandler", "standardized_inputs", "standardized_outputs"]

T = TypeVar("T")

LogFormat: TypeAlias = Literal["original", "streaming_events"]


class LogStreamCallbackHandler(BaseTracer, StreamingCallbackHandler[Any]):
    """Tells a call, the first that it hears of, as patches: iterate over the handler for them.

    Added up, the patches are a `RunLog`. What is sent and not read yet is held, however much
    it is.

    Attributes:
        root_id: The id of the outermost run; None before it starts.
        auto_close: Whether the stream ends when that run does.
    """

    run_inline = True  # It never waits, and tokens must not take turns.

    def __init__(
        self,
        *,
        auto_close: bool = True,
        include_names: Choice = None,
        include_types: Choice = None,
        include_tags: Choice = None,
        exclude_names: Choice = None,
        exclude_types: Choice = None,
        exclude_tags: Choice = None,
        _schema_format: LogFormat = "streaming_events",
    ) -> None:
        """Make a handler; its filters choose among the runs inside the call.

        Args:
            auto_close: Whether the stream ends when the outermost run does.
            include_names: See `RunFilter`, for these and the following.
            include_types: Of these types.
            include_tags: With any of these tags.
            exclude_names: None of these names.
            exclude_types: None of these types.
            exclude_tags: None with any of these tags.
            _schema_format: How inputs and outputs are told: see `callboard.tracing.kinds`.

        Raises:
            BadOptionError: There is no such format for logs, or a filter is no list.
        """
        if _schema_format not in get_args(LogFormat):
            raise BadOptionError(
                f"A log can't be told in the format {_schema_format!r}; accepted are "
                f"{' and '.join(get_args(LogFormat))}."
            )
        super().__init__(_schema_format=_schema_format)
        self.auto_close = auto_close
        self._filter = RunFilter(
            include_names=include_names,
            include_types=include_types,
            include_tags=include_tags,
            exclude_names=exclude_names,
            exclude_types=exclude_types,
            exclude_tags=exclude_tags,
        )
        self.root_id: UUID | None = None
        stream = MemoryStream[RunLogPatch](get_or_create_loop(self))
        self.send_stream = stream.get_send_stream()
        self.receive_stream = stream.get_receive_stream()
        self._paths: dict[UUID, str] = {}
        self._numbers: dict[str, count[int]] = {}

    def __aiter__(self) -> AsyncIterator[RunLogPatch]:
        return aiter(self.receive_stream)

    def send(self, *ops: dict[str, Any]) -> bool:
        """Send a patch.

        Args:
            *ops: Its operations.

        Returns:
            Whether it was taken; not after the stream has been closed.
        """
        return self.send_stream.send_nowait(RunLogPatch(*ops))

    def include_run(self, run: Run) -> bool:
        """Whether a run is told of beside the outermost one.

        Args:
            run: The run.
        """
        chosen = self._filter.includes(run.name, run.run_type, run.tags)
        return run.id != self.root_id and chosen

    async def tap_output_aiter(self, run_id: UUID, output: AsyncIterator[T]) -> AsyncIterator[T]:
        """Tell the pieces of a run's output as they pass by.

        Args:
            run_id: The run.
            output: The pieces.

        Yields:
            Each piece, as it is.
        """
        async for chunk in output:
            self._tell_chunk(run_id, chunk)
            yield chunk

    def tap_output_iter(self, run_id: UUID, output: Iterator[T]) -> Iterator[T]:
        """Tell the pieces of a run's output as they pass by.

        Args:
            run_id: The run.
            output: The pieces.

        Yields:
            Each piece, as it is.
        """
        for chunk in output:
            self._tell_chunk(run_id, chunk)
            yield chunk

    def _tell_chunk(self, run_id: UUID, chunk: Any) -> None:
        path = self._paths.get(run_id)
        if path is not None:
            self.send(_added(f"{path}/streamed_output/-", chunk))

    def on_llm_new_token(
        self,
        token: str | list[str | dict[str, Any]],
        *,
        chunk: Payload | None = None,
        run_id: UUID,
        **kwargs: Any,
    ) -> Run:
        """Tell a token, and don't keep it."""
        run = self._recorder.running(run_id, ("llm", "chat_model"))
        path = self._paths.get(run_id)
        if path is not None:
            message = field(chunk, "message")
            self.send(
                _added(f"{path}/streamed_output_str/-", token),
                _added(f"{path}/streamed_output/-", token if message is None else message),
            )
        return run

    # Hooks.

    def _answered(self, response: Payload) -> dict[str, Any]:
        return response_fields(response)  # The log has messages themselves.

    def _persist_run(self, run: Run) -> None:
        pass  # Everything has been told by then.

    def _on_run_create(self, run: Run) -> None:
        if self.root_id is None:
            self.root_id = run.id
            self.send({"op": "replace", "path": "", "value": _first_state(run)})
        if self.include_run(run):
            path = self._paths[run.id] = f"/logs/{escaped(self._key_of(run))}"
            self.send(_added(path, self._entry_of(run)))

    def _key_of(self, run: Run) -> str:
        # Both are one step, so that runs of several threads get numbers of their own.
        number = next(self._numbers.setdefault(run.name, count(1)))
        return run.name if number == 1 else f"{run.name}:{number}"

    def _entry_of(self, run: Run) -> LogEntry:
        entry = LogEntry(
            id=str(run.id),
            name=run.name,
            type=run.run_type,
            tags=run.tags,
            metadata=run.extra.get("metadata", {}),
            start_time=run.start_time.isoformat(timespec="milliseconds"),
            streamed_output=[],
            streamed_output_str=[],
            final_output=None,
            end_time=None,
        )
        if self._schema_format == "streaming_events":
            entry["inputs"] = standardized_inputs(run, self._schema_format)
        return entry

    def _on_run_update(self, run: Run) -> None:
        path = self._paths.pop(run.id, None)
        if path is not None:
            self.send(*self._last_ops(run, path))
        if run.id == self.root_id and self.auto_close:
            self.send_stream.close()

    def _last_ops(self, run: Run, path: str) -> Iterator[dict[str, Any]]:
        """Tell the end of a run; and its inputs, which streamed ones are only known by then."""
        if self._schema_format == "streaming_events":
            inputs = standardized_inputs(run, self._schema_format)
            yield {"op": "replace", "path": f"{path}/inputs", "value": inputs}
        yield _added(f"{path}/final_output", standardized_outputs(run, self._schema_format))
        ended = run.end_time and run.end_time.isoformat(timespec="milliseconds")
        yield _added(f"{path}/end_time", ended)


def _added(path: str, value: Any) -> dict[str, Any]:
    return {"op": "add", "path": path, "value": value}


def _first_state(run: Run) -> RunState:
    return RunState(
        id=str(run.id),
        streamed_output=[],
        final_output=None,
        logs={},
        name=run.name,
        type=run.run_type,
    )


_BY_THEIR_KEYS = ("retriever", "llm", "chat_model")
"""The types of runs whose inputs and outputs are dictionaries in every format."""


def standardized_inputs(run: Run, schema_format: SchemaFormat) -> Any:
    """Return what a run was given; None while that is not known.

    Args:
        run: A run in the format of event streams.
        schema_format: That format; the original one has no inputs in its log.

    Raises:
        NotImplementedError: The format is the original one.
    """
    if schema_format == "original":
        raise NotImplementedError("A log in the original format has no inputs.")
    if run.run_type in _BY_THEIR_KEYS:
        return run.inputs
    inputs = run.inputs.get("input")
    return None if is_unknown(inputs) else inputs


def standardized_outputs(run: Run, schema_format: SchemaFormat) -> Any:
    """Return what a run returned; if it failed, nothing: None, or ``{}`` in the original format.

    Args:
        run: The run.
        schema_format: The format that it is in.
    """
    outputs = run.outputs or {}
    if schema_format == "original":
        return outputs.get("output", outputs) if run.run_type == "prompt" else outputs
    if run.outputs is None:
        return None
    return outputs if run.run_type in _BY_THEIR_KEYS else outputs.get("output")
