"""The contract: what every integration is told, and what it may rely on.

A platform's handler derives from `RunTreeHandler` and overrides `run_started`, `run_ended` and, if
it has a use for them, `run_streamed` and `run_noted`. Each is given the run's record:

- Records are told apart by run id and find their parents by ``parent_run_id``: threads, tasks and
  parallel branches can't mix them up.
- Every record that is started is ended, once: where the end of a run does not come, when there are
  too many records or the handler is closed, its status is ``unfinished``.
- What is told has been copied and redacted (`callboard.redaction`): the handler's own redaction
  first, then the one that the environment asks for. The model, its provider, times and counts of
  tokens are told always. An exception is given as it is, besides its text: who tells of it redacts.
- Methods are called in the thread or task of the application, which waits for them: they keep to
  memory and hand what takes longer to the platform's own background. Several may be called at
  once, of different runs.
"""

from __future__ import annotations

from typing import Any, Self
from uuid import UUID

from callboard import clock
from callboard.events import EVENTS
from callboard.integrations.answers import identify
from callboard.integrations.holds import Hold
from callboard.integrations.records import MODELS, RunRecord
from callboard.integrations.spending import account
from callboard.langsmith.settings import redaction as environments_redaction
from callboard.payloads import Payload, content_text, field
from callboard.prices import PriceList, published_prices
from callboard.redaction import Redaction, redacted
from callboard.tracing.base import BaseTracer
from callboard.tracing.capture import capture
from callboard.tracing.responses import response_fields
from callboard.tracing.run import Run
from callboard.wire.operations import Kind, Operation

__all__ = ["MAX_RUNS", "RunRecord", "RunTreeHandler"]

MAX_RUNS = 10_000
"""How many runs are held that have started and not ended."""
_MAX_ENDED = 1_000
_RETRY_FIGURES = ("slept", "attempt", "outcome", "exception_type")
_FLAGS = {row.ignore for row in EVENTS.values() if row.ignore}


