"""Each test speaks LangChain's dialect, sends nowhere, and leaves the process as it was."""

import os

import pytest
from langsmith import run_trees

import callboard.langchain.client  # noqa: F401 - has the SDK read the environment again, too
from callboard.callbacks.surroundings import surround_with
from callboard.environment import reload_environment
from callboard.export import Exporter, MemorySink
from callboard.langchain.dialect import LANGCHAIN
from callboard.langchain.surroundings import LangChainSurroundings
from callboard.langsmith import exporters, servers
from callboard.tracing.dialect import speak


@pytest.fixture(autouse=True)
def _as_if_installed(monkeypatch):
    for name in os.environ:
        if name.startswith(("LANGSMITH_", "LANGCHAIN_", "CALLBOARD_")):
            monkeypatch.delenv(name)
    monkeypatch.setenv("LANGSMITH_API_KEY", "any")
    monkeypatch.setenv("LANGSMITH_ENDPOINT", "http://127.0.0.1:9")
    monkeypatch.setattr(run_trees, "_CLIENT", None)
    monkeypatch.setattr(servers, "_exporters", {})
    reload_environment()
    around, spoken = surround_with(LangChainSurroundings()), speak(LANGCHAIN)
    yield
    speak(spoken)
    surround_with(around)
    monkeypatch.undo()
    reload_environment()


@pytest.fixture
def environment(monkeypatch):
    """Sets variables, and has them read."""

    def set_variables(**variables):
        for name, value in variables.items():
            monkeypatch.setenv(name, value)
        reload_environment()

    return set_variables


@pytest.fixture(autouse=True)
def sink():
    """Where the process's exporter sends."""
    sink = MemorySink()
    before = exporters.set_default_exporter(Exporter(sink))
    yield sink
    exporters.set_default_exporter(before).shutdown(5)
