"""The first query API: what is below ``/runs``, ``/sessions`` and ``/feedback``."""

from callboard.server.v1 import (
    attachments,
    datasets,
    feedback,
    feedback_configs,
    feedback_tokens,
    projects,
    runs,
    shares,
    workspace,
)

__all__ = ["ROUTES"]

# What has a fixed path comes before what has a name in the same place.
ROUTES = [
    *shares.ROUTES,
    *attachments.ROUTES,
    *runs.ROUTES,
    *projects.ROUTES,
    *feedback_tokens.ROUTES,
    *feedback.ROUTES,
    *feedback_configs.ROUTES,
    *datasets.ROUTES,
    *workspace.ROUTES,
]
