"""Columns: what clients call each thing that a run has, and how it is read from the record.

Each API version has a table of its own names (`callboard.server.v1.run_columns` and
`callboard.server.v2.run_columns`); what they have in common is here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple
from urllib.parse import quote
from uuid import UUID

import orjson

from callboard.clock import moment_at
from callboard.store.records import Cost, FeedbackSummary, Field, RunRecord, Tokens
from callboard.wire.orders import places

__all__ = [
    "NOTHING",
    "Column",
    "Origin",
    "ancestors",
    "app_path",
    "attachment_path",
    "cost_of",
    "feedback_shown",
    "fields_of",
    "moment_shown",
    "payload",
    "row",
    "tokens_of",
    "told",
]

_NO_TOKENS = Tokens()
_NO_COST = Cost()


@dataclass(frozen=True, slots=True)
class Origin:
    """Where links point.

    Attributes:
        tenant_id: The workspace, which is part of paths.
        url: The server's own URL, as the client sees it, without a slash at its end.
    """

    tenant_id: UUID
    url: str


class Column(NamedTuple):
    """One thing that a client can select.

    Attributes:
        read: Returns it as it is in JSON.
        needs: What of the record must be read for it.
    """

    read: Callable[[RunRecord, Origin], Any]
    needs: tuple[Field, ...] = ()


def told(read: Callable[[RunRecord], Any], needs: tuple[Field, ...] = ()) -> Column:
    """Return a column that is read of the run alone, and has no link in it.

    Args:
        read: Returns it as it is in JSON.
        needs: What of the record must be read for it.
    """

    def read_unlinked(run: RunRecord, _origin: Origin) -> Any:
        return read(run)

    return Column(read_unlinked, needs)


NOTHING = told(lambda _run: None)
"""What LangSmith has and this server has nothing to say of."""


def fields_of(table: Mapping[str, Column], names: Iterable[str]) -> frozenset[Field]:
    """Return what must be read of runs for some columns."""
    return frozenset(field for name in names for field in table[name].needs)


def row(
    table: Mapping[str, Column], names: Iterable[str], run: RunRecord, origin: Origin
) -> dict[str, Any]:
    """Return a run as JSON has it, with some columns."""
    return {name: table[name].read(run, origin) for name in names}


def moment_shown(microseconds: int | None) -> str | None:
    """Return a moment as ISO text in UTC, to the microsecond."""
    if microseconds is None:
        return None
    return moment_at(microseconds).isoformat(timespec="microseconds")


def payload(name: Field) -> Column:
    """Return the column of a big field: JSON as it came, which is not parsed again."""

    def read(run: RunRecord) -> Any:
        data = run.payloads.get(name)
        return None if data is None else orjson.Fragment(data)

    return told(read, (name,))


def ancestors(run: RunRecord) -> list[str]:
    """Return the ids of a run's ancestors, the outermost first."""
    if run.dotted_order is not None:
        return [str(place) for place in places(run.dotted_order)[:-1]]
    return [] if run.parent_run_id is None else [str(run.parent_run_id)]


def tokens_of(run: RunRecord) -> Tokens:
    """Return the tokens of the models inside a run; its own if it is one itself."""
    return run.subtree_tokens or run.tokens or _NO_TOKENS


def cost_of(run: RunRecord) -> Cost:
    """Return what the models inside a run cost; its own if it is one itself."""
    return run.subtree_cost or run.cost or _NO_COST


def feedback_shown(feedback: Mapping[str, FeedbackSummary]) -> dict[str, Any] | None:
    """Return the feedback of a run by key, as statistics."""
    if not feedback:
        return None
    return {
        key: {
            "n": summary.count,
            "avg": summary.average,
            "stdev": summary.deviation,
            "min": summary.least,
            "max": summary.most,
            "values": summary.values,
            "comments": summary.comments,
            "errors": summary.errors,
            "sources": summary.sources,
        }
        for key, summary in feedback.items()
    }


def app_path(run: RunRecord, origin: Origin) -> str | None:
    """Return where the web UI shows a run, as a path (LangSmith protocol: UI URLs)."""
    if run.project_id is None:
        return None
    return f"/o/{origin.tenant_id}/projects/p/{run.project_id}/r/{run.id}"


def attachment_path(run: RunRecord, name: str) -> str:
    """Return where a file of a run is, as a path below the API's."""
    return f"/runs/{run.id}/attachments/{quote(name, safe='')}"
