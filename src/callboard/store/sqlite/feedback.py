"""Feedback: taken as clients tell it, and summed up key by key."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from statistics import fmean, pstdev
from types import NoneType
from typing import Any
from uuid import UUID

import apsw

from callboard.clock import microseconds, now_us
from callboard.errors import BadBodyError
from callboard.query.entries import text_of
from callboard.store.records import FeedbackQuery, FeedbackRecord, FeedbackSummary, Rejection
from callboard.store.sqlite.values import id_or_none, json_of, json_text, only_known, sql_id
from callboard.wire.heads import identifier
from callboard.wire.operations import Feedback
from callboard.wire.orders import moment, shown

__all__ = [
    "delete_feedback",
    "find_feedback",
    "summaries",
    "summaries_of",
    "update_feedback",
    "write_feedback",
]

_COLUMNS = (
    "id, key, run_id, trace_id, project_id, score, score_kind, value, value_text, comment, "
    "correction, source, source_type, extra, created_us, modified_us"
)
_WRITE = f"INSERT OR REPLACE INTO feedback VALUES ({', '.join('?' * 16)})"  # noqa: S608
# What is not told follows from the run, once that is known.
_SELECT = """
    SELECT feedback.id, key, run_id, ifnull(feedback.trace_id, run.trace_id),
        ifnull(project_id, (SELECT id FROM projects WHERE pid = run.project)),
        score, score_kind, value, comment, correction, source, extra, created_us, modified_us
    FROM feedback LEFT JOIN runs AS run ON run.id = feedback.run_id
"""
_REFUSED = "The feedback is refused: {}"
_TOLD = {
    "id",
    "key",
    "run_id",
    "trace_id",
    "session_id",
    "score",
    "value",
    "comment",
    "correction",
    "feedback_source",
    "created_at",
    "modified_at",
}


def write_feedback(db: apsw.Connection, told: Iterable[Feedback]) -> list[Rejection]:
    """Take feedback; return what can't be taken."""
    rejections: list[Rejection] = []
    for feedback in told:
        try:
            record = _told(feedback)
        except BadBodyError as error:
            rejections.append(Rejection(feedback.id, _REFUSED.format(error)))
        else:
            db.execute(_WRITE, _values(record))
    return rejections


def find_feedback(db: apsw.Connection, query: FeedbackQuery) -> list[FeedbackRecord]:
    """Return feedback, the newest first."""
    conditions: list[str] = []
    values: list[Any] = []
    for column, some in (("feedback.id", query.ids), ("run_id", query.run_ids)):
        if some:
            conditions.append(f"{column} IN carray(?)")
            values.append(apsw.carray(tuple(each.bytes for each in some)))
    for column, words in (("key", query.keys), ("source_type", query.sources)):
        if words:
            conditions.append(f"{column} IN carray(?)")
            values.append(apsw.carray(tuple(words)))
    if query.project_ids:
        conditions.append(
            "ifnull(project_id, (SELECT id FROM projects WHERE pid = run.project)) IN carray(?)"
        )
        values.append(apsw.carray(tuple(each.bytes for each in query.project_ids)))
    where = f" WHERE {' AND '.join(conditions)}" if conditions else ""
    order = " ORDER BY created_us DESC, feedback.id DESC LIMIT ? OFFSET ?"
    rows = db.execute(f"{_SELECT}{where}{order}", (*values, query.limit, query.offset))
    return [_record(row) for row in rows]


_CHANGES = {
    "key",
    "run_id",
    "trace_id",
    "project_id",
    "score",
    "value",
    "comment",
    "correction",
    "source",
    "extra",
    "created_us",
    "modified_us",
}


def update_feedback(db: apsw.Connection, feedback_id: UUID, changes: Mapping[str, Any]) -> bool:
    """Change fields of feedback; False if there is none.

    Raises:
        BadBodyError: A field does not take its value.
    """
    only_known("feedback", changes, _CHANGES)
    row = db.execute(f"{_SELECT} WHERE feedback.id = ?", (feedback_id.bytes,)).fetchone()
    if row is None:
        return False
    record = _record(row)
    for name, value in changes.items():
        setattr(record, name, value)
    try:
        _check(record)
    except BadBodyError as error:
        raise BadBodyError(_REFUSED.format(error)) from None
    db.execute(_WRITE, _values(record))
    return True


def delete_feedback(db: apsw.Connection, feedback_id: UUID) -> bool:
    """Delete feedback; False if there is none."""
    db.execute("DELETE FROM feedback WHERE id = ?", (feedback_id.bytes,))
    return db.changes() > 0


def summaries_of(
    db: apsw.Connection, condition: str, values: tuple[Any, ...]
) -> dict[str, FeedbackSummary]:
    """Return what feedback comes to, by key.

    Args:
        db: The store.
        condition: Which: SQL of the program's own.
        values: Those bound in it.
    """
    # The condition is the program's own; its values are bound.
    sql = f"{_SELECT} WHERE {condition} ORDER BY created_us DESC, feedback.id DESC"
    return summaries(_record(row) for row in db.execute(sql, values))


