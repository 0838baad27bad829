"""What goes into a store and what comes out of it, whichever store it is.

Times are whole microseconds since 1970 in UTC, latencies seconds, costs US dollars. Big fields
(`PAYLOADS`) are bytes: the JSON that the client sent, untouched.
"""

from callboard.prices import Cost, Tokens
from callboard.store.records.feedback import FeedbackQuery, FeedbackRecord
from callboard.store.records.projects import Project, ProjectQuery
from callboard.store.records.queries import Page, RunQuery
from callboard.store.records.runs import (
    PAYLOADS,
    Field,
    Outline,
    Rejection,
    RunRecord,
    Share,
    Status,
)
from callboard.store.records.summaries import FeedbackSummary, GroupKey, RunStatistics, ThreadRecord

__all__ = [
    "PAYLOADS",
    "Cost",
    "FeedbackQuery",
    "FeedbackRecord",
    "FeedbackSummary",
    "Field",
    "GroupKey",
    "Outline",
    "Page",
    "Project",
    "ProjectQuery",
    "Rejection",
    "RunQuery",
    "RunRecord",
    "RunStatistics",
    "Share",
    "Status",
    "ThreadRecord",
    "Tokens",
]
