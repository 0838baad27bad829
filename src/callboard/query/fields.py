"""The fields that filters speak of: one row a field, from which checks, messages and docs are made.

There is one table for each kind of thing that is filtered: runs, threads and examples.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from callboard.query.nodes import Kind
from callboard.query.values import (
    CHOICE,
    DOCUMENT,
    FLAG,
    MIXED,
    MOMENT,
    NUMBER,
    OBJECT,
    SECONDS,
    TAGS,
    TEXT,
    TEXT_WORDS,
    UUID_TYPE,
    Type,
)

__all__ = ["EXAMPLE_FIELDS", "RUN_FIELDS", "THREAD_FIELDS", "Field", "Fields"]


@dataclass(frozen=True, slots=True)
class Field:
    """One field.

    Attributes:
        name: What nodes call it.
        type: What its values are.
        about: What it is, for documents.
        aliases: Other names that filters may use for it.
        sortable: Whether lists may be put in its order.
        entry: For a field of an entry, the kind of entry. For an object, the kind of its entries.
        is_key: Whether it is the key of an entry.
    """

    name: str
    type: Type
    about: str
    aliases: tuple[str, ...] = ()
    sortable: bool = False
    entry: Kind | None = None
    is_key: bool = False

    @property
    def is_in_entry(self) -> bool:
        """Whether it is a field of an entry, of which there may be any number."""
        return self.entry is not None and self.type not in {OBJECT, DOCUMENT}


class Fields:
    """A table of fields.

    Attributes:
        of: What they are fields of, such as ``"runs"``.
        rows: The fields in the order in which they are documented.
    """

    def __init__(self, of: str, rows: tuple[Field, ...]) -> None:
        self.of = of
        self.rows = rows
        self._named: Mapping[str, Field] = {
            name: row for row in rows for name in (row.name, *row.aliases)
        }

    def __iter__(self) -> Iterator[Field]:
        return iter(self.rows)

    def get(self, name: str) -> Field | None:
        """Return the field of this name or alias, or None if there is none."""
        return self._named.get(name)

    def key_of(self, kind: Kind) -> Field:
        """Return the field that is the key of a kind of entry."""
        return next(row for row in self.rows if row.entry == kind and row.is_key)

    def value_of(self, kind: Kind) -> Field:
        """Return the field that is the value of a kind of entry."""
        return self._named[f"{kind}_value"]

    @property
    def names(self) -> tuple[str, ...]:
        """The fields' names and aliases."""
        return tuple(self._named)


def _pair(kind: Kind, of: str) -> tuple[Field, Field]:
    key = Field(f"{kind}_key", TEXT, f"The key of an entry of {of}", entry=kind, is_key=True)
    return key, Field(f"{kind}_value", MIXED, "The value of that entry", entry=kind)


_METADATA = (
    Field("metadata", OBJECT, "The metadata as a whole", entry="metadata"),
    *_pair("metadata", "the metadata"),
)

RUN_FIELDS = Fields(
    "runs",
    (
        Field("id", UUID_TYPE, "The run's id", aliases=("run_id",)),
        Field("name", TEXT_WORDS, "What was run", sortable=True),
        Field("run_type", CHOICE, "`llm`, `chain`, `tool`, `retriever`, ..."),
        Field("status", CHOICE, "`success`, `error` or `pending`"),
        Field("error", TEXT_WORDS, "What went wrong; null if nothing did"),
        Field("start_time", MOMENT, "When it started", sortable=True),
        Field("end_time", MOMENT, "When it ended; null while it runs", sortable=True),
        Field("latency", SECONDS, "How long it took; null while it runs", sortable=True),
        Field("first_token_time", MOMENT, "When the first token came", sortable=True),
        Field("is_root", FLAG, "Whether it is the first run of its trace"),
        Field("execution_order", NUMBER, "Its place in its trace, from 1"),
        Field("trace_id", UUID_TYPE, "The id of its trace"),
        Field("parent_run_id", UUID_TYPE, "The id of the run it is in; null for a root"),
        Field("session_id", UUID_TYPE, "The id of its project", aliases=("project_id",)),
        Field("thread_id", TEXT, "The conversation it belongs to"),
        Field("reference_example_id", UUID_TYPE, "The example of a dataset it was run on"),
        Field("tags", TAGS, "Its tags"),
        Field("total_tokens", NUMBER, "Tokens in and out", sortable=True),
        Field("prompt_tokens", NUMBER, "Tokens in", sortable=True),
        Field("completion_tokens", NUMBER, "Tokens out", sortable=True),
        Field("total_cost", NUMBER, "What it cost, in US dollars", sortable=True),
        Field("prompt_cost", NUMBER, "What the tokens in cost", sortable=True),
        Field("completion_cost", NUMBER, "What the tokens out cost", sortable=True),
        *_METADATA,
        Field("feedback_key", TEXT, "What a feedback is about", entry="feedback", is_key=True),
        Field("feedback_score", NUMBER, "Its score; true is 1", entry="feedback"),
        Field("feedback_value", MIXED, "Its value, such as a category", entry="feedback"),
        Field("feedback_source", CHOICE, "`api`, `model`, `app`, ...", entry="feedback"),
        Field("feedback_comment", TEXT, "Its comment", entry="feedback"),
        Field("inputs", DOCUMENT, "The inputs as a whole", aliases=("input",), entry="input"),
        *_pair("input", "the inputs"),
        Field("outputs", DOCUMENT, "The outputs as a whole", aliases=("output",), entry="output"),
        *_pair("output", "the outputs"),
    ),
)
"""What ``filter``, ``trace_filter`` and ``tree_filter`` speak of."""

THREAD_FIELDS = Fields(
    "threads",
    (
        Field("thread_id", TEXT, "The conversation's id", sortable=True),
        Field("turn_count", NUMBER, "How many traces it has", ("count",), sortable=True),
        Field("num_errored_turns", NUMBER, "How many of them failed", sortable=True),
        Field("min_start_time", MOMENT, "When the first started", ("start_time",), sortable=True),
        Field("max_start_time", MOMENT, "When the last started", sortable=True),
        Field("thread_duration", SECONDS, "From the first start to the last end", sortable=True),
        Field("trace_latency_p50", SECONDS, "The median turn", ("latency_p50",), sortable=True),
        Field("trace_latency_p99", SECONDS, "The slowest turns", ("latency_p99",), sortable=True),
        Field("first_trace_id", UUID_TYPE, "The id of the first trace"),
        Field("last_trace_id", UUID_TYPE, "The id of the last trace"),
        Field("last_error", TEXT, "How the last failed; null if it did not"),
        Field("total_tokens", NUMBER, "Tokens in and out", sortable=True),
        Field("prompt_tokens", NUMBER, "Tokens in", sortable=True),
        Field("completion_tokens", NUMBER, "Tokens out", sortable=True),
        Field("total_cost", NUMBER, "What it cost, in US dollars", sortable=True),
        Field("prompt_cost", NUMBER, "What the tokens in cost", sortable=True),
        Field("completion_cost", NUMBER, "What the tokens out cost", sortable=True),
    ),
)
"""What ``thread_filter`` speaks of: summaries of threads."""

EXAMPLE_FIELDS = Fields(
    "examples",
    (
        Field("id", UUID_TYPE, "The example's id"),
        Field("created_at", MOMENT, "When it was made", sortable=True),
        Field("modified_at", MOMENT, "When it was last changed", sortable=True),
        *_METADATA,
    ),
)
"""What the filter of a dataset's examples speaks of."""
