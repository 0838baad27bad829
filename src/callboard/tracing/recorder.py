"""The recorder: run trees, built from events alone.

It takes no context and does no input or output. A run's place comes from the ids that the
events carry, so threads, tasks and generators can't misplace it.

What it holds is bounded. Runs are held from their start to their end, and one whose end never
comes is let go when there are too many, or after a time, with one warning. Of ended runs only
the place in the trace is kept, for children that come late, and only the newest.
"""

from __future__ import annotations

import logging
import traceback
from collections.abc import Callable, Collection, Mapping
from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import Any
from uuid import UUID

from callboard import clock
from callboard.errors import BadOptionError
from callboard.payloads import Payload, field
from callboard.tracing.capture import capture
from callboard.tracing.dialect import dialect
from callboard.tracing.dotted_order import own_id
from callboard.tracing.kinds import FORMATS, Kind, SchemaFormat
from callboard.tracing.run import Run, component_name
from callboard.wire.operations import MeasuredDict

__all__ = ["MAX_AGE", "MAX_PLACES", "MAX_RUNS", "Recorder"]

logger = logging.getLogger(__name__)

MAX_RUNS = 100_000
"""How many runs are held that have started and not ended."""
MAX_PLACES = 10_000
"""Of how many runs that have ended the places are kept: some hundred bytes each."""
MAX_AGE = timedelta(hours=24)
"""How long a run is held at the most that does not end."""

Place = tuple[UUID, str]
"""A run's trace and its dotted order."""


