"""Sentry: runs that fail as events, and all runs as spans of its AI agent monitoring."""

from __future__ import annotations

from callboard.integrations.extras import load

load("sentry_sdk", "sentry-sdk", "sentry")

from callboard.integrations.sentry.handler import (  # noqa: E402 - what is missing comes first
    SentryCallbackHandler,
)

__all__ = ["SentryCallbackHandler"]
