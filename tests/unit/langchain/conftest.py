"""Each test speaks LangChain's dialect, sends nowhere, and leaves the process as it was."""

import os

import pytest
from langsmith import run_trees, utils

from callboard.callbacks.surroundings import surround_with
from callboard.environment import reload_environment
from callboard.export import Exporter, MemorySink
from callboard.langchain import client as clients
from callboard.langchain.dialect import LANGCHAIN
from callboard.langchain.surroundings import LangChainSurroundings
from callboard.langsmith import exporters, servers
from callboard.tracing.dialect import speak


def _reload():
    reload_environment()
    utils.get_env_var.cache_clear()
    utils.get_tracer_project.cache_clear()
    clients.exporter_client.cache_clear()


@pytest.fixture(autouse=True)
def _as_if_installed(monkeypatch):
    for name in os.environ:
        if name.startswith(("LANGSMITH_", "LANGCHAIN_", "CALLBOARD_")):
            monkeypatch.delenv(name)
    monkeypatch.setenv("LANGSMITH_API_KEY", "any")
    monkeypatch.setenv("LANGSMITH_ENDPOINT", "http://127.0.0.1:9")
    monkeypatch.setattr(run_trees, "_CLIENT", None)
    monkeypatch.setattr(servers, "_exporters", {})
    _reload()
    around, spoken = surround_with(LangChainSurroundings()), speak(LANGCHAIN)
    yield
    speak(spoken)
    surround_with(around)
    monkeypatch.undo()
    _reload()


@pytest.fixture
def environment(monkeypatch):
    """Sets variables, and has them read."""

    def set_variables(**variables):
        for name, value in variables.items():
            monkeypatch.setenv(name, value)
        _reload()

    return set_variables


@pytest.fixture(autouse=True)
def sink():
    """Where the process's exporter sends."""
    sink = MemorySink()
    before = exporters.set_default_exporter(Exporter(sink))
    yield sink
    exporters.set_default_exporter(before).shutdown(5)
