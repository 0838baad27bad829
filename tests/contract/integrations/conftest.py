"""Rows made into platforms, and what the tests of them leave behind."""

import sys

import pytest

from tests.contract.integrations.platforms import Big


@pytest.fixture(autouse=True)
def _current_span_as_before():
    """Put back what was the current span: runs that never end stay OpenTelemetry's current one."""
    context = pytest.importorskip("opentelemetry.context")
    token = context.attach(context.Context())
    yield
    token.var.reset(token)


@pytest.fixture(scope="module")
def _begun():
    """Holds the big platforms whose clients have begun what they end once, after the module."""
    begun = set()
    yield begun
    for platform in begun:
        platform.finish()


@pytest.fixture
def make(request, _begun):
    """Return what makes the platform of a row, which is released when the test is over."""
    # Here, before the test begins: what the client logs meanwhile is not the handler's.
    if isinstance(request.param, Big):
        request.param.prepare()
        _begun.add(request.param)
    made = []

    def start(**options):
        made.append(request.param(**options))
        return made[-1]

    yield start
    for platform in made:
        platform.release()


@pytest.fixture(autouse=True)
def _no_sentry_client():
    """End the client that a test has set up for all threads."""
    yield
    if "sentry_sdk" in sys.modules:
        from tests.unit.integrations.sentry_transport import close_client

        close_client()
