"""A run: one call of a model, chain, tool or retriever, from its start to its end.

Attributes have the names of LangSmith's run, so that listeners, evaluators and exporters that
know those know these.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any, Self
from uuid import UUID

from callboard import clock
from callboard.tracing.dotted_order import segment

__all__ = ["FIELDS", "Run"]


FIELDS = (
    "attachments",
    "child_runs",
    "dotted_order",
    "end_time",
    "error",
    "events",
    "extra",
    "id",
    "inputs",
    "name",
    "outputs",
    "parent_run_id",
    "reference_example_id",
    "run_type",
    "serialized",
    "session_id",
    "session_name",
    "start_time",
    "tags",
    "trace_id",
)
"""The names of a run's attributes."""


class Run:
    """One run, as far as it has come.

    Attributes:
        id: The run's id.
        name: What runs.
        run_type: llm, chain, tool, retriever, embedding, prompt or parser (and chat_model,
            in the event stream).
        start_time: When it started; aware, in UTC.
        end_time: When it ended; None while it runs.
        inputs: What it was given.
        outputs: What it returned; None while it runs, or if it failed.
        error: The exception that ended it, and its stack trace, as text.
        serialized: What runs, as a dictionary, if known.
        events: What happened meanwhile, each with ``name``, ``time`` and perhaps ``kwargs``.
        extra: ``metadata``, ``invocation_params`` and what else the start told.
        tags: Its tags.
        parent_run_id: The run that it is part of, if any.
        trace_id: The id of the outermost run that it is inside of, or its own.
        dotted_order: Its place in the trace: see `callboard.tracing.dotted_order`.
        reference_example_id: The dataset example that it runs, if any.
        session_name: The project that it belongs to, if one is named.
        session_id: That project's id, if it is known.
        child_runs: The runs inside it, in the order of their starts.
        attachments: Files that belong to it, by name: mime type, and bytes or a path.
        queued: What a tracer told of its start that may not have been sent yet, if anything;
            the tracer's own affair.
    """

    __slots__ = (*FIELDS, "queued")

    def __init__(
        self,
        *,
        id: UUID | str,
        name: str | None = None,
        run_type: str = "chain",
        start_time: datetime | None = None,
        end_time: datetime | None = None,
        inputs: dict[str, Any] | None = None,
        outputs: dict[str, Any] | None = None,
        error: str | None = None,
        serialized: Mapping[str, Any] | None = None,
        events: list[dict[str, Any]] | None = None,
        extra: dict[str, Any] | None = None,
        tags: list[str] | None = None,
        parent_run_id: UUID | str | None = None,
        trace_id: UUID | str | None = None,
        dotted_order: str | None = None,
        reference_example_id: UUID | str | None = None,
        session_name: str | None = None,
        session_id: UUID | str | None = None,
        child_runs: list[Run] | None = None,
        attachments: dict[str, Any] | None = None,
    ) -> None:
        """Make a run. A run without a trace is the root of one of its own."""
        self.id = _uuid(id)
        self.name = name or component_name(serialized) or "Unnamed"
        self.run_type = run_type
        self.start_time = start_time or clock.now()
        self.end_time = end_time
        self.inputs = {} if inputs is None else inputs
        self.outputs = outputs
        self.error = error
        self.serialized = serialized
        self.events = [] if events is None else events
        self.extra = {} if extra is None else extra
        self.tags = [] if tags is None else tags
        self.parent_run_id = None if parent_run_id is None else _uuid(parent_run_id)
        self.trace_id = self.id if trace_id is None else _uuid(trace_id)
        self.dotted_order = dotted_order or segment(self.start_time, self.id)
        self.reference_example_id = (
            None if reference_example_id is None else _uuid(reference_example_id)
        )
        self.session_name = session_name
        self.session_id = None if session_id is None else _uuid(session_id)
        self.child_runs = [] if child_runs is None else child_runs
        self.attachments = {} if attachments is None else attachments
        self.queued: Any = None

    @classmethod
    def begun(
        cls,
        run_id: UUID,
        name: str,
        run_type: str,
        start_time: datetime,
        inputs: dict[str, Any],
        serialized: Mapping[str, Any] | None,
        extra: dict[str, Any],
        tags: list[str],
        parent_run_id: UUID | None,
    ) -> Self:
        """Return a run that starts, of values that are right: quicker than to make and check one.

        Its place in a trace is that of a root: see `Recorder.place`.
        """
        run = cls.__new__(cls)
        run.id = run.trace_id = run_id
        run.name = name
        run.run_type = run_type
        run.start_time = start_time
        run.inputs = inputs
        run.serialized = serialized
        run.events = [{"name": "start", "time": start_time}]
        run.extra = extra
        run.tags = tags
        run.parent_run_id = parent_run_id
        run.dotted_order = segment(start_time, run_id)
        run.end_time = run.outputs = run.error = None
        run.reference_example_id = run.session_name = run.session_id = None
        run.child_runs = []
        run.attachments = {}
        run.queued = None
        return run

    @property
    def metadata(self) -> dict[str, Any]:
        """The run's metadata, which is kept in `extra`."""
        metadata: dict[str, Any] = self.extra.setdefault("metadata", {})
        return metadata

    @property
    def latency(self) -> float | None:
        """How long it took, in seconds; None while it runs."""
        if self.end_time is None:
            return None
        return (self.end_time - self.start_time).total_seconds()

    def to_dict(self, exclude: Iterable[str] = ()) -> dict[str, Any]:
        """Return its attributes by name, children as dictionaries too.

        Args:
            exclude: The names to leave out.
        """
        left_out = frozenset(exclude)
        told = {name: getattr(self, name) for name in FIELDS if name not in left_out}
        if "child_runs" in told:
            told["child_runs"] = [child.to_dict(left_out) for child in self.child_runs]
        return told

    def copy(self, update: Mapping[str, Any] | None = None) -> Self:
        """Return a run with the same attributes, but for those given.

        Args:
            update: Attributes to change, by name.
        """
        twin = type(self).__new__(type(self))
        twin.queued = None
        for name in FIELDS:
            setattr(twin, name, getattr(self, name))
        for name, value in (update or {}).items():
            setattr(twin, name, value)
        return twin

    def __getstate__(self) -> tuple[None, dict[str, Any]]:
        # What is queued here is nothing to whoever unpickles it.
        return None, {**{name: getattr(self, name) for name in FIELDS}, "queued": None}

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Run):
            return NotImplemented
        return all(getattr(self, name) == getattr(other, name) for name in FIELDS)

    # It changes while it runs.
    __hash__ = None  # type: ignore[assignment]  # pyright: ignore[reportAssignmentType]

    def __repr__(self) -> str:
        ended = "running" if self.end_time is None else "failed" if self.error else "ended"
        return f"<Run {self.run_type}:{self.name} {ended} {self.id}>"


def component_name(serialized: Mapping[str, Any] | None) -> str | None:
    """Return the name of what runs: its own, or the last part of its id, a path."""
    if not serialized:
        return None
    path = serialized.get("id") or [None]
    name = serialized.get("name") or path[-1]
    return None if name is None else str(name)


def _uuid(value: UUID | str) -> UUID:
    return value if isinstance(value, UUID) else UUID(value)