class Recorder:
    """Builds runs from events.

    Not locked: the maps are dictionaries, each change of which is one step, and the events of
    one run follow each other.

    Attributes:
        runs: Runs that have started and not ended, by id as text.
        places: Where these and the last ended ones are, by id.
        keeps_children: Whether runs have the runs inside them, ended ones too, in
            ``child_runs``. What those hold can't be let go before the whole has ended.
    """

    def __init__(
        self,
        schema_format: SchemaFormat = "original",
        *,
        snapshot: Callable[[Any], Any] = capture,
        runs: dict[str, Run] | None = None,
        places: dict[UUID, Place] | None = None,
        max_runs: int = MAX_RUNS,
        max_age: timedelta = MAX_AGE,
    ) -> None:
        """Make a recorder.

        Args:
            schema_format: How inputs and outputs are told: see `callboard.tracing.kinds`.
            snapshot: Turns each value into what is recorded of it; by default into a copy
                that later changes can't reach.
            runs: A map of runs to share with another recorder.
            places: A map of places to share with another recorder.
            max_runs: How many runs are held that have not ended.
            max_age: How long such a run is held at the most.

        Raises:
            BadOptionError: There is no such format.
        """
        if schema_format not in FORMATS:
            raise BadOptionError(
                f"Unknown schema format {schema_format!r}; accepted are {', '.join(FORMATS)}."
            )
        self.schema_format: SchemaFormat = schema_format
        self.runs: dict[str, Run] = {} if runs is None else runs
        self.places: dict[UUID, Place] = {} if places is None else places
        self.snapshot = snapshot
        self.keeps_children = True
        self._max_runs = max_runs
        self._max_age = max_age
        self._warned = False
        self._next_sweep = datetime.min.replace(tzinfo=UTC)

    def start(
        self,
        kind: Kind,
        serialized: Mapping[str, Any] | None,
        given: Any,
        run_id: UUID,
        parent_run_id: UUID | None = None,
        run_type: str | None = None,
        name: str | None = None,
        tags: list[str] | None = None,
        metadata: Mapping[str, Any] | None = None,
        extra: dict[str, Any] | None = None,
    ) -> Run:
        """Record that a run starts; it is not placed in its trace yet (`place`).

        Args:
            kind: What kind of run.
            serialized: What runs, as a dictionary, if known.
            given: What it is given.
            run_id: Its id.
            parent_run_id: The run that it is part of, if any.
            run_type: What to call the kind, if not by its usual name.
            name: What runs, by name.
            tags: Its tags.
            metadata: Its metadata.
            extra: What else the start told; ``attachments`` are the run's own.
        """
        told: dict[str, Any] = {}
        attachments = None
        if extra:
            rest = dict(extra)
            attachments = rest.pop("attachments", None)
            told.update(self.snapshot(rest))
        if metadata:
            told["metadata"] = self.snapshot(metadata)
        run = dialect().run.begun(
            run_id,
            name or component_name(serialized) or "Unnamed",
            run_type or kind.run_type,
            clock.now(),
            self.snapshot(kind.inputs(given, self.schema_format)),
            self._component(serialized),
            told,
            list(tags) if tags else [],
            parent_run_id,
        )
        if attachments:
            run.attachments = _files(attachments)
        return run

    def _component(self, serialized: Mapping[str, Any] | None) -> Any:
        # What knows its size was made for this, and is nobody else's.
        if serialized is None or type(serialized) is MeasuredDict:
            return serialized
        return self.snapshot(serialized)

    def place(self, run: Run) -> Run | None:
        """Put a run into its trace, and hold it until it ends.

        A run whose parent was never heard of is the root of a trace of its own.

        Returns:
            Its parent, if that is running.
        """
        parent = None
        known = None if run.parent_run_id is None else self.places.get(run.parent_run_id)
        self.runs[own_id(run.dotted_order)] = run
        if known is not None:
            run.trace_id = known[0]
            run.dotted_order = f"{known[1]}.{run.dotted_order}"  # Which was its own segment.
            parent = self.runs.get(own_id(known[1]))
            if parent is not None and self.keeps_children:
                parent.child_runs.append(run)
        else:
            run.parent_run_id = None
        self.places[run.id] = (run.trace_id, run.dotted_order)
        if run.start_time >= self._next_sweep:
            self._let_go_of_old(run.start_time)
        held = len(self.places)
        if held > self._max_runs or held - len(self.runs) > MAX_PLACES:
            self._let_go_of_many()
        return parent

    def running(self, run_id: UUID, run_types: Collection[str] = ()) -> Run:
        """Return a run that has started and not ended.

        Args:
            run_id: Its id.
            run_types: What it may be; anything, if none are given.

        Raises:
            UnknownRunError: There is no such run, or it is of another type.
        """
        known = self.places.get(run_id)
        run = self.runs.get(str(run_id) if known is None else own_id(known[1]))
        if run is None:
            raise dialect().unknown_run(
                f"No run with id {run_id} is running: its start was not heard."
            )
        if run_types and run.run_type not in run_types:
            raise dialect().unknown_run(
                f"The run with id {run_id} is a {run.run_type} run, not {' or '.join(run_types)}."
            )
        return run

    def happened(self, run: Run, name: str, details: Mapping[str, Any] | None = None) -> None:
        """Record that something happened to a run.

        Args:
            run: The run.
            name: What happened.
            details: More of it.
        """
        event: dict[str, Any] = {"name": name, "time": clock.now()}
        if details is not None:
            event["kwargs"] = self.snapshot(details)
        run.events.append(event)

    def retried(self, run: Run, retry_state: Payload) -> None:
        """Record that something failed and is tried again.

        Args:
            run: The run.
            retry_state: As tenacity has it.
        """
        details = {
            "slept": field(retry_state, "idle_for"),
            "attempt": field(retry_state, "attempt_number"),
        }
        outcome = field(retry_state, "outcome")
        if outcome is None:
            details["outcome"] = "N/A"
        elif outcome.failed:
            error = outcome.exception()
            details["outcome"] = "failed"
            details["exception"] = str(error)
            details["exception_type"] = type(error).__name__
        else:
            details["outcome"] = "success"
            details["result"] = str(outcome.result())
        self.happened(run, "retry", details)

    def complete(self, kind: Kind, run: Run, returned: Any) -> Run:
        """Record that a run has returned.

        Args:
            kind: What kind of run.
            run: The run.
            returned: What it returned.

        Returns:
            The run.
        """
        self.end(run, self.snapshot(kind.outputs(returned, self.schema_format)))
        return run

    def end(self, run: Run, outputs: Mapping[str, Any]) -> None:
        """Record that a run has returned.

        Args:
            run: The run.
            outputs: What it returned, as `Kind.outputs` or `captured_response` has it.
        """
        self.returned(run, outputs)
        run.end_time = clock.now()
        run.events.append({"name": "end", "time": run.end_time})

    def returned(self, run: Run, outputs: Mapping[str, Any]) -> None:
        """Record what a run returned, or had by the time that it failed.

        Args:
            run: The run; one that says that its outputs are its own affair keeps those it has.
            outputs: They are added to what it has.
        """
        if run.extra.get("__omit_auto_outputs"):
            run.outputs = dict(run.outputs or {})
        elif run.outputs:
            run.outputs = {**run.outputs, **outputs}
        else:
            # What knows its size was captured, and is nobody else's.
            run.outputs = outputs if type(outputs) is MeasuredDict else dict(outputs)

    def fail(self, run: Run, error: BaseException) -> None:
        """Record that a run has failed.

        Args:
            run: The run.
            error: Why; kept as text, with its stack trace.
        """
        run.error = stack_trace(error)
        run.end_time = clock.now()
        run.events.append({"name": "error", "time": run.end_time})

    def attach(self, run: Run, files: Any) -> None:
        """Record files that belong to a run.

        Args:
            run: The run.
            files: By name, as `Run.attachments` has them; nothing else is one.
        """
        run.attachments.update(_files(files))

    def forget(self, run: Run) -> None:
        """Let go of a run that has ended; its place is kept for children that come late."""
        self.runs.pop(own_id(run.dotted_order), None)

    def _let_go_of_many(self) -> None:
        """Make room: ended runs' places first, then runs that never ended, the oldest first."""
        room = max(self._max_runs // 10, 1)
        count = min(room, MAX_PLACES // 10)
        # Most of the first have ended, for they are in the order of their starts. This comes time
        # and again: so it does not go through them all, unless it must.
        ended = self._ended_of(2 * count)
        if len(ended) < count:
            ended = self._ended_of(None)
        for run_id in ended[:count]:
            self.places.pop(run_id, None)
        if len(self.places) <= self._max_runs:
            return
        for run_id in list(self.places)[:room]:
            self.places.pop(run_id, None)
            if self.runs.pop(str(run_id), None) is not None:
                self._warn()

    def _ended_of(self, most: int | None) -> list[UUID]:
        """Return which of the oldest runs whose places are kept have ended.

        Args:
            most: How many to look at; None for all.
        """
        places = list(islice(self.places.items(), most))
        return [run_id for run_id, (_, order) in places if own_id(order) not in self.runs]

    def _let_go_of_old(self, now: datetime) -> None:
        """Let go of runs that started too long ago; look again after a part of that time."""
        self._next_sweep = now + self._max_age / 24
        horizon = now - self._max_age
        for run in [each for each in list(self.runs.values()) if each.start_time < horizon]:
            self.forget(run)
            self._warn()

    def _warn(self) -> None:
        if not self._warned:
            self._warned = True
            logger.warning(
                "Runs that never ended are let go, as there are more than %d or they are older "
                "than %s; their ends, should they come, are lost. This is said once.",
                self._max_runs,
                self._max_age,
            )


def _files(told: Any) -> dict[str, Any]:
    return dict(told) if isinstance(told, Mapping) else {}


def stack_trace(error: BaseException) -> str:
    """Return an exception and its stack trace as text."""
    try:
        return (repr(error) + "\n\n".join(traceback.format_exception(error))).strip()
    except Exception:  # noqa: BLE001 - an exception may raise anything when it is printed
        return f"<{type(error).__qualname__}: unreadable>"
