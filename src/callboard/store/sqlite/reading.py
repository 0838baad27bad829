"""Reading rows as records, with what was asked for besides."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from typing import Any
from uuid import UUID

import apsw

from callboard.ids import uuid_of
from callboard.store.derived import read
from callboard.store.records import PAYLOADS, Cost, Field, Outline, RunRecord, Tokens
from callboard.store.sqlite.connections import ReadConnection
from callboard.store.sqlite.feedback import summaries_of
from callboard.store.sqlite.rows import MODEL
from callboard.store.sqlite.schema import payload_key
from callboard.store.sqlite.values import id_or_none
from callboard.wire.operations import Attachment

__all__ = ["OUTLINE", "outline_of", "read_attachment", "read_outline", "read_records", "read_run"]

PAGE_BYTES = 32 * 1024 * 1024
"""How much of payloads is read for one page: runs may have hundreds of times that together."""
OUTLINE = (
    "run.id, run.trace_id, run.parent_id, run.dotted, run.name, run.run_type, run.start_us, "
    "run.end_us, run.status, run.error, run.first_token_us, run.prompt_tokens, "
    "run.completion_tokens, run.total_tokens, run.prompt_cost, run.completion_cost, "
    "run.total_cost, run.details"
)
_RECORD = f"""
    SELECT {OUTLINE}, run.rid, run.received_us, run.inputs_preview, run.outputs_preview,
        run.tags, run.metadata, run.example_id,
        (SELECT id FROM projects WHERE pid = run.project),
        ifnull(run.thread, (SELECT root.thread FROM runs AS root WHERE root.id = run.trace_id))
    FROM runs AS run
"""  # noqa: S608 - names of columns
_INSIDE = """
    SELECT sum(prompt_tokens), sum(completion_tokens), sum(total_tokens),
        sum(prompt_cost), sum(completion_cost), sum(total_cost), min(first_token_us)
    FROM runs INDEXED BY runs_counting
    WHERE counts = 1 AND trace_id = ?1 AND dotted >= ?2 AND dotted < ?2 || '/'
"""
_DETAILS = """
    SELECT details FROM runs INDEXED BY runs_models
    WHERE run_type = 'llm' AND trace_id = ?1 AND dotted >= ?2 AND dotted < ?2 || '/'
        AND counts = 1 AND details IS NOT NULL
"""
# The index alone says which rows are in the window, so those before it are not read.
_WINDOW = f"""
    SELECT {OUTLINE} FROM (
        SELECT rid FROM runs INDEXED BY runs_trace
        WHERE trace_id = ? AND dotted IS NOT NULL ORDER BY dotted LIMIT ? OFFSET ?
    ) CROSS JOIN runs AS run USING (rid) ORDER BY run.dotted
"""  # noqa: S608 - names of columns
_UNPLACED = f"""
    SELECT {OUTLINE} FROM runs AS run INDEXED BY runs_trace
    WHERE run.trace_id = ? AND run.dotted IS NULL ORDER BY run.start_us, run.id LIMIT ? OFFSET ?
