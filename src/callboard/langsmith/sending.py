"""How a tracer's runs get to where they are sent: an exporter, as a rule, or an SDK's client.

A run is told of when it starts and when it has ended. If it has ended before its start was sent,
it is told of once.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Protocol, TypeAlias
from uuid import UUID

from callboard.langsmith import settings
from callboard.langsmith.attachments import read_attachments
from callboard.langsmith.clients import ClientDestination
from callboard.langsmith.exporters import default_exporter
from callboard.langsmith.operations import begin, create, retold, update, update_with_inputs
from callboard.langsmith.sampling import sampled
from callboard.redaction import Redaction
from callboard.tracing.base import BaseTracer
from callboard.tracing.run import Run
from callboard.wire.operations import Attachment, Content, LateOperation, Operation

__all__ = ["Destination", "Queued", "SendingTracer"]

Queued: TypeAlias = tuple[LateOperation, Any, tuple[Redaction, ...]]
"""An operation, the exporter that has it, and what it goes through there."""


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


class SendingTracer(BaseTracer):
    """Sends runs; when, its subclasses say.

    Attributes:
        client: A ``langsmith.Client`` to send through, instead of our own exporter.
    """

    def __init__(
        self,
        client: Any | None,
        destination: Destination | None,
        redaction: Redaction | None,
        **kwargs: Any,
    ) -> None:
        """Make a tracer.

        Args:
            client: A ``langsmith.Client`` to send through, instead of our own exporter.
            destination: Where to send operations, instead of the process's exporter.
            redaction: What is not to leave the process, besides what the environment says.
            **kwargs: See `TracerCore`.
        """
        super().__init__(**kwargs)
        self.client = client
        self._redaction = redaction
        self._destination = destination
        self._attached: dict[UUID, frozenset[str]] = {}

    @property
    def redaction(self) -> Redaction | None:
        """What is not to leave of runs from now on, besides what the environment says."""
        return self._redaction

    @redaction.setter
    def redaction(self, redaction: Redaction | None) -> None:
        self._redaction = redaction
        queued = [run.queued for run in list(self.run_map.values()) if run.queued is not None]
        for exporter in {exporter for _, exporter, _ in queued}:
            exporter.seal()

    def _post(self, run: Run) -> None:
        """Tell of a run, that it has started or all of it."""
        exporter = self._exporter
        if run.end_time is None and hasattr(exporter, "retell"):
            run.queued = self._send(run, begin, exporter)
        else:
            self._send(run, create, exporter)

    def _patch(self, run: Run, *, with_inputs: bool) -> None:
        """Tell how a run has ended."""
        queued = run.queued
        if queued is None or not self._retold(run, *queued):
            self._send(run, update_with_inputs if with_inputs else update, self._exporter)
        run.queued = None

    def _retold(
        self, run: Run, start: LateOperation, exporter: Any, redactions: tuple[Redaction, ...]
    ) -> bool:
        """Tell of a run's end together with its start, if that has not been sent yet."""
        if run.attachments or redactions != self._redactions:
            return False
        told, size = retold(run)
        is_over = run.parent_run_id is None or self._is_outermost(run)
        done: bool = exporter.retell(start, told, size, urgent=is_over)
        return done

    def _send(
        self, run: Run, operation_of: Callable[[Run], LateOperation], exporter: Destination
    ) -> Queued | None:
        """Send something of a run; return what `_retold` takes, if it is sent."""
        if not self._samples(run.trace_id):
            return None
        operation = operation_of(run)
        operation.finish = self._finish
        if run.attachments or self._attached:
            operation.attachments = self._new_attachments(run)
        is_over = run.end_time is not None and self._is_outermost(run)
        redactions = self._redactions
        if redactions:
            exporter.submit(operation, urgent=is_over, redactions=redactions)
        else:
            exporter.submit(operation, urgent=is_over)
        return operation, exporter, redactions

    def _is_outermost(self, run: Run) -> bool:
        """Whether no run that this one is part of is still to end here; elsewhere it may be."""
        return run.parent_run_id is None or str(run.parent_run_id) not in self.run_map

    def _new_attachments(self, run: Run) -> dict[str, Attachment]:
        """Return those attachments that have not been sent when the run started."""
        sent = self._attached.pop(run.id, frozenset())
        if run.end_time is None:
            self._attached[run.id] = frozenset(run.attachments)
        new = {name: file for name, file in run.attachments.items() if name not in sent}
        return read_attachments(new)

    @property
    def _redactions(self) -> tuple[Redaction, ...]:
        """What is not to leave: this tracer's own, and the environment's."""
        own, asked = self._redaction, settings.redaction()
        if own is None:
            return () if asked is None else (asked,)
        return (own,) if asked is None else (own, asked)

    _samples = staticmethod(sampled)

    @property
    def _exporter(self) -> Destination:
        """Where to send; looked for when there is something to send."""
        if self._destination is not None:
            return self._destination
        return default_exporter() if self.client is None else ClientDestination(self.client)

    @property
    def _finish(self) -> Callable[[Content], Content] | None:
        """What operations go through when they are put together: see `LateOperation`."""
        return None
