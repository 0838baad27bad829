"""Each test of the LangSmith tracer leaves the process as it was."""

import os

import pytest

from callboard.callbacks.surroundings import Surroundings, surround_with
from callboard.environment import reload_environment
from callboard.langsmith import exporters, settings


@pytest.fixture(autouse=True)
def _nothing_is_left_behind(monkeypatch):
    for name in os.environ:
        if name.startswith(("LANGSMITH_", "LANGCHAIN_", "CALLBOARD_")):
            monkeypatch.delenv(name)
    reload_environment()
    settings._warn_of_rate.cache_clear()
    settings._complain_of_redaction.cache_clear()
    around = surround_with(Surroundings())
    exporter = exporters.set_default_exporter(None)
    yield
    made = exporters.set_default_exporter(exporter)
    if hasattr(made, "shutdown"):
        made.shutdown(5)
    surround_with(around)
    monkeypatch.undo()
    reload_environment()
    settings._warn_of_rate.cache_clear()
    settings._complain_of_redaction.cache_clear()


@pytest.fixture
def environment(monkeypatch):
    """Sets variables, and has them read."""

    def set_variables(**variables):
        for name, value in variables.items():
            monkeypatch.setenv(name, value)
        reload_environment()

    return set_variables
