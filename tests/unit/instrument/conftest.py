"""Each test of what is traced leaves the process as it was."""

import os

import pytest

from callboard.callbacks.surroundings import Surroundings, surround_with
from callboard.environment import reload_environment
from callboard.langsmith import exporters
from tests.unit.instrument.keeping import Kept
from tests.unit.langsmith.sending import Recording


@pytest.fixture(autouse=True)
def _nothing_is_left_behind(monkeypatch):
    for name in os.environ:
        if name.startswith(("LANGSMITH_", "LANGCHAIN_", "CALLBOARD_")):
            monkeypatch.delenv(name)
    reload_environment()
    around = surround_with(Surroundings())
    exporter = exporters.set_default_exporter(None)
    yield
    exporters.set_default_exporter(exporter)
    surround_with(around)
    monkeypatch.undo()
    reload_environment()


@pytest.fixture
def kept():
    return Kept()


@pytest.fixture
def sent():
    """What the process's exporter is sent."""
    recording = Recording()
    exporters.set_default_exporter(recording)
    return recording