def summaries(records: Iterable[FeedbackRecord]) -> dict[str, FeedbackSummary]:
    """Return what feedback comes to, by key.

    Args:
        records: The newest first.
    """
    by_key: dict[str, list[FeedbackRecord]] = {}
    for record in records:
        by_key.setdefault(record.key, []).append(record)
    return {key: _summary(some) for key, some in sorted(by_key.items())}


def _summary(records: list[FeedbackRecord]) -> FeedbackSummary:
    summary = FeedbackSummary(len(records))
    scores = [float(each.score) for each in records if each.score is not None]
    if scores:
        summary.average, summary.deviation = fmean(scores), pstdev(scores)
        summary.least, summary.most = min(scores), max(scores)
    for each in records:
        if each.value is not None:
            text = text_of(each.value)
            summary.values[text] = summary.values.get(text, 0) + 1
        if each.comment and len(summary.comments) < 10:
            summary.comments.append(each.comment)
        summary.errors += each.extra.get("error") is True
        kind = each.source.get("type")
        if isinstance(kind, str) and kind not in summary.sources:
            summary.sources.append(kind)
    return summary


def _told(feedback: Feedback) -> FeedbackRecord:
    """Return what is told as a record.

    Raises:
        BadBodyError: Something in it is not what it takes.
    """
    fields = {name: value for name, value in feedback.fields.items() if value is not None}
    received_us = now_us()
    record = FeedbackRecord(
        feedback.id,
        fields.get("key") or "",
        _id(fields, "run_id"),
        _id(fields, "trace_id"),
        _id(fields, "session_id"),
        fields.get("score"),
        fields.get("value"),
        fields.get("comment"),
        fields.get("correction"),
        fields.get("feedback_source", {}),
        {name: value for name, value in fields.items() if name not in _TOLD},
        _moment(fields, "created_at", received_us),
        _moment(fields, "modified_at", received_us),
    )
    _check(record)
    return record


# What a field is, as records and as clients call it, and what it takes.
_TAKEN: tuple[tuple[str, str, tuple[type, ...], str], ...] = (
    ("key", "key", (str,), "text"),
    ("comment", "comment", (str, NoneType), "text"),
    ("source", "feedback_source", (dict,), "an object"),
    ("extra", "extra", (dict,), "an object"),
)
# Of bigger ones neither the sum nor each whole number is a float.
_BIGGEST_SCORE = 2**53


def _check(record: FeedbackRecord) -> None:
    """Raise `BadBodyError` if a field has a value that it does not take."""
    for attribute, name, kinds, takes in _TAKEN:
        value = getattr(record, attribute)
        if not isinstance(value, kinds) or (name == "key" and not value):
            raise BadBodyError(f"its {name} is {shown(value)}, and takes {takes}.")
    score: Any = record.score
    if score is None or isinstance(score, bool):
        return
    if not isinstance(score, int | float) or not abs(score) <= _BIGGEST_SCORE:
        raise BadBodyError(
            f"its score is {shown(score)}, and takes a truth value, or a number up to 2 to the "
            "power of 53."
        )


def _id(fields: Mapping[str, Any], name: str) -> UUID | None:
    value = fields.get(name)
    if value is None:
        return None
    try:
        return value if isinstance(value, UUID) else identifier(value)
    except BadBodyError as error:
        raise BadBodyError(f"its {name} is refused: {error}") from None


def _moment(fields: Mapping[str, Any], name: str, otherwise: int) -> int:
    value = fields.get(name)
    return otherwise if value is None else microseconds(moment(value))


def _values(record: FeedbackRecord) -> tuple[Any, ...]:
    kind = record.source.get("type")
    return (
        record.id.bytes,
        record.key,
        sql_id(record.run_id),
        sql_id(record.trace_id),
        sql_id(record.project_id),
        None if record.score is None else float(record.score),
        _KINDS.index(type(record.score)) if type(record.score) in _KINDS else 0,
        None if record.value is None else json_text(record.value),
        None if record.value is None else text_of(record.value),
        record.comment,
        None if record.correction is None else json_text(record.correction),
        json_text(record.source),
        None if kind is None else str(kind).lower(),
        json_text(record.extra),
        record.created_us,
        record.modified_us,
    )


# Scores are kept as floats, and come back as what they were.
_KINDS: tuple[type, ...] = (float, bool, int)


def _record(row: tuple[Any, ...]) -> FeedbackRecord:
    feedback_id, key, run_id, trace_id, project_id, score, kind, value, comment = row[:9]
    correction, source, extra, created_us, modified_us = row[9:]
    return FeedbackRecord(
        UUID(bytes=feedback_id),
        key,
        id_or_none(run_id),
        id_or_none(trace_id),
        id_or_none(project_id),
        None if score is None else _KINDS[kind](score),
        None if value is None else json_of(value),
        comment,
        None if correction is None else json_of(correction),
        json_of(source),
        json_of(extra),
        created_us,
        modified_us,
    )
