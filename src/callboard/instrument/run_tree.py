"""A traced call as the code inside it sees it: what it may read, add and set while it runs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any
from uuid import UUID

from callboard import clock
from callboard.callbacks.scope import joined
from callboard.instrument.headers import written_headers
from callboard.tracing.capture import capture
from callboard.tracing.dotted_order import own_id, segment, under

if TYPE_CHECKING:
    from callboard.callbacks.runs import BaseRunManager
    from callboard.instrument.place import Place

__all__ = ["RunTree"]


class RunTree:
    """A run in progress, or one of another process; attributes are named as LangSmith's are.

    Attributes:
        id: The run's id.
        name: What runs.
        run_type: llm, chain, tool, retriever, embedding, prompt or parser.
        inputs: What it was given.
        outputs: What was added or set while it runs, and then what it ended with.
        error: What `end` was told went wrong, if anything.
        events: What `add_event` was told.
        run_manager: The manager of its callbacks: ``run_manager.get_child()`` can be passed
            on. LLM runs have no children of their own there.
        session_name: The project that it belongs to, where one is named.
        reference_example_id: The dataset example that it runs, if any.
        outputs_are_set: Whether `set` gave the outputs.
        is_elsewhere: Whether it is a run of another process, or of another library.
    """

    __slots__ = (
        "__weakref__",
        "_dotted_order",
        "_outer",
        "_touched",
        "error",
        "events",
        "id",
        "inputs",
        "is_elsewhere",
        "name",
        "outputs",
        "outputs_are_set",
        "reference_example_id",
        "run_manager",
        "run_type",
        "session_name",
        "start_time",
    )

    def __init__(
        self,
        run_manager: BaseRunManager,
        name: str,
        run_type: str,
        inputs: dict[str, Any],
        *,
        outer: Place | None = None,
        dotted_order: str | None = None,
        start_time: datetime | None = None,
    ) -> None:
        """Make one; `traceable`, `trace` and `tracing_context` do.

        Args:
            run_manager: The manager of its callbacks.
            name: What runs.
            run_type: Its type.
            inputs: What it is given.
            outer: The place around it.
            dotted_order: Its place in its trace, if that is known already.
            start_time: When it started; now, if not given.
        """
        self.id: UUID = run_manager.run_id
        self.run_manager = run_manager
        self.name = name
        self.run_type = run_type
        self.inputs = inputs
        self.outputs: dict[str, Any] | None = None
        self.outputs_are_set = False
        self.error: BaseException | str | None = None
        self.events: list[dict[str, Any]] = []
        self.session_name: str | None = None
        self.reference_example_id: UUID | str | None = None
        self.start_time = start_time or clock.now()
        self.is_elsewhere = False
        self._outer = outer
        self._dotted_order = dotted_order
        self._touched = False

    @property
    def is_heard(self) -> bool:
        """Whether anybody hears of it, here or elsewhere."""
        return self.is_elsewhere or bool(self.run_manager.handlers)

    @property
    def parent_run_id(self) -> UUID | None:
        """The run that it is part of, if any."""
        return self.run_manager.parent_run_id

    @property
    def trace_id(self) -> UUID:
        """The id of the outermost run that it is inside of, or its own."""
        return UUID(self.dotted_order.split(".", 1)[0][-36:])

    @property
    def dotted_order(self) -> str:
        """Its place in its trace, as the tracers that hear it have it."""
        if self._dotted_order is None:
            self._dotted_order = self._recorded_order() or self._made_order()
        return self._dotted_order

    def _recorded_order(self) -> str | None:
        found = None
        for handler in self.run_manager.handlers:
            place = getattr(handler, "order_map", {}).get(self.id)
            if isinstance(place, tuple):
                found = found or place[1]
                if hasattr(handler, "project_name"):  # Of several, the one that sends counts.
                    return str(place[1])
        return found

    def _made_order(self) -> str:
        parent = None if self._outer is None else self._outer.tree
        if parent is not None and parent.id == self.parent_run_id:
            return under(parent.dotted_order, self.start_time, self.id)
        return segment(self.start_time, self.id)

    def is_within(self, run_id: UUID) -> bool:
        """Whether this run is that one, or inside it.

        Args:
            run_id: A run.
        """
        return run_id == self.parent_run_id or str(run_id) in self.dotted_order

    @property
    def metadata(self) -> dict[str, Any]:
        """Its metadata. What is added is told when the run ends, and inherited from then on."""
        return self._touch().metadata

    @property
    def extra(self) -> dict[str, Any]:
        """Its metadata, where LangSmith keeps it."""
        return {"metadata": self.metadata}

    @property
    def tags(self) -> list[str]:
        """Its tags. What is added is told when the run ends."""
        return self._touch().tags

    def _touch(self) -> BaseRunManager:
        """Return the run manager; handlers keep the tags and metadata that they were told."""
        run = self.run_manager
        if not self._touched:
            self._touched = True
            run.tags = run.tags.copy()
            run.metadata = run.inheritable_metadata = {**run.inheritable_metadata, **run.metadata}
        return run

    def add_metadata(self, metadata: Mapping[str, Any]) -> None:
        """Add metadata, to this run and to those that start in it from now on.

        Args:
            metadata: The metadata.
        """
        self.metadata.update(metadata)

    def add_tags(self, tags: Iterable[str] | str) -> None:
        """Add tags to this run.

        Args:
            tags: The tags, or one.
        """
        self.tags[:] = joined(self.tags, [tags] if isinstance(tags, str) else tags)

    def add_event(self, event: Mapping[str, Any] | Iterable[Mapping[str, Any]] | str) -> None:
        """Add something that happened meanwhile.

        Args:
            event: A text; or ``name``, perhaps ``time`` and more; or several of these.
        """
        told: Any = {"name": "event", "message": event} if isinstance(event, str) else event
        several = [told] if isinstance(told, Mapping) else told
        self.events.extend({"time": clock.now(), **each} for each in several)
        self._touch()

    def add_outputs(self, outputs: Mapping[str, Any]) -> None:
        """Add outputs; what the function returns is added to them.

        Args:
            outputs: The outputs.
        """
        self.outputs = {**(self.outputs or {}), **outputs}

    def add_inputs(self, inputs: Mapping[str, Any]) -> None:
        """Add inputs, which are told when the run ends.

        Args:
            inputs: The inputs.
        """
        self.set(inputs={**self.inputs, **inputs})

    def set(
        self,
        *,
        inputs: Mapping[str, Any] | None = None,
        outputs: Mapping[str, Any] | None = None,
        tags: Iterable[str] | None = None,
        metadata: Mapping[str, Any] | None = None,
        usage_metadata: Mapping[str, Any] | None = None,
    ) -> None:
        """Set what is recorded, whatever the function was given and returns.

        Args:
            inputs: In place of the inputs.
            outputs: In place of what the function returns.
            tags: In place of its tags.
            metadata: Added to its metadata.
            usage_metadata: The tokens that it used: ``input_tokens``, ``output_tokens``,
                ``total_tokens``.
        """
        if inputs is not None:
            self.inputs = dict(inputs)
        if outputs is not None:
            self.outputs = dict(outputs)
            self.outputs_are_set = True
        if tags is not None:
            self.tags[:] = tags
        if metadata is not None:
            self.add_metadata(metadata)
        if usage_metadata is not None:
            self.add_metadata({"usage_metadata": dict(usage_metadata)})

    def end(
        self,
        *,
        outputs: Mapping[str, Any] | None = None,
        error: BaseException | str | None = None,
        events: Iterable[Mapping[str, Any]] | None = None,
        metadata: Mapping[str, Any] | None = None,
    ) -> None:
        """Say how the run ends. It does when its block or function does.

        Args:
            outputs: What it returns, added to its outputs.
            error: What went wrong, if anything.
            events: What happened meanwhile.
            metadata: Added to its metadata.
        """
        if outputs is not None and not self.outputs_are_set:
            self.add_outputs(outputs)
        if error is not None:
            self.error = error
        if events is not None:
            self.add_event(events)
        if metadata is not None:
            self.add_metadata(metadata)

    def to_headers(self) -> dict[str, str]:
        """Return the headers that carry this run to another process, as the parent of its runs.

        There are none for a run that nobody hears of: it would be a parent that never comes. What
        tracers have not leave the process is not in them either.
        """
        if not self.is_heard:
            return {}
        run = self.run_manager
        metadata: Mapping[str, Any] = run.inheritable_metadata
        tags: Iterable[str] = run.inheritable_tags
        for handler in run.handlers:
            if (carried := getattr(handler, "carried", None)) is not None:
                metadata, tags = carried(metadata, tags)
        project = self._recorded_project() or self.session_name
        return written_headers(self.dotted_order, metadata, tags, project)

    def _recorded_project(self) -> str | None:
        """Return the project that the run is sent to: inside a trace, that is the root's."""
        for handler in self.run_manager.handlers:
            run = getattr(handler, "run_map", {}).get(str(self.id))
            project = getattr(run, "session_name", None) or getattr(handler, "project_name", None)
            if isinstance(project, str):
                return project
        return None

    def without_values(self) -> RunTree:
        """Return the same run, without what it was given and returned, and without its parent's.

        Its place is left to be asked for: tracers know it, and hardly anybody asks.
        """
        twin = RunTree(
            self.run_manager,
            self.name,
            self.run_type,
            {},
            dotted_order=self._dotted_order,
            start_time=self.start_time,
        )
        twin.session_name = self.session_name
        return twin

    def write_down(self) -> None:
        """Have tracers record what was added and set since the start."""
        if not self._touched:
            return
        for handler in self.run_manager.handlers:
            run = getattr(handler, "run_map", {}).get(str(self.id))
            if run is not None:
                run.metadata.update(capture(self.run_manager.metadata))
                # Those that a tracer gives all its runs are not the manager's to take away.
                run.tags = joined(self.run_manager.tags, getattr(handler, "tags", None) or ())
                run.events.extend(capture(self.events))

    def __repr__(self) -> str:
        return f"<RunTree {self.run_type}:{self.name} {own_id(self.dotted_order)}>"
