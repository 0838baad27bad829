"""What every test gives back as it found it."""

import pytest

from callboard.callbacks.surroundings import surround_with, surroundings
from callboard.environment import reload_environment


@pytest.fixture(autouse=True)
def _tracing_as_before():
    """Let no tracing that a test turns on surround the tests after it."""
    before = surroundings()
    yield
    reload_environment()
    surround_with(before)
