"""What tracers of both colours do: every event, written once, over the recorder.

Each method records its event, then begins, tells of or finishes the run. How hooks are called,
at once or awaited, is the colour's affair (`callboard.tracing.base`).
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import Any, Generic, TypeVar
from uuid import UUID

from callboard.payloads import Payload
from callboard.tracing.kinds import CHAIN, CHAT_MODEL, LLM, RETRIEVER, TOOL, Kind, SchemaFormat
from callboard.tracing.recorder import Place, Recorder
from callboard.tracing.responses import captured_response, tool_call_count
from callboard.tracing.run import Run

__all__ = ["TracerCore"]

R = TypeVar("R")
"""What telling of a run returns: the run, or a coroutine that does."""


class TracerCore(ABC, Generic[R]):
    """Records runs, and tells its hooks (`_on_...`) of them."""

    log_missing_parent: bool = True
    """Kept for subclasses that set it: a run whose parent is unknown is a root, silently."""

    def __init__(
        self,
        *,
        _schema_format: SchemaFormat = "original",
        run_map: dict[str, Run] | None = None,
        order_map: dict[UUID, Place] | None = None,
        _external_run_ids: dict[str, int] | None = None,
        **kwargs: Any,
    ) -> None:
        """Make a tracer.

        Args:
            _schema_format: How inputs and outputs are told: see `callboard.tracing.kinds`.
            run_map: A map of running runs to share with another tracer.
            order_map: A map of runs' places to share with another tracer.
            _external_run_ids: How many running children each run has that was started by
                other means, by id as text; to share with another tracer.
            **kwargs: For the classes above.
        """
        super().__init__(**kwargs)
        self._recorder = Recorder(
            _schema_format, snapshot=self._snapshot, runs=run_map, places=order_map
        )
        self._external_run_ids: dict[str, int] = (
            {} if _external_run_ids is None else _external_run_ids
        )

    @property
    def run_map(self) -> dict[str, Run]:
        """Runs that have started and not ended, by id as text."""
        return self._recorder.runs

    @property
    def order_map(self) -> dict[UUID, Place]:
        """Where runs are, the last ended ones too: trace and dotted order, by id."""
        return self._recorder.places

    @property
    def _schema_format(self) -> SchemaFormat:
        return self._recorder.schema_format

    @staticmethod
    def _snapshot(value: Any) -> Any:
        """Return what is recorded of a value: itself, for listeners expect the real thing."""
        return value

    @abstractmethod
    def _begin_run(self, run: Run, hook: str) -> R:
        """Place a run that starts, and call the hooks of its start."""

    @abstractmethod
    def _tell_hook(self, run: Run, hook: str, *args: Any) -> R:
        """Call a hook of a run that goes on."""

    @abstractmethod
    def _finish_run(self, run: Run, hook: str) -> R:
        """Call the hooks of a run that has ended, and let go of it."""

    # Starts.

    def on_llm_start(
        self, serialized: dict[str, Any], prompts: list[str], *, run_id: UUID, **kwargs: Any
    ) -> R:
        """Record the start of a text model."""
        return self._start_run(LLM, serialized, prompts, run_id, kwargs, "_on_llm_start")

    def on_chat_model_start(
        self,
        serialized: dict[str, Any],
        messages: list[list[Payload]],
        *,
        run_id: UUID,
        **kwargs: Any,
    ) -> R:
        """Record the start of a chat model.

        Raises:
            NotImplementedError: In the original format, which knows text models only: the
                manager then tells of a text model's start, with the messages as text.
        """
        if self._schema_format == "original":
            raise NotImplementedError("The original format has no chat models.")
        return self._start_run(
            CHAT_MODEL, serialized, messages, run_id, kwargs, "_on_chat_model_start"
        )

    def on_chain_start(
        self, serialized: dict[str, Any], inputs: dict[str, Any], *, run_id: UUID, **kwargs: Any
    ) -> R:
        """Record the start of a chain."""
        return self._start_run(CHAIN, serialized, inputs, run_id, kwargs, "_on_chain_start")

    def on_tool_start(
        self,
        serialized: dict[str, Any],
        input_str: str,
        *,
        run_id: UUID,
        inputs: dict[str, Any] | None = None,
        **kwargs: Any,
    ) -> R:
        """Record the start of a tool."""
        kind, given = TOOL, inputs if inputs is not None else input_str
        if isinstance(inputs, dict) and self._schema_format != "streaming_events":
            kind = CHAIN._replace(run_type=TOOL.run_type)  # Its arguments, by their own names.
        return self._start_run(kind, serialized, given, run_id, kwargs, "_on_tool_start")

    def on_retriever_start(
        self, serialized: dict[str, Any], query: str, *, run_id: UUID, **kwargs: Any
    ) -> R:
        """Record the start of a retriever."""
        kwargs["name"] = kwargs.get("name") or "Retriever"
        return self._start_run(RETRIEVER, serialized, query, run_id, kwargs, "_on_retriever_start")

    def _start_run(
        self,
        kind: Kind,
        serialized: Mapping[str, Any] | None,
        given: Any,
        run_id: UUID,
        kwargs: dict[str, Any],
        hook: str,
    ) -> R:
        run = self._recorder.start(
            kind,
            serialized,
            given,
            run_id=run_id,
            parent_run_id=kwargs.pop("parent_run_id", None),
            run_type=kwargs.pop("run_type", None),
            name=kwargs.pop("name", None),
            tags=kwargs.pop("tags", None),
            metadata=kwargs.pop("metadata", None),
            extra=kwargs,
        )
        return self._begin_run(run, hook)

    # Meanwhile.

    def on_llm_new_token(
        self,
        token: str | list[str | dict[str, Any]],
        *,
        chunk: Payload | None = None,
        run_id: UUID,
        **kwargs: Any,
    ) -> R:
        """Record a token."""
        run = self._recorder.running(run_id, "llm", "chat_model")
        details = {"token": token} if chunk is None else {"token": token, "chunk": chunk}
        self._recorder.happened(run, "new_token", details)
        return self._tell_hook(run, "_on_llm_new_token", token, chunk)

    def on_retry(self, retry_state: Payload, *, run_id: UUID, **kwargs: Any) -> R:
        """Record that something is tried again."""
        run = self._recorder.running(run_id)
        self._recorder.retried(run, retry_state)
        return self._tell_hook(run, "_on_retry")

    # Ends.

    def on_llm_end(self, response: Payload, *, run_id: UUID, **kwargs: Any) -> R:
        """Record that a model, of either kind, has answered."""
        run = self._recorder.running(run_id, "llm", "chat_model")
        self._recorder.attach(run, kwargs.get("attachments"))
        self._recorder.end(run, captured_response(response))
        if calls := tool_call_count(response):
            run.extra["tool_call_count"] = calls
        return self._finish_run(run, "_on_llm_end")

    def on_llm_error(self, error: BaseException, *, run_id: UUID, **kwargs: Any) -> R:
        """Record that a model has failed, and what it had answered by then."""
        run = self._recorder.running(run_id, "llm", "chat_model")
        self._recorder.attach(run, kwargs.get("attachments"))
        if response := kwargs.get("response"):
            self._recorder.returned(run, captured_response(response))
        self._recorder.fail(run, error)
        return self._finish_run(run, "_on_llm_error")

    def on_chain_end(
        self,
        outputs: dict[str, Any],
        *,
        run_id: UUID,
        inputs: dict[str, Any] | None = None,
        **kwargs: Any,
    ) -> R:
        """Record that a chain has ended, and its inputs if they are known only now."""
        run = self._run_ended(CHAIN, run_id, outputs, kwargs)
        return self._finish_run(self._run_with_inputs(run, inputs), "_on_chain_end")

    def on_chain_error(
        self,
        error: BaseException,
        *,
        inputs: dict[str, Any] | None = None,
        run_id: UUID,
        **kwargs: Any,
    ) -> R:
        """Record that a chain has failed, and its inputs if they are known only now."""
        run = self._run_failed(run_id, error, kwargs)
        return self._finish_run(self._run_with_inputs(run, inputs), "_on_chain_error")

    def on_tool_end(self, output: Any, *, run_id: UUID, **kwargs: Any) -> R:
        """Record that a tool has returned."""
        return self._finish_run(
            self._run_ended(TOOL, run_id, output, kwargs, "tool"), "_on_tool_end"
        )

    def on_tool_error(self, error: BaseException, *, run_id: UUID, **kwargs: Any) -> R:
        """Record that a tool has failed."""
        return self._finish_run(self._run_failed(run_id, error, kwargs, "tool"), "_on_tool_error")

    def on_retriever_end(self, documents: Sequence[Payload], *, run_id: UUID, **kwargs: Any) -> R:
        """Record what a retriever has found."""
        run = self._run_ended(RETRIEVER, run_id, documents, kwargs, "retriever")
        return self._finish_run(run, "_on_retriever_end")

    def on_retriever_error(self, error: BaseException, *, run_id: UUID, **kwargs: Any) -> R:
        """Record that a retriever has failed."""
        return self._finish_run(
            self._run_failed(run_id, error, kwargs, "retriever"), "_on_retriever_error"
        )

    def _run_ended(
        self, kind: Kind, run_id: UUID, returned: Any, told: dict[str, Any], *run_types: str
    ) -> Run:
        run = self._recorder.running(run_id, *run_types)
        recorder = self._recorder
        recorder.attach(run, told.get("attachments"))
        recorder.end(run, kind.outputs(recorder.snapshot(returned), recorder.schema_format))
        return run

    def _run_failed(
        self, run_id: UUID, error: BaseException, told: dict[str, Any], *run_types: str
    ) -> Run:
        run = self._recorder.running(run_id, *run_types)
        self._recorder.attach(run, told.get("attachments"))
        self._recorder.fail(run, error)
        return run

    def _run_with_inputs(self, run: Run, inputs: dict[str, Any] | None) -> Run:
        if inputs is not None:
            run.inputs = CHAIN.inputs(self._snapshot(inputs), self._schema_format)
        return run

    def _place_run(self, run: Run) -> None:
        parent = self._recorder.place(run)
        if parent is not None and self._external_run_ids:
            parent_id = str(parent.id)
            if parent_id in self._external_run_ids:
                self._external_run_ids[parent_id] += 1

    def _let_go_of_run(self, run: Run) -> None:
        """Let go of a run, and of its parent if that is another's run and this its last child."""
        self._recorder.forget(run)
        if not self._external_run_ids:
            return
        parent_id = str(run.parent_run_id)
        if parent_id in self._external_run_ids:
            self._external_run_ids[parent_id] -= 1
            if self._external_run_ids[parent_id] <= 0:
                self.run_map.pop(parent_id, None)
                del self._external_run_ids[parent_id]

    def __copy__(self) -> TracerCore[R]:
        return self  # A tracer's maps are shared by whoever has it.

    def __deepcopy__(self, memo: dict[int, Any] | None = None) -> TracerCore[R]:
        return self
