"""What every test gives back as it found it."""

import pytest

from callboard.callbacks.surroundings import surround_with, surroundings


@pytest.fixture(autouse=True)
def _surroundings_as_before():
    """Let no tracing that a test turns on surround the tests after it."""
    before = surroundings()
    yield
    surround_with(before)
