"""The tracer that ships runs: to LangSmith, or to any server that speaks its protocol."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Any, Self
from uuid import UUID

from callboard.callbacks.scope import joined
from callboard.errors import NoTracedRunError
from callboard.export.live import Live
from callboard.langsmith import settings
from callboard.langsmith.defaults import fill_in_metadata, with_defaults
from callboard.langsmith.links import run_url
from callboard.langsmith.sending import Destination, SendingTracer
from callboard.payloads import Payload
from callboard.redaction import Redaction, redacted
from callboard.redaction.said import SAID_AS
from callboard.tracing.base import HOOKS
from callboard.tracing.capture import Serialised, capture, capture_measured
from callboard.tracing.run import Run
from callboard.usage import Usage, add_usage, response_usage
from callboard.wire.operations import Operation

__all__ = ["Destination", "LangChainTracer"]

_SENDING_SECONDS = 5.0
_BIG_OPTIONS = frozenset({"functions", "messages", "response_format", "tools"})


class LangChainTracer(SendingTracer):
    """Sends each run when it starts and again when it has ended, or once if that comes first.

    What a run was given and returned is copied at that moment, so that nothing that happens to
    it later shows. A run whose inputs are known only at its end is sent once, then.

    Attributes:
        example_id: The dataset example that root runs are said to run, if any.
        project_name: The project that runs belong to.
        tags: Tags for every run.
        tracing_metadata: Metadata for every run that has no other value for the key.
        latest_run: The root of the last trace that ended.
        redaction: What is not to leave the process, besides what the environment says.
    """

    name: str = "langchain_tracer"
    run_inline = True

    def __init__(
        self,
        example_id: UUID | str | None = None,
        project_name: str | None = None,
        client: Any | None = None,
        tags: list[str] | None = None,
        *,
        metadata: Mapping[str, Any] | None = None,
        address: Any | None = None,
        destination: Destination | None = None,
        redaction: Redaction | None = None,
        **kwargs: Any,
    ) -> None:
        """Make a tracer.

        Args:
            example_id: The dataset example that root runs are said to run.
            project_name: The project that runs belong to; the environment's if not given.
            client: A ``langsmith.Client`` to send through, instead of our own exporter.
            tags: Tags for every run.
            metadata: Metadata for every run that has no other value for the key.
            address: Not sent yet: runs go to the project. Taken for compatibility.
            destination: Where to send operations, instead of the process's exporter.
            redaction: What is not to leave the process, besides what the environment says.
            **kwargs: See `TracerCore`.
        """
        super().__init__(client, destination, redaction, _schema_format="original+chat", **kwargs)
        self.example_id = UUID(example_id) if isinstance(example_id, str) else example_id
        self.project_name: str | None = project_name or settings.project()
        self.address = address
        self.tags = tags or []
        self.tracing_metadata = None if metadata is None else dict(metadata)
        self.latest_run: Run | None = None
        # They have been sent, and a root may run for days. A subclass may want to have them.
        self._recorder.keeps_children = _has_hooks(type(self))
        self._live: Live | None = None
        self._with_late_inputs: set[UUID] = set()
        self._streaming: tuple[UUID | None, Run | None] = (None, None)

    _snapshot = staticmethod(capture_measured)

    def _create_chat_model_run(
        self, serialized: Mapping[str, Any] | None, messages: Any, run_id: UUID, **kwargs: Any
    ) -> Run:
        run = super()._create_chat_model_run(serialized, Serialised(messages), run_id, **kwargs)
        run.run_type = "llm"  # The protocol has no type of its own for chat models.
        return run

    def _persist_run(self, run: Run) -> None:
        run.child_runs = []  # A tracer may live for long.
        self.latest_run = run

    def _place_run(self, run: Run) -> Run | None:
        parent = super()._place_run(run)
        self._settle_destination(run, parent)
        if self.tags:
            run.tags = joined(run.tags, self.tags)
        return parent

    def _settle_destination(self, run: Run, parent: Run | None) -> None:
        """Say where a run that starts is to be sent: where its parent is, if that is running."""
        run.session_name = self.project_name if parent is None else parent.session_name

    def _persist_run_single(self, run: Run) -> None:
        """Send a run that has started, or one whose inputs are known only at its end."""
        if self.tracing_metadata:
            fill_in_metadata(run, self.tracing_metadata)
        self._post(run)

    def _update_run_single(self, run: Run) -> None:
        """Send how a run has ended, and its inputs if they are not what was sent before."""
        self._patch(run, with_inputs=self._inputs_changed(run))

    def _inputs_changed(self, run: Run) -> bool:
        # The SDK's mark for inputs that the program has set meanwhile is the first. To look an
        # id up takes longer than to see that there is none to be found.
        return run.extra.get("inputs_is_truthy") is False or (
            bool(self._with_late_inputs) and run.id in self._with_late_inputs
        )

    def _on_started(self, run: Run) -> None:
        if run.parent_run_id is None:
            run.reference_example_id = self.example_id
        if not run.extra.get("defers_inputs"):
            self._persist_run_single(run)

    def _on_ended(self, run: Run) -> None:
        if self._live is not None:
            self._live.end(run.id)
        if run.extra.get("defers_inputs"):
            self._persist_run_single(run)
        else:
            self._update_run_single(run)

    def _on_model_ended(self, run: Run) -> None:
        """Put the tokens that a model has used where a server looks for them, and send it all.

        A stream that broke off has its price too.
        """
        total: Usage = {}
        for _, usage in response_usage(run.outputs):
            total = add_usage(total, usage)
        if total:
            run.extra["metadata"] = {**run.metadata, "usage_metadata": total}
        self._on_ended(run)

    def _on_model_started(self, run: Run) -> None:
        """Say in the metadata, too, what a model is called with: servers look for it there."""
        options = run.extra.get("invocation_params")
        if isinstance(options, dict):
            fill_in_metadata(run, self.tracing_metadata)
            told = {name: value for name, value in options.items() if name not in _BIG_OPTIONS}
            fill_in_metadata(run, told)
        self._on_started(run)

    _on_llm_start = _on_chat_model_start = _on_model_started
    _on_chain_start = _on_started
    _on_tool_start = _on_retriever_start = _on_started
    _on_llm_end = _on_llm_error = _on_model_ended
    _on_chain_end = _on_chain_error = _on_ended
    _on_tool_end = _on_tool_error = _on_retriever_end = _on_retriever_error = _on_ended

    def _run_with_inputs(self, run: Run, inputs: dict[str, Any]) -> Run:
        self._with_late_inputs.add(run.id)
        return super()._run_with_inputs(run, inputs)

    def _let_go_of_run(self, run: Run) -> None:
        if self._with_late_inputs:
            self._with_late_inputs.discard(run.id)
        if self._streaming[0] is run.id:
            self._streaming = (None, None)
        super()._let_go_of_run(run)

    def on_llm_new_token(
        self,
        token: str | list[str | dict[str, Any]],
        *,
        chunk: Payload | None = None,
        run_id: UUID,
        parent_run_id: UUID | None = None,
        tags: list[str] | None = None,
        **kwargs: Any,
    ) -> Run:
        """Record a token, unless it is one of many of a run, none of which are shown."""
        streaming, run = self._streaming
        # Tokens come by the thousand, of one run at a time as a rule: to compare ids, even to
        # look one up, would take longer than all the rest.
        if streaming is run_id and run is not None:
            return run
        run = super().on_llm_new_token(token, chunk=chunk, run_id=run_id)
        if self._ignores_tokens:
            self._streaming = (run_id, run)
        return run

    @property
    def _ignores_tokens(self) -> bool:
        """Whether nothing is done with tokens after a run's first."""
        shown = self._live is not None and self._live.wanted
        return not shown and not _overrides(
            type(self), "_on_llm_new_token", "_llm_run_with_token_event"
        )

    def _llm_run_with_token_event(
        self,
        token: str | list[str | dict[str, Any]],
        run_id: UUID,
        chunk: Payload | None = None,
        parent_run_id: UUID | None = None,
    ) -> Run:
        """Record the first token alone, which tells the time to it; show them all, if wanted."""
        run = self._get_run(run_id, {"llm", "chat_model"})
        if not any(event["name"] == "new_token" for event in run.events):
            super()._llm_run_with_token_event(token, run_id)
            self._show(run)
        if self._live is not None and self._live.wanted:
            self._live.add(run_id, token)
        return run

    def _show(self, run: Run) -> None:
        """Have what a run says shown as it comes, unless nobody is to see it."""
        self._live = getattr(self._exporter, "live", None)
        if self._live is not None and self._live.wanted and self._may_be_shown(run):
            project = run.session_name or settings.project()
            self._live.begin(run.id, run.trace_id, run.start_time, project)

    def _may_be_shown(self, run: Run) -> bool:
        """Whether what a model says may be told as it comes, a piece at a time."""
        redactions = [*self._redactions, getattr(self._exporter, "redaction", None)]
        return self._samples(run.trace_id) and not any(
            each is not None and each.touches_outputs for each in redactions
        )

    def copy_with_metadata_defaults(
        self, *, metadata: Mapping[str, Any] | None = None, tags: list[str] | None = None
    ) -> Self:
        """Return a tracer with more tags, and with metadata for the keys that have none yet.

        Runs of the two are one tree: they share what they know of running runs.

        Args:
            metadata: Metadata for every run.
            tags: Tags for every run.
        """
        more: dict[str, Any] = {}  # What a subclass need not know of.
        if self._destination is not None:
            more["destination"] = self._destination
        if self.redaction is not None:
            more["redaction"] = self.redaction
        return type(self)(
            example_id=self.example_id,
            project_name=self.project_name,
            client=self.client,
            tags=sorted({*self.tags, *tags}) if tags else self.tags,
            metadata=with_defaults(self.tracing_metadata, metadata),
            address=self.address,
            run_map=self.run_map,
            order_map=self.order_map,
            _external_run_ids=self._external_run_ids,
            **more,
        )

    def carried(
        self, metadata: Mapping[str, Any], tags: Iterable[str]
    ) -> tuple[dict[str, Any], list[str]]:
        """Return what of a run's metadata and tags may go to another process, in its headers.

        Args:
            metadata: Its metadata.
            tags: Its tags.
        """
        exporters = getattr(self._exporter, "redaction", None)
        redactions = [*self._redactions, *filter(None, [exporters])]
        if not redactions:
            return dict(metadata), list(tags)
        told = Operation("update", UUID(int=0), {"tags": list(tags)})
        told.parts["extra"] = {"metadata": capture(dict(metadata))}
        safe = redacted(told, redactions)
        kept: dict[str, Any] = safe.parts["extra"]["metadata"]
        kept.pop(SAID_AS, None)
        return kept, list(safe.head["tags"])

    def get_run_url(self) -> str:
        """Return the address of the last trace: see `callboard.langsmith.links.run_url`.

        What has not been sent yet is sent first, so that its server knows it.

        Raises:
            NoTracedRunError: No trace has ended yet.
        """
        if self.latest_run is None:
            raise NoTracedRunError("No trace has ended yet: get_run_url() has none to point at.")
        if self._goes_by_client:
            client: Any = self.client
            return str(client.get_run_url(run=self.latest_run, project_name=self.project_name))
        self.wait_for_futures(_SENDING_SECONDS)
        project = self.latest_run.session_name or settings.project()
        return run_url(settings.endpoint(), settings.api_key(), project, self.latest_run.id)

    @property
    def _goes_by_client(self) -> bool:
        """Whether runs are sent by a client of the SDK's, which knows where to."""
        return self.client is not None

    def wait_for_futures(self, timeout: float = 30.0) -> bool:
        """Wait until what has been sent so far has arrived.

        Args:
            timeout: How long at the most, in seconds.

        Returns:
            Whether it has.
        """
        return self._exporter.flush(timeout)


def _overrides(kind: type[LangChainTracer], *methods: str) -> bool:
    return any(getattr(kind, name) is not getattr(LangChainTracer, name) for name in methods)


@lru_cache
def _has_hooks(kind: type[LangChainTracer]) -> bool:
    """Whether a subclass is told of runs, and may look at those inside them."""
    return _overrides(kind, "_persist_run", *HOOKS)
