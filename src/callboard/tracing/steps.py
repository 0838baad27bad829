"""The steps of which a tracer's events are made: how a run is found, made, completed and failed.

They have the names that they have in LangChain, so that tracers which override one there do so
here.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Self
from uuid import UUID

from callboard.payloads import Payload
from callboard.tracing.gateway import promote_gateway_metadata
from callboard.tracing.kinds import CHAIN, CHAT_MODEL, LLM, RETRIEVER, TOOL, Kind, SchemaFormat
from callboard.tracing.recorder import Place, Recorder
from callboard.tracing.responses import captured_response, tool_call_count
from callboard.tracing.run import Run

__all__ = ["Steps"]

_MODELS = {"llm", "chat_model"}


class Steps:
    """Takes the steps, over a recorder; tells nobody of any."""

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

    # Starts.

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

    # Runs that are known.

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

    def __copy__(self) -> Self:
        return self  # A tracer's maps are shared by whoever has it.

    def __deepcopy__(self, memo: dict[int, Any] | None = None) -> Self:
        return self
