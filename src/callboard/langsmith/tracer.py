"""The tracer that ships runs: to LangSmith, or to any server that speaks its protocol."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol, Self
from urllib.parse import quote
from uuid import UUID
from zlib import crc32

from callboard.callbacks.scope import joined
from callboard.errors import NoTracedRunError
from callboard.langsmith import settings
from callboard.langsmith.attachments import read_attachments
from callboard.langsmith.clients import ClientDestination
from callboard.langsmith.exporters import default_exporter
from callboard.langsmith.operations import create, update, update_with_inputs
from callboard.payloads import Payload
from callboard.redaction import Redaction
from callboard.tracing.base import BaseTracer
from callboard.tracing.capture import capture_measured
from callboard.tracing.dotted_order import parent_id
from callboard.tracing.run import Run
from callboard.usage import Usage, add_usage, response_usage
from callboard.wire.operations import Attachment, Operation

__all__ = ["Destination", "LangChainTracer"]


class Destination(Protocol):
    """Where a tracer sends operations: an exporter, as a rule."""

    def submit(
        self, operation: Operation, *, urgent: bool = False, redactions: Sequence[Redaction] = ()
    ) -> None:
        """Take an operation, at once and without failing.

        Args:
            operation: What to send.
            urgent: Whether the process may be stopped after this.
            redactions: What is to be taken out of it before it leaves the process, if anything;
                not given otherwise.
        """

    def flush(self, timeout: float) -> bool:
        """Send what was submitted before, and wait for it.

        Args:
            timeout: How long at the most, in seconds.

        Returns:
            Whether it was all sent by then.
        """
        ...


class LangChainTracer(BaseTracer):
    """Sends each run when it starts and again when it has ended.

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
        super().__init__(_schema_format="original+chat", **kwargs)
        self.example_id = UUID(example_id) if isinstance(example_id, str) else example_id
        self.project_name = project_name or settings.project()
        self.client = client
        self.address = address
        self.tags = tags or []
        self.tracing_metadata = None if metadata is None else dict(metadata)
        self.latest_run: Run | None = None
        self._destination = destination
        self.redaction = redaction
        self._with_late_inputs: set[UUID] = set()
        self._streaming: tuple[UUID | None, Run | None] = (None, None)
        self._attached: dict[UUID, frozenset[str]] = {}

    _snapshot = staticmethod(capture_measured)

    def _persist_run(self, run: Run) -> None:
        run.child_runs = []  # They have been sent; a tracer may live for long.
        self.latest_run = run

    def _on_run_create(self, run: Run) -> None:
        """Complete a run that has started, and send it unless its inputs are yet to come."""
        if run.parent_run_id is None:
            run.session_name = self.project_name
            run.reference_example_id = self.example_id
        else:
            parent = self.run_map.get(parent_id(run.dotted_order))
            run.session_name = parent.session_name if parent else self.project_name
        if self.tags:
            run.tags = joined(run.tags, self.tags)
        if self.tracing_metadata:
            run.extra["metadata"] = {**self.tracing_metadata, **run.metadata}
        if not run.extra.get("defers_inputs"):
            self._send(run, create)

    def _on_run_update(self, run: Run) -> None:
        """Send how a run has ended; all of it, if its inputs have come only now."""
        if run.extra.get("defers_inputs"):
            self._send(run, create)
        elif self._with_late_inputs and run.id in self._with_late_inputs:
            self._send(run, update_with_inputs)
            self._with_late_inputs.discard(run.id)
        else:
            self._send(run, update)
        if self._streaming[0] is run.id:
            self._streaming = (None, None)

    def _run_with_inputs(self, run: Run, inputs: dict[str, Any] | None) -> Run:
        if inputs is not None:
            self._with_late_inputs.add(run.id)
        return super()._run_with_inputs(run, inputs)

    def _on_llm_end(self, run: Run) -> None:
        """Put the tokens that a model has used where a server looks for them."""
        total: Usage = {}
        for _, usage in response_usage(run.outputs):
            total = add_usage(total, usage)
        if total:
            run.extra["metadata"] = {**run.metadata, "usage_metadata": total}

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
        """Record the first token alone: its time is the time to the first token."""
        streaming, run = self._streaming
        # Tokens come by the thousand, of one run at a time as a rule: to compare ids, even to
        # look one up, would take longer than all the rest.
        if streaming is run_id and run is not None:
            return run
        run = self._recorder.running(run_id, "llm", "chat_model")
        if not any(event["name"] == "new_token" for event in run.events):
            self._recorder.happened(run, "new_token", {"token": token})
        self._streaming = (run_id, run)
        return run

    def _send(self, run: Run, operation_of: Callable[[Run], Operation]) -> None:
        if settings.sampling_rate() >= 1 or sampled(run.trace_id):
            is_over = run.parent_run_id is None and run.end_time is not None
            operation = operation_of(run)
            operation.attachments = self._new_attachments(run)
            destination = self._destination or self._exporter
            asked = settings.redaction()
            if asked is None and self.redaction is None:
                destination.submit(operation, urgent=is_over)
            else:
                redactions = [each for each in (self.redaction, asked) if each is not None]
                destination.submit(operation, urgent=is_over, redactions=redactions)

    def _new_attachments(self, run: Run) -> dict[str, Attachment]:
        """Return those attachments that have not been sent when the run started."""
        if not (run.attachments or self._attached):
            return {}
        sent = self._attached.pop(run.id, frozenset())
        if not run.attachments:
            return {}
        if run.end_time is None:
            self._attached[run.id] = frozenset(run.attachments)
        new = {name: file for name, file in run.attachments.items() if name not in sent}
        return read_attachments(new)

    @property
    def _exporter(self) -> Destination:
        """Where to send; made when there is something to send."""
        if self._destination is None:
            self._destination = (
                default_exporter() if self.client is None else ClientDestination(self.client)
            )
        return self._destination

    def copy_with_metadata_defaults(
        self, *, metadata: Mapping[str, Any] | None = None, tags: list[str] | None = None
    ) -> Self:
        """Return a tracer with more tags, and with metadata for the keys that have none yet.

        Runs of the two are one tree: they share what they know of running runs.

        Args:
            metadata: Metadata for every run.
            tags: Tags for every run.
        """
        return type(self)(
            example_id=self.example_id,
            project_name=self.project_name,
            client=self.client,
            tags=sorted({*self.tags, *(tags or ())}),
            metadata=_with_defaults(self.tracing_metadata, metadata),
            address=self.address,
            destination=self._destination,
            redaction=self.redaction,
            run_map=self.run_map,
            order_map=self.order_map,
            _external_run_ids=self._external_run_ids,
        )

    def get_run_url(self) -> str:
        """Return the address of the last trace on its server.

        Raises:
            NoTracedRunError: No trace has ended yet.
        """
        if self.latest_run is None:
            raise NoTracedRunError("No trace has ended yet: get_run_url() has none to point at.")
        if self.client is not None:
            return str(self.client.get_run_url(run=self.latest_run, project_name=self.project_name))
        origin = settings.endpoint().rstrip("/").removesuffix("/v1").removesuffix("/api")
        project = quote(self.latest_run.session_name or self.project_name, safe="")
        return f"{origin}/projects/{project}/r/{self.latest_run.id}"

    def wait_for_futures(self, timeout: float = 30.0) -> bool:
        """Wait until what has been sent so far has arrived.

        Args:
            timeout: How long at the most, in seconds.

        Returns:
            Whether it has.
        """
        return self._exporter.flush(timeout)


# Where the nearest surrounding tracer's value holds, not the outermost's: who runs what.
_NEAREST_WINS = frozenset({"ls_agent_type"})


def _with_defaults(
    held: Mapping[str, Any] | None, more: Mapping[str, Any] | None
) -> dict[str, Any] | None:
    if held is None or more is None:
        one = more if held is None else held
        return None if one is None else dict(one)
    nearest = {key: value for key, value in more.items() if key in _NEAREST_WINS}
    return {**more, **held, **nearest}


def sampled(trace_id: UUID) -> bool:
    """Whether a trace is among those to send; the same for all of its runs.

    Args:
        trace_id: The trace.
    """
    rate = settings.sampling_rate()
    return rate >= 1 or crc32(trace_id.bytes) < rate * 2**32
