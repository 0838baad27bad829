"""Rows of the table of runs: what has been told of a run, and what follows from it.

A `Row` is read, told what is new (`Row.tell`), and written: `Row.changes` has what to write.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any, NamedTuple

from callboard.prices import PriceList, cost_of, tokens_of
from callboard.store.derived import (
    ERROR_LENGTH,
    error_of,
    first_token_us,
    metadata_of,
    microseconds_of,
    read,
    status_of,
    thread_of,
)
from callboard.store.merging import DEFAULT, Draft, weight_of
from callboard.store.previews import preview_of
from callboard.store.records import Cost, Tokens
from callboard.usage import usage_in_metadata, usage_in_outputs
from callboard.wire import json
from callboard.wire.operations import PARTS

__all__ = ["COLUMNS", "MODEL", "Row", "Sources", "uuid_bytes"]

MODEL = "llm"
"""The type of run whose tokens and cost are counted."""

_NEW: Mapping[str, Any] = {
    "rid": None,
    "id": None,
    "weights": 0,
    "trace_id": None,
    "parent_id": None,
    "dotted": None,
    "placed": 0,
    "is_root": 0,
    "project": None,
    "name": "",
    "run_type": "chain",
    "start_us": None,
    "end_us": None,
    "status": "pending",
    "error": None,
    "first_token_us": None,
    "counts": 0,
    "prompt_tokens": None,
    "completion_tokens": None,
    "total_tokens": None,
    "prompt_cost": None,
    "completion_cost": None,
    "total_cost": None,
    "details": None,
    "thread": None,
    "example_id": None,
    "received_us": 0,
    "inputs_preview": None,
    "outputs_preview": None,
    "tags": None,
    "metadata": None,
}

COLUMNS = tuple(_NEW)
"""The columns of the table, in the order that it has them in."""


class Sources(NamedTuple):
    """What a row asks when it is told something.

    Attributes:
        project: Returns the key of the project that fields of a head name.
        payload: Returns the part of a run, by the run's key, if the store has it.
        prices: What models cost.
    """

    project: Callable[[Mapping[str, str]], int]
    payload: Callable[[int, str], bytes | None]
    prices: PriceList


class Row:
    """A run's row.

    Attributes:
        values: Its columns by name, as they will be.
        before: As they were; None of a run that is new.
        payloads: The parts that are to be written, by name.
    """

    __slots__ = ("before", "payloads", "values")

    def __init__(self, values: dict[str, Any], *, is_new: bool) -> None:
        self.values = values
        self.before = None if is_new else values.copy()
        self.payloads: dict[str, bytes] = {}

    @classmethod
    def new(cls, rid: int, run_id: bytes, received_us: int) -> Row:
        """Return the row of a run of which nothing is known yet."""
        return cls({**_NEW, "rid": rid, "id": run_id, "received_us": received_us}, is_new=True)

    @classmethod
    def known(cls, values: tuple[Any, ...]) -> Row:
        """Return a row as it was read: `COLUMNS`."""
        return cls(dict(zip(COLUMNS, values, strict=True)), is_new=False)

    def changes(self) -> dict[str, Any]:
        """Return the columns that are not as they were."""
        before = self.before
        if before is None:
            return self.values
        return {name: value for name, value in self.values.items() if value != before[name]}

    def was(self, name: str) -> Any:
        """Return what a column was; None if the run is new."""
        return None if self.before is None else self.before[name]

    def is_told(self, name: str) -> bool:
        """Whether a field was told, rather than follows from others."""
        return weight_of(self.values["weights"], name) > 0

    def tell(self, draft: Draft, sources: Sources) -> None:
        """Take in what is said of the run.

        Args:
            draft: What is said; it keeps of it what counts.
            sources: Where to ask for what is needed besides.
        """
        values = self.values
        values["weights"] = draft.settle(values["weights"])
        told = draft.values
        for name, value in told.items():
            if name in _TAKES:
                _TAKES[name](values, value)
        if "project" in told:
            values["project"] = sources.project(told["project"])
        values["status"] = status_of(values["end_us"], values["error"])
        self.payloads = {name: told[name] for name in PARTS if name in told}
        if "run_type" in told:
            self._count()
        if not _MATTERS.isdisjoint(told):
            self._account(told, sources)

    def _count(self) -> None:
        """Count a run that has become a model, until it is known what is inside it."""
        is_model = self.values["run_type"] == MODEL
        if is_model != (self.was("run_type") == MODEL):
            self.values["counts"] = int(is_model)

    def _account(self, told: Mapping[str, Any], sources: Sources) -> None:
        """Find out what a model run used and cost."""
        values = self.values
        if self.is_told("run_type") and values["run_type"] != MODEL:
            values.update(_NO_ACCOUNT)
            return
        text = values["metadata"]
        metadata: dict[str, Any] = read(text.encode()) if text else {}
        usage = usage_in_metadata(metadata)
        if usage is None:
            outputs = told.get("outputs") or self._kept_outputs(sources)
            usage = None if outputs is None else usage_in_outputs(read(outputs))
        if usage is None:
            values.update(_NO_ACCOUNT)
            return
        tokens = tokens_of(usage)
        cost = cost_of(usage, tokens, metadata, sources.prices)
        values.update(_account_columns(tokens, cost))

    def _kept_outputs(self, sources: Sources) -> bytes | None:
        if weight_of(self.values["weights"], "outputs") <= DEFAULT:
            return None
        return sources.payload(self.values["rid"], "outputs")


_MAX_KEPT = 8 * 1024
_MATTERS = frozenset({"extra", "outputs", "run_type"})
_NO_TOKENS, _NO_COST = Tokens(), Cost()


def _account_columns(tokens: Tokens | None, cost: Cost | None) -> dict[str, Any]:
    tokens, cost = tokens or _NO_TOKENS, cost or _NO_COST
    details = {
        "prompt_tokens": tokens.prompt_details,
        "completion_tokens": tokens.completion_details,
        "prompt_cost": cost.prompt_details,
        "completion_cost": cost.completion_details,
        "priced_by": cost.priced_by,
    }
    told = {name: detail for name, detail in details.items() if detail}
    return {
        "prompt_tokens": tokens.prompt,
        "completion_tokens": tokens.completion,
        "total_tokens": tokens.total,
        "prompt_cost": cost.prompt,
        "completion_cost": cost.completion,
        "total_cost": cost.total,
        "details": _json(told) if told else None,
    }


_NO_ACCOUNT = _account_columns(None, None)


def _json(value: Any) -> str:
    return json.encode(value).decode()


def uuid_bytes(text: str) -> bytes:
    """Return the bytes of a UUID that is text of a head's."""
    return bytes.fromhex(text.replace("-", ""))