class RunTreeHandler(BaseTracer):
    """Hears all events and tells of each run by one record: derive from it for a platform.

    Close it when the application ends, or use it in a ``with`` block; what the application opened
    itself, such as a client or a stream, stays open. A closed handler hears nothing more.
    """

    # What it does takes microseconds, and a thread for each event would take more.
    run_inline = True

    def __init__(
        self,
        *,
        redaction: Redaction | None = None,
        prices: PriceList | None = None,
        content: bool = True,
        max_runs: int = MAX_RUNS,
    ) -> None:
        """Make a handler.

        Args:
            redaction: What is not to be told, or not as it is, besides what the environment says.
            prices: What models cost; by default the published prices, where the package
                genai-prices is installed.
            content: Whether what runs are given and return is told at all.
            max_runs: How many runs are held that have not ended; then the oldest are given up.
        """
        super().__init__(_schema_format="original+chat")
        self._redactions = [each for each in (redaction, environments_redaction()) if each]
        self._prices = published_prices() if prices is None else prices
        self._content = content
        self._max_runs = max_runs
        self._records: dict[UUID, RunRecord] = {}
        # Of those, only what a child that comes late needs to find its place.
        self._over: dict[UUID, RunRecord] = {}
        self._lock = Hold()
        # Half of a secret is not seen to be one: then no text is told before it is complete.
        self._streams = (
            content
            and type(self).run_streamed is not RunTreeHandler.run_streamed
            and not any(each.touches_outputs for each in self._redactions)
        )

    # What integrations override.

    def run_started(self, record: RunRecord) -> None:
        """Hear that a run has started."""

    def run_streamed(self, record: RunRecord, text: str) -> None:
        """Hear a token's text; not called where a redaction has to see the whole answer first."""

    def run_noted(self, record: RunRecord, name: str, data: Any) -> None:
        """Hear what happened to a run meanwhile: ``"retry"``, or a custom event by its name."""

    def run_ended(self, record: RunRecord) -> None:
        """Hear that a run has ended, whichever way: see the record's status."""

    def flush(self) -> None:
        """Have the platform's client send, or write, what it holds."""

    def close(self) -> None:
        """End what is under way as unfinished, and let go of what the handler has opened.

        May be called again. Overriding it, call this first.
        """
        vars(self).update(dict.fromkeys(_FLAGS, True))
        for record in reversed(list(self._records.values())):  # Before what they are inside of.
            self._give_up(record)
        self.flush()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.close()

    # From the tracer's hooks to the integration's.

    def _persist_run(self, run: Run) -> None:
        pass  # A run is told of when it ends, not when its trace does.

    def _place_run(self, run: Run) -> None:
        parent = self._recorder.place(run)
        if parent is not None:
            parent.child_runs.clear()  # A root that runs for days must not hold all that it did.

    def _complete_llm_run(self, response: Payload, run_id: UUID) -> Run:
        run = self._recorder.running(run_id, MODELS)
        self._recorder.end(run, self._answered(response))
        return run

    def _answered(self, response: Payload) -> dict[str, Any]:
        if self._content:
            return response_fields(response)  # Copied below.
        # What it says is not told: only what it has used, and how it ended, is read off it.
        answers = field(response, "generations") or ()
        return {
            "generations": [list(candidates) for candidates in answers],
            "llm_output": field(response, "llm_output"),
        }

    def _on_run_create(self, run: Run) -> None:
        record = RunRecord(run, self._known(run.parent_run_id))
        record.inputs = capture(run.inputs) if self._content else None
        run.inputs = {}
        if self._redactions:
            self._redact_start(record)
        self._records[run.id] = record
        if len(self._records) > self._max_runs:
            self._make_room()
        self.run_started(record)

    def _on_run_update(self, run: Run) -> None:
        record = self._records.pop(run.id, None)
        if record is None:
            return  # Given up before.
        record.end_time = run.end_time or clock.now()
        record.error = run.error
        record.status = "ok" if run.error is None else "error"
        if self._content and run.outputs is not None:
            record.outputs = capture(run.outputs)
        if self._redactions:
            self._redact_end(record)
        self._tell_end(record)

    def _with_told(self, run: Run, kwargs: dict[str, Any]) -> Run:
        record = self._records.get(run.id)
        if record is None or not record.is_model:
            return super()._with_told(run, kwargs)
        account(record, run.outputs, self._prices)
        identify(record, run.outputs)
        # A traced function's own outputs take the place of the model's answer here.
        run = super()._with_told(run, kwargs)
        if record.usage is None:
            account(record, run.outputs, self._prices)
        return run

    def _tell_end(self, record: RunRecord) -> None:
        try:
            self.run_ended(record)
        finally:
            record.inputs = record.outputs = record.exception = None
            self._over[record.id] = record
            if len(self._over) > _MAX_ENDED:
                self._forget_ended()

    def _failed(self, run: Run, error: BaseException) -> Run:
        if record := self._records.get(run.id):
            record.error_type = type(error).__qualname__
            record.error_message = _message(error)
            record.exception = error
        return super()._failed(run, error)

    def on_llm_new_token(
        self,
        token: str | list[str | dict[str, Any]],
        *,
        run_id: UUID,
        chunk: Payload | None = None,
        **kwargs: Any,
    ) -> Any:
        """Count a token, straight in the run's record: no event comes as often as this one."""
        record = self._records.get(run_id)
        if record is None:
            return  # Given up before.
        record.token_events += 1
        if record.first_token_time is None:
            record.first_token_time = clock.now()
        if self._streams and (text := content_text(token)):
            self.run_streamed(record, text)

    def _on_retry(self, run: Run) -> None:
        if record := self._records.get(run.id):
            details = dict(run.events[-1].get("kwargs") or {})
            told = self._safe(record, details)
            if told is None:  # What failed or returned may not be told; that it did, may.
                told = {name: details[name] for name in _RETRY_FIGURES if name in details}
            self.run_noted(record, "retry", told)

    def on_custom_event(self, name: str, data: Any, *, run_id: UUID, **kwargs: Any) -> None:
        """Tell of a custom event, if the run that it belongs to is known."""
        if record := self._records.get(run_id):
            self.run_noted(record, name, self._safe(record, data))

    # What is held.

    def _known(self, run_id: UUID | None) -> RunRecord | None:
        if run_id is None:
            return None
        return self._records.get(run_id) or self._over.get(run_id)

    def _make_room(self) -> None:
        with self._lock:
            for record in list(self._records.values())[: len(self._records) - self._max_runs]:
                self._give_up(record)

    def _give_up(self, record: RunRecord) -> None:
        if self._records.pop(record.id, None) is None:
            return
        self._recorder.runs.pop(str(record.id), None)
        record.end_time = clock.now()
        record.status = "unfinished"
        self._tell_end(record)

    def _forget_ended(self) -> None:
        """Forget the oldest, many at a time: to find them is to go through all."""
        with self._lock:
            for run_id in list(self._over)[: len(self._over) - _MAX_ENDED + _MAX_ENDED // 10]:
                # A trace that goes on for days is a chain of parents.
                self._over.pop(run_id).parent = None

    # What may be told.

    def _redact_start(self, record: RunRecord) -> None:
        told = self._redacted(
            record,
            "create",
            {
                "inputs": record.inputs,
                "extra": {
                    "metadata": capture(record.metadata),
                    "invocation_params": capture(record.parameters),
                },
            },
        )
        record.name, record.tags = told.head["name"], told.head["tags"]
        record.inputs = told.parts.get("inputs")
        extra = told.parts["extra"]
        record.metadata = extra.get("metadata") or {}
        record.parameters = extra.get("invocation_params") or {}

    def _redact_end(self, record: RunRecord) -> None:
        told = self._redacted(record, "update", {"outputs": record.outputs, "error": record.error})
        record.outputs, record.error = told.parts.get("outputs"), told.parts.get("error")
        if record.error_message is not None:
            record.error_message = self._safe_error(record, record.error_message)

    def _safe_error(self, record: RunRecord, text: str) -> str:
        """Return what may be told of what an exception says."""
        if not self._redactions:
            return text
        told: str = self._redacted(record, "update", {"error": text}).parts["error"]
        return told

    def _safe(self, record: RunRecord, data: Any) -> Any:
        """Return what may be told of a custom event's data."""
        if not self._content:
            return None
        held = {"data": capture(data)}
        if self._redactions:
            held = self._redacted(record, "update", {"outputs": held}).parts["outputs"]
        return held.get("data")

    def _redacted(self, record: RunRecord, kind: Kind, parts: dict[str, Any]) -> Operation:
        head = {"name": record.name, "tags": record.tags, "end_time": record.end_time}
        return redacted(Operation(kind, record.id, head, parts), self._redactions)


def _message(error: BaseException) -> str:
    """Return an exception as the last lines of a stack trace have it."""
    try:
        return f"{type(error).__qualname__}: {error}".removesuffix(": ")
    except Exception:  # noqa: BLE001 - an exception may raise anything when it is printed
        return type(error).__qualname__
