"""Alerts: messages when too much fails, takes too long, costs too much or is judged badly.

Rules say what of which runs is watched, channels where messages go; the handler keeps to both::

    AlertCallbackHandler(
        [ErrorRate(above=0.1, root_only=True), Cost(above=20)],
        Slack("https://hooks.slack.com/services/..."),
    )
"""

from __future__ import annotations

from callboard.integrations.alerts.alert import Alert, Example
from callboard.integrations.alerts.channels import Channel, Function, Slack, Webhook
from callboard.integrations.alerts.courier import Deliveries
from callboard.integrations.alerts.handler import AlertCallbackHandler
from callboard.integrations.alerts.rules import (
    Cost,
    ErrorCount,
    ErrorRate,
    FeedbackScore,
    Latency,
    Rule,
    RunCost,
    TimeToFirstToken,
)

__all__ = [
    "Alert",
    "AlertCallbackHandler",
    "Channel",
    "Cost",
    "Deliveries",
    "ErrorCount",
    "ErrorRate",
    "Example",
    "FeedbackScore",
    "Function",
    "Latency",
    "Rule",
    "RunCost",
    "Slack",
    "TimeToFirstToken",
    "Webhook",
]
