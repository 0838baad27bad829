"""What the tests of stores are made of: operations as they come over the wire."""

from __future__ import annotations

from uuid import UUID

from callboard.clock import moment_at
from callboard.query import RunFacts
from callboard.store.records import PAYLOADS, FeedbackQuery, RunQuery
from callboard.wire import json
from callboard.wire.heads import checked
from callboard.wire.operations import Attachment, Feedback, Operation

_FIRST = 0x7 << 76
START_US = 1_795_255_200_000_000  # 2026-11-21T10:00:00Z


def at(seconds):
    return moment_at(START_US + round(seconds * 1e6)).isoformat()


def place(*path):
    """The dotted order of the last run of a path of numbers, each started that many seconds in."""
    return ".".join(f"{moment_at(START_US + n * 10**6):%Y%m%dT%H%M%S%fZ}{run(n)}" for n in path)


def run(number):
    return UUID(int=_FIRST + number)


def told(kind, number, *, files=None, **fields):
    """An operation; fields that are parts are encoded, others are its head."""
    names = ("inputs", "outputs", "events", "extra", "error", "serialized")
    parts = {name: json.encode(fields.pop(name)) for name in names if name in fields}
    head = {
        name: str(value) if isinstance(value, UUID) else value for name, value in fields.items()
    }
    attachments = {name: Attachment(*each) for name, each in (files or {}).items()}
    return Operation(kind, run(number), checked(head, run(number)), parts, attachments)


def created(number, *path, **fields):
    """The create of a run that is under a path of numbers in its trace."""
    usual = {
        "name": f"run {number}",
        "run_type": "chain",
        "start_time": at(number),
        "session_name": "tests",
        "dotted_order": place(*path, number),
    }
    return told("create", number, **(usual | fields))


def ended(number, seconds=1.0, **fields):
    return told("update", number, **({"end_time": at(number + seconds)} | fields))


def said(number, key="good", run_number=None, **fields):
    about = {} if run_number is None else {"run_id": str(run(run_number))}
    return Feedback(run(number), {"id": str(run(number)), "key": key, **about, **fields})


def numbers(items):
    """Which runs these are, by the numbers that they were made from."""
    return [each.id.int - _FIRST for each in items]


ALL = frozenset({*PAYLOADS, "attachments", "feedback", "subtree"})


def whole(store, run_number):
    return store.read_run(run(run_number), ALL)


def listed(store, **query):
    return numbers(store.find_runs(RunQuery(**query)).items)


def pages(store, **query):
    """All items of a list, page by page."""
    found, cursor = [], None
    while True:
        page = store.find_runs(RunQuery(**query, cursor=cursor))
        found += page.items
        cursor = page.next
        if cursor is None:
            return found


def facts(store, record, orders):
    """What the law of filters asks of a run, from what the store says of it."""
    read = {name: json.decode(data) for name, data in record.payloads.items()}
    tokens, cost = record.subtree_tokens, record.subtree_cost
    fields = {
        "id": record.id,
        "name": record.name,
        "run_type": record.run_type,
        "status": record.status,
        "error": read.get("error") or None,
        "start_time": _moment(record.start_us),
        "end_time": _moment(record.end_us),
        "latency": record.latency,
        "first_token_time": _moment(record.first_token_us),
        "is_root": record.is_root,
        "execution_order": orders.get(record.id),
        "trace_id": record.trace_id,
        "parent_run_id": record.parent_run_id,
        "session_id": record.project_id,
        "thread_id": record.thread_id,
        "reference_example_id": record.reference_example_id,
    }
    for side in ("total", "prompt", "completion"):
        fields[f"{side}_tokens"] = None if tokens is None else getattr(tokens, side)
        fields[f"{side}_cost"] = None if cost is None else getattr(cost, side)
    given = store.find_feedback(FeedbackQuery(run_ids=[record.id]))
    return RunFacts(
        fields,
        tags=record.tags,
        metadata=record.metadata,
        feedback=[
            {
                "key": each.key,
                "score": each.score,
                "value": each.value,
                "source": each.source.get("type"),
                "comment": each.comment,
            }
            for each in given
        ],
        inputs=read.get("inputs"),
        outputs=read.get("outputs"),
    )


def _moment(microseconds):
    return None if microseconds is None else moment_at(microseconds)
