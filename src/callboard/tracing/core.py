"""What tracers of both colours do: every event, written once, over the recorder.

Each event's method has its run made, completed or failed by a step, then begins, tells of or
finishes it. The steps have the names that they have in LangChain, so that tracers which override
one there do so here. How hooks are called, at once or awaited, is the colour's affair
(`callboard.tracing.base`).
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any, Generic, TypeVar
from uuid import UUID

from callboard.payloads import Payload
from callboard.tracing.gateway import promote_gateway_metadata
from callboard.tracing.kinds import CHAIN, CHAT_MODEL, LLM, RETRIEVER, TOOL, Kind, SchemaFormat
from callboard.tracing.recorder import Place, Recorder
from callboard.tracing.responses import captured_response, tool_call_count
from callboard.tracing.run import Run

__all__ = ["TracerCore"]

_MODELS = {"llm", "chat_model"}

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

    @run_map.setter
    def run_map(self, runs: dict[str, Run]) -> None:
        # Tracers of others, such as OpenInference's, put a map with a lock in its place.
        self._recorder.runs = runs

    @property
    def order_map(self) -> dict[UUID, Place]:
        """Where runs are, the last ended ones too: trace and dotted order, by id."""
        return self._recorder.places

    @order_map.setter
    def order_map(self, places: dict[UUID, Place]) -> None:
        self._recorder.places = places

    @property
    def _schema_format(self) -> SchemaFormat:
        return self._recorder.schema_format

    @staticmethod
    def _snapshot(value: Any) -> Any:
        """Return what is recorded of a value: itself, for listeners expect the real thing.

        A dictionary is copied, though not what it holds: whoever made it may add to it later.
        """
        return dict.copy(value) if issubclass(type(value), dict) else value

    def _answered(self, response: Payload) -> dict[str, Any]:
        """Return what is recorded of a model's response: messages in their serialised form."""
        return captured_response(response)

    # What the colours do.

    @abstractmethod
    def _persist_run(self, run: Run) -> Any:
        """Keep a trace that has ended."""

    def _begin_run(self, run: Run, hook: str) -> R:
        """Place a run that starts, and call the hooks of its start."""
        raise NotImplementedError

    def _tell_hook(self, run: Run, hook: str, *args: Any) -> R:
        """Call a hook of a run that goes on."""
        raise NotImplementedError

    def _finish_run(self, run: Run, hook: str) -> R:
        """Call the hooks of a run that has ended, and let go of it."""
        raise NotImplementedError

    # Starts.

    def on_llm_start(
        self, serialized: dict[str, Any], prompts: list[str], *, run_id: UUID, **kwargs: Any
    ) -> R:
        """Record the start of a text model."""
        run = self._create_llm_run(serialized, prompts, run_id, **kwargs)
        return self._begin_run(run, "_on_llm_start")

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
        run = self._create_chat_model_run(serialized, messages, run_id, **kwargs)
        return self._begin_run(run, "_on_chat_model_start")

    def on_chain_start(
        self,
        serialized: dict[str, Any],
        inputs: dict[str, Any],
        *,
        run_id: UUID,
        tags: list[str] | None = None,
        parent_run_id: UUID | None = None,
        metadata: dict[str, Any] | None = None,
        run_type: str | None = None,
        name: str | None = None,
        **kwargs: Any,
    ) -> R:
        """Record the start of a chain."""
        create = self._create_chain_run
        # To pass on keywords takes long, and as a rule there are none.
        if kwargs:
            create = partial(create, **kwargs)
        run = create(serialized, inputs, run_id, tags, parent_run_id, metadata, run_type, name)
        return self._begin_run(run, "_on_chain_start")

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
        run = self._create_tool_run(serialized, input_str, run_id, inputs=inputs, **kwargs)
        return self._begin_run(run, "_on_tool_start")

    def on_retriever_start(
        self, serialized: dict[str, Any], query: str, *, run_id: UUID, **kwargs: Any
    ) -> R:
        """Record the start of a retriever."""
        run = self._create_retrieval_run(serialized, query, run_id, **kwargs)
        return self._begin_run(run, "_on_retriever_start")

    def _create_llm_run(
        self, serialized: Mapping[str, Any] | None, prompts: Any, run_id: UUID, **kwargs: Any
    ) -> Run:
        return self._recorded_start(LLM, serialized, prompts, run_id, kwargs)

    def _create_chat_model_run(
        self, serialized: Mapping[str, Any] | None, messages: Any, run_id: UUID, **kwargs: Any
    ) -> Run:
        if self._schema_format == "original":
            raise NotImplementedError("The original format has no chat models.")
        return self._recorded_start(CHAT_MODEL, serialized, messages, run_id, kwargs)

    def _create_chain_run(
        self,
        serialized: Mapping[str, Any] | None,
        inputs: Any,
        run_id: UUID,
        tags: list[str] | None = None,
        parent_run_id: UUID | None = None,
        metadata: dict[str, Any] | None = None,
        run_type: str | None = None,
        name: str | None = None,
        **kwargs: Any,
    ) -> Run:
        return self._recorder.start(
            CHAIN,
            serialized,
            inputs,
            run_id,
            parent_run_id,
            run_type,
            name,
            tags,
            metadata,
            kwargs,
        )

    def _create_tool_run(
        self,
        serialized: Mapping[str, Any] | None,
        input_str: str,
        run_id: UUID,
        *,
        inputs: dict[str, Any] | None = None,
        **kwargs: Any,
    ) -> Run:
        given = inputs if inputs is not None else input_str
        kwargs["inputs"] = inputs
        return self._recorded_start(TOOL, serialized, given, run_id, kwargs)

    def _create_retrieval_run(
        self, serialized: Mapping[str, Any] | None, query: str, run_id: UUID, **kwargs: Any
    ) -> Run:
        kwargs["name"] = kwargs.get("name") or "Retriever"
        return self._recorded_start(RETRIEVER, serialized, query, run_id, kwargs)

    def _recorded_start(
        self,
        kind: Kind,
        serialized: Mapping[str, Any] | None,
        given: Any,
        run_id: UUID,
        kwargs: dict[str, Any],
    ) -> Run:
        inputs = kwargs.pop("inputs", None)
        if isinstance(inputs, dict) and self._schema_format != "streaming_events":
            # Its arguments, by their own names.
            kind, given = CHAIN._replace(run_type=kind.run_type), inputs
        return self._recorder.start(
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
        run = self._llm_run_with_token_event(token, run_id, chunk)
        return self._tell_hook(run, "_on_llm_new_token", token, chunk)

    def on_retry(self, retry_state: Payload, *, run_id: UUID, **kwargs: Any) -> R:
        """Record that something is tried again."""
        run = self._llm_run_with_retry_event(retry_state, run_id)
        return self._tell_hook(run, "_on_retry")

    def _llm_run_with_token_event(
        self,
        token: str | list[str | dict[str, Any]],
        run_id: UUID,
        chunk: Payload | None = None,
        parent_run_id: UUID | None = None,
    ) -> Run:
        run = self._get_run(run_id, _MODELS)
        details = {"token": token} if chunk is None else {"token": token, "chunk": chunk}
        self._recorder.happened(run, "new_token", details)
        return run

    def _llm_run_with_retry_event(self, retry_state: Payload, run_id: UUID) -> Run:
        run = self._get_run(run_id)
        self._recorder.retried(run, retry_state)
        return run

    # Ends.

    def on_llm_end(self, response: Payload, *, run_id: UUID, **kwargs: Any) -> R:
        """Record that a model, of either kind, has answered."""
        run = self._complete_llm_run(response, run_id)
        return self._finish_run(self._with_told(run, kwargs), "_on_llm_end")

    def on_llm_error(self, error: BaseException, *, run_id: UUID, **kwargs: Any) -> R:
        """Record that a model has failed, and what it had answered by then."""
        run = self._errored_llm_run(error, run_id, kwargs.get("response"))
        return self._finish_run(self._with_told(run, kwargs), "_on_llm_error")

    def on_chain_end(
        self,
        outputs: dict[str, Any],
        *,
        run_id: UUID,
        inputs: dict[str, Any] | None = None,
        parent_run_id: UUID | None = None,
        tags: list[str] | None = None,
        **kwargs: Any,
    ) -> R:
        """Record that a chain has ended, and its inputs if they are known only now."""
        run = self._complete_chain_run(outputs, run_id, inputs)
        if kwargs:
            self._with_told(run, kwargs)
        return self._finish_run(run, "_on_chain_end")

    def on_chain_error(
        self,
        error: BaseException,
        *,
        inputs: dict[str, Any] | None = None,
        run_id: UUID,
        **kwargs: Any,
    ) -> R:
        """Record that a chain has failed, and its inputs if they are known only now."""
        run = self._errored_chain_run(error, inputs, run_id)
        return self._finish_run(self._with_told(run, kwargs), "_on_chain_error")

    def on_tool_end(self, output: Any, *, run_id: UUID, **kwargs: Any) -> R:
        """Record that a tool has returned."""
        run = self._complete_tool_run(output, run_id)
        return self._finish_run(self._with_told(run, kwargs), "_on_tool_end")

    def on_tool_error(self, error: BaseException, *, run_id: UUID, **kwargs: Any) -> R:
        """Record that a tool has failed."""
        run = self._errored_tool_run(error, run_id)
        return self._finish_run(self._with_told(run, kwargs), "_on_tool_error")

    def on_retriever_end(self, documents: Sequence[Payload], *, run_id: UUID, **kwargs: Any) -> R:
        """Record what a retriever has found."""
        run = self._complete_retrieval_run(documents, run_id)
        return self._finish_run(self._with_told(run, kwargs), "_on_retriever_end")

    def on_retriever_error(self, error: BaseException, *, run_id: UUID, **kwargs: Any) -> R:
        """Record that a retriever has failed."""
        run = self._errored_retrieval_run(error, run_id)
        return self._finish_run(self._with_told(run, kwargs), "_on_retriever_error")

    def _complete_llm_run(self, response: Payload, run_id: UUID) -> Run:
        run = self._get_run(run_id, _MODELS)
        self._recorder.end(run, self._answered(response))
        if calls := tool_call_count(response):
            run.extra["tool_call_count"] = calls
        promote_gateway_metadata(run, response)
        return run

    def _errored_llm_run(
        self, error: BaseException, run_id: UUID, response: Payload | None = None
    ) -> Run:
        run = self._get_run(run_id, _MODELS)
        if response:
            self._recorder.returned(run, self._answered(response))
            promote_gateway_metadata(run, response)
        return self._failed(run, error)

    def _complete_chain_run(
        self, outputs: Any, run_id: UUID, inputs: dict[str, Any] | None = None
    ) -> Run:
        run = self._ended(CHAIN, self._get_run(run_id), outputs)
        return run if inputs is None else self._run_with_inputs(run, inputs)

    def _errored_chain_run(
        self, error: BaseException, inputs: dict[str, Any] | None, run_id: UUID
    ) -> Run:
        run = self._failed(self._get_run(run_id), error)
        return run if inputs is None else self._run_with_inputs(run, inputs)

    def _complete_tool_run(self, output: Any, run_id: UUID) -> Run:
        return self._ended(TOOL, self._get_run(run_id, "tool"), output)

    def _errored_tool_run(self, error: BaseException, run_id: UUID) -> Run:
        return self._failed(self._get_run(run_id, "tool"), error)

    def _complete_retrieval_run(self, documents: Sequence[Payload], run_id: UUID) -> Run:
        return self._ended(RETRIEVER, self._get_run(run_id, "retriever"), documents)

    def _errored_retrieval_run(self, error: BaseException, run_id: UUID) -> Run:
        return self._failed(self._get_run(run_id, "retriever"), error)

    def _ended(self, kind: Kind, run: Run, returned: Any) -> Run:
        return self._recorder.complete(kind, run, returned)

    def _failed(self, run: Run, error: BaseException) -> Run:
        self._recorder.fail(run, error)
        return run

    def _with_told(self, run: Run, kwargs: dict[str, Any]) -> Run:
        """Add what whoever ends a run tells of it besides: files, inputs, and its own outputs.

        A traced function does: its outputs have their own names, whatever kind of run it is.
        """
        if files := kwargs.get("attachments"):
            self._recorder.attach(run, files)
        outputs = kwargs.get("outputs")
        if isinstance(outputs, dict) and self._schema_format != "streaming_events":
            run.outputs = self._snapshot(outputs)
        inputs = kwargs.get("inputs")
        return run if inputs is None else self._run_with_inputs(run, inputs)

    def _run_with_inputs(self, run: Run, inputs: dict[str, Any]) -> Run:
        run.inputs = self._snapshot(CHAIN.inputs(inputs, self._schema_format))
        return run

    def _get_run(self, run_id: UUID, run_type: str | set[str] | None = None) -> Run:
        if run_type is None:
            return self._recorder.running(run_id)
        return self._recorder.running(run_id, {run_type} if isinstance(run_type, str) else run_type)

    def _place_run(self, run: Run) -> Run | None:
        parent = self._recorder.place(run)
        # Hardly ever is there any: to print an id takes longer than the rest of this.
        outside = self._external_run_ids
        if outside and parent is not None and (parent_id := str(parent.id)) in outside:
            outside[parent_id] += 1
        return parent

    def _let_go_of_run(self, run: Run) -> None:
        """Let go of a run, and of its parent if that is another's run and this its last child."""
        self._recorder.forget(run)
        outside = self._external_run_ids
        if outside and (parent_id := str(run.parent_run_id)) in outside:
            outside[parent_id] -= 1
            if outside[parent_id] <= 0:
                self.run_map.pop(parent_id, None)
                del outside[parent_id]

    def __copy__(self) -> TracerCore[R]:
        return self  # A tracer's maps are shared by whoever has it.

    def __deepcopy__(self, memo: dict[int, Any] | None = None) -> TracerCore[R]:
        return self