@lru_cache(maxsize=2048)
def _of_extra(extra: bytes) -> tuple[str | None, str | None]:
    """Return the metadata, as JSON, and the thread that ``extra`` tells.

    Many runs tell the same.
    """
    metadata = metadata_of(extra)
    return (_json(metadata) if metadata else None), thread_of(metadata)


def _take_extra(values: dict[str, Any], extra: bytes) -> None:
    # What is big is seldom told twice, and would fill memory.
    of_extra = _of_extra if len(extra) <= _MAX_KEPT else _of_extra.__wrapped__
    values["metadata"], values["thread"] = of_extra(extra)


def _take_error(values: dict[str, Any], error: bytes) -> None:
    text = error_of(error)
    values["error"] = None if text is None else text[:ERROR_LENGTH]


def _column(name: str, read: Callable[[Any], Any]) -> Callable[[dict[str, Any], Any], None]:
    def take(values: dict[str, Any], value: Any) -> None:
        values[name] = read(value)

    return take


def _same(value: Any) -> Any:
    return value


def _tags(tags: list[str]) -> str | None:
    return _json(tags) if tags else None


_TAKES: Mapping[str, Callable[[dict[str, Any], Any], None]] = {
    "trace_id": _column("trace_id", uuid_bytes),
    "parent_run_id": _column("parent_id", uuid_bytes),
    "dotted_order": _column("dotted", _same),
    "name": _column("name", _same),
    "run_type": _column("run_type", _same),
    "start_time": _column("start_us", microseconds_of),
    "end_time": _column("end_us", microseconds_of),
    "tags": _column("tags", _tags),
    "reference_example_id": _column("example_id", uuid_bytes),
    "inputs": _column("inputs_preview", preview_of),
    "outputs": _column("outputs_preview", preview_of),
    "events": _column("first_token_us", first_token_us),
    "extra": _take_extra,
    "error": _take_error,
}
"""How each field gets into its columns."""
