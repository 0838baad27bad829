"""What these tests leave behind: a current span of OpenTelemetry's, and a client of Sentry's."""

import sys

import pytest


@pytest.fixture(autouse=True)
def _current_span_as_before():
    """Put back what was the current span, whatever runs a test has begun and not ended."""
    context = pytest.importorskip("opentelemetry.context")
    token = context.attach(context.Context())
    yield
    token.var.reset(token)


@pytest.fixture(autouse=True)
def _no_sentry_client():
    """Take back the client that a test has set up for all threads."""
    yield
    if sentry := sys.modules.get("sentry_sdk"):
        sentry.get_global_scope().set_client(None)