"""  # noqa: S608 - names of columns


def read_run(
    connection: ReadConnection, run_id: UUID, fields: Collection[Field]
) -> RunRecord | None:
    """Return a run; None if nothing is known of it."""
    row = connection.db.execute(f"{_RECORD} WHERE run.id = ?", (run_id.bytes,)).fetchone()
    return None if row is None else _record(connection, row, fields)


def read_records(
    connection: ReadConnection, rids: Iterable[int], fields: Collection[Field]
) -> list[RunRecord]:
    """Return runs: the first of them, and as many more as there is room for.

    Args:
        connection: Where from.
        rids: Their keys; all are there.
        fields: What to read besides the row.
    """
    sql = f"{_RECORD} WHERE run.rid = ?"
    records: list[RunRecord] = []
    size = 0
    for rid in rids:
        [row] = connection.db.execute(sql, (rid,))
        records.append(_record(connection, row, fields))
        size += sum(map(len, records[-1].payloads.values()))
        if size >= PAGE_BYTES:
            break
    return records


def read_outline(
    connection: ReadConnection, trace_id: UUID, offset: int, limit: int | None
) -> list[Outline]:
    """Return the runs of a trace in the order of its tree; those without a place come last."""
    many = -1 if limit is None else limit
    placed = connection.db.execute(_WINDOW, (trace_id.bytes, many, offset))
    found = [outline_of(row) for row in placed]
    if limit is not None and len(found) >= limit:
        return found
    count: int = connection.db.execute(
        "SELECT count(*) FROM runs WHERE trace_id = ? AND dotted IS NOT NULL", (trace_id.bytes,)
    ).get
    lost = connection.db.execute(
        _UNPLACED,
        (trace_id.bytes, -1 if limit is None else limit - len(found), max(0, offset - count)),
    )
    return [*found, *map(outline_of, lost)]


def read_attachment(connection: ReadConnection, run_id: UUID, name: str) -> Attachment | None:
    """Return a file of a run."""
    row = connection.db.execute(
        "SELECT mime_type, data FROM attachments JOIN runs USING (rid) "
        "WHERE runs.id = ? AND attachments.name = ?",
        (run_id.bytes, name),
    ).fetchone()
    return None if row is None else Attachment(*row)


def outline_of(row: tuple[Any, ...]) -> Outline:
    """Return the columns of `OUTLINE` as an outline."""
    return Outline(*_outline(row))


def _outline(row: tuple[Any, ...]) -> tuple[Any, ...]:
    run_id, trace_id, parent_id, *plain = row[:11]
    tokens, cost = (None, None) if row[5] != MODEL else _account(row[11:18])
    return (
        uuid_of(run_id),
        uuid_of(trace_id),
        id_or_none(parent_id),
        *plain,
        tokens,
        cost,
    )


def _account(told: tuple[Any, ...]) -> tuple[Tokens | None, Cost | None]:
    prompt, completion, total, prompt_cost, completion_cost, total_cost, details = told
    if details is None:
        return (
            None if total is None else Tokens(prompt, completion, total),
            None if total_cost is None else Cost(prompt_cost, completion_cost, total_cost),
        )
    kinds: Mapping[str, Any] = read(details.encode())
    tokens = cost = None
    if total is not None:
        tokens = Tokens(
            prompt,
            completion,
            total,
            kinds.get("prompt_tokens", {}),
            kinds.get("completion_tokens", {}),
        )
    if total_cost is not None:
        cost = Cost(
            prompt_cost,
            completion_cost,
            total_cost,
            kinds.get("prompt_cost", {}),
            kinds.get("completion_cost", {}),
            kinds.get("priced_by"),
        )
    return tokens, cost


def _record(
    connection: ReadConnection, row: tuple[Any, ...], fields: Collection[Field]
) -> RunRecord:
    rid, received_us, inputs_preview, outputs_preview, tags, metadata = row[18:24]
    example_id, project_id, thread = row[24:]
    record = RunRecord(*_outline(row))
    record.project_id = id_or_none(project_id)
    record.tags = read(tags.encode()) if tags else []
    record.metadata = read(metadata.encode()) if metadata else {}
    record.thread_id = thread
    record.reference_example_id = id_or_none(example_id)
    record.inputs_preview = inputs_preview
    record.outputs_preview = outputs_preview
    record.received_us = received_us
    if fields:
        _read_fields(connection, rid, record, fields)
    return record


def _read_fields(
    connection: ReadConnection, rid: int, record: RunRecord, fields: Collection[Field]
) -> None:
    for name in PAYLOADS:
        if name in fields:
            data = connection.payloads.read(payload_key(rid, name))
            if data is not None:
                record.payloads[name] = data
    if "attachments" in fields:
        record.attachments = dict(
            connection.db.execute("SELECT name, mime_type FROM attachments WHERE rid = ?", (rid,))
        )
    if "feedback" in fields:
        record.feedback = summaries_of(connection.db, "run_id = ?", (record.id.bytes,))
    if "subtree" in fields:
        _read_subtree(connection.db, record)


def _read_subtree(db: apsw.Connection, record: RunRecord) -> None:
    if record.dotted_order is None:  # Nothing is known to be inside it.
        record.subtree_tokens, record.subtree_cost = record.tokens, record.cost
        record.subtree_first_token_us = record.first_token_us
        return
    place = (record.trace_id.bytes, record.dotted_order)
    [row] = db.execute(_INSIDE, place)
    prompt, completion, total, prompt_cost, completion_cost, total_cost, first_token_us = row
    kinds = _details_inside(db, place) if total is not None else {}
    if total is not None:
        record.subtree_tokens = Tokens(
            prompt,
            completion,
            total,
            kinds.get("prompt_tokens", {}),
            kinds.get("completion_tokens", {}),
        )
    if total_cost is not None:
        record.subtree_cost = Cost(
            prompt_cost,
            completion_cost,
            total_cost,
            kinds.get("prompt_cost", {}),
            kinds.get("completion_cost", {}),
        )
    record.subtree_first_token_us = first_token_us


def _details_inside(db: apsw.Connection, place: tuple[bytes, str]) -> dict[str, Counter[str]]:
    """Return what the models at and below a place have used and cost, by kind."""
    kinds: dict[str, Counter[str]] = {}
    for (details,) in db.execute(_DETAILS, place):
        for name, told in read(details.encode()).items():
            if isinstance(told, dict):
                kinds.setdefault(name, Counter()).update(told)
    return kinds
