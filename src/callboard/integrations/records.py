"""What an integration is told of a run: one record, from its start to its end."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal, TypeAlias
from uuid import UUID

from callboard.payloads import field
from callboard.prices import Cost, Tokens
from callboard.tracing.run import Run
from callboard.usage import Usage

__all__ = ["MODELS", "RunRecord", "Status"]

Status: TypeAlias = Literal["running", "ok", "error", "unfinished"]

MODELS = frozenset({"llm", "chat_model"})
"""The types of runs that are calls of a model."""

_CONVERSATIONS = ("session_id", "thread_id", "conversation_id")
_MODEL_NAMES = ("model", "model_name", "model_id")


class RunRecord:
    """One run, as far as it has come.

    What it was given and returned are copies, made when the event came, and redacted; so are its
    name, its tags, its metadata and its error.

    Attributes:
        id: The run's id.
        trace_id: The id of the outermost run that it is inside of, or its own.
        parent: The record of the run that it is part of, if that is known.
        name: What runs.
        type: chain, tool, retriever, llm (a text model), chat_model, embedding, parser, prompt, or
            another that the application chose.
        tags: Its tags.
        metadata: Its metadata.
        parameters: What a model was called with besides messages, such as ``temperature``.
        start_time: When it started; aware, in UTC.
        first_token_time: When a model's first token came; None if none did.
        end_time: When it ended; None while it runs.
        token_events: How many tokens came.
        inputs: What it was given; None if the integration has no use for content.
        outputs: What it returned; None while it runs, if it failed, and without content.
        status: running, ok, error, or unfinished: its end did not come, and won't be waited for.
        error: The exception that ended it, and its stack trace, as text.
        error_message: The same in a line or two: its class and what it says.
        error_type: Its class, by name.
        exception: The exception itself, until `run_ended` has heard of it: as it is, so nothing in
            it is redacted. None where a run is told of that was stored.
        model: The model that was asked.
        provider: Who provides it, such as ``"openai"``.
        response_model: The model that says to have answered.
        response_id: What the provider calls its answer.
        finish_reasons: Why the answers ended, as the provider calls it.
        tool_call_id: The call, as the model that asked for it named it, that a tool's run answers.
        usage: What a model used, as LangChain's ``usage_metadata`` has it; None if it isn't told.
        tokens: The same, as counts.
        cost: What they cost, in US dollars; None if that is not known, which is not nothing.
        kept: What the integration keeps with the run: a span, a container, a line.
    """

    __slots__ = (
        "cost",
        "end_time",
        "error",
        "error_message",
        "error_type",
        "exception",
        "finish_reasons",
        "first_token_time",
        "id",
        "inputs",
        "kept",
        "metadata",
        "model",
        "name",
        "outputs",
        "parameters",
        "parent",
        "provider",
        "response_id",
        "response_model",
        "start_time",
        "status",
        "tags",
        "token_events",
        "tokens",
        "tool_call_id",
        "trace_id",
        "type",
        "usage",
    )

    def __init__(self, run: Run, parent: RunRecord | None) -> None:
        """Begin the record of a run.

        Args:
            run: The run, which starts.
            parent: The record of the run that it is part of, if that is known.
        """
        self.id: UUID = run.id
        self.trace_id: UUID = run.trace_id
        self.parent = parent
        self.name = run.name
        self.type = run.run_type
        self.tags = list(run.tags)
        self.metadata = dict(run.metadata)
        self.parameters: dict[str, Any] = _mapping(run.extra.get("invocation_params"))
        self.start_time: datetime = run.start_time
        self.first_token_time: datetime | None = None
        self.end_time: datetime | None = None
        self.token_events = 0
        self.inputs: dict[str, Any] | None = None
        self.outputs: dict[str, Any] | None = None
        self.status: Status = "running"
        self.error: str | None = None
        self.error_message: str | None = None
        self.error_type: str | None = None
        self.exception: BaseException | None = None
        self.model = _model(run) if self.is_model else None
        self.provider = _text(run.metadata.get("ls_provider")) if self.is_model else None
        self.response_model: str | None = None
        self.response_id: str | None = None
        self.finish_reasons: list[str] = []
        self.tool_call_id = _text(run.extra.get("tool_call_id"))
        self.usage: Usage | None = None
        self.tokens: Tokens | None = None
        self.cost: Cost | None = None
        self.kept: Any = None

    @property
    def is_model(self) -> bool:
        """Whether it is the call of a model."""
        return self.type in MODELS

    @property
    def conversation(self) -> str | None:
        """The id of the conversation that it belongs to, if its metadata names one."""
        told = (self.metadata.get(name) for name in _CONVERSATIONS)
        return next((str(each) for each in told if each), None)

    @property
    def user(self) -> str | None:
        """The id of the user that it is for, if its metadata names one."""
        told = self.metadata.get("user_id")
        return None if told is None else str(told)

    @property
    def latency(self) -> float | None:
        """How long it took, in seconds; None while it runs."""
        return _seconds(self.start_time, self.end_time)

    @property
    def time_to_first_token(self) -> float | None:
        """How long a model's first token took, in seconds; None if none came."""
        return _seconds(self.start_time, self.first_token_time)

    def __repr__(self) -> str:
        return f"<RunRecord {self.type}:{self.name} {self.status} {self.id}>"


def _seconds(start: datetime, end: datetime | None) -> float | None:
    return None if end is None else (end - start).total_seconds()


def _model(run: Run) -> str | None:
    """Return the model that is asked, by the first that names one."""
    told = run.metadata.get("ls_model_name")
    if isinstance(told, str) and told:
        return told
    for place in (run.extra.get("invocation_params"), field(run.serialized, "kwargs")):
        for name in _MODEL_NAMES:
            if model := _text(field(place, name)):
                return model
    return None


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) and value else None


def _mapping(value: Any) -> dict[str, Any]:
    return dict(value) if isinstance(value, dict) else {}
