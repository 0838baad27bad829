"""The process's exporter, and what becomes of tracing that can't be done."""

import pytest

from callboard.callbacks import CallbackManager
from callboard.errors import MissingExtraError
from callboard.export import Exporter
from callboard.langsmith import exporters
from callboard.langsmith.exporters import Nowhere, default_exporter, set_default_exporter
from callboard.testing import RecordingHandler


def traced_calls(number):
    """Make calls that the environment asks to be traced, and return what a handler heard."""
    recorder = RecordingHandler()
    for _ in range(number):
        CallbackManager.configure([recorder]).on_chain_start({}, {}).on_chain_end({})
    return recorder.events


@pytest.mark.parametrize("endpoint", ["not a url", "ftp://127.0.0.1", "http://"])
def test_an_endpoint_that_is_no_url_is_said_once_and_harms_nobody(environment, caplog, endpoint):
    environment(LANGSMITH_TRACING="true", LANGSMITH_ENDPOINT=endpoint)
    assert traced_calls(3) == ["on_chain_start", "on_chain_end"] * 3
    [record] = caplog.records
    assert "Tracing is on, but nothing can be sent" in record.getMessage()
    assert endpoint in record.getMessage()
    assert default_exporter().flush(0)


def test_a_missing_extra_is_said_once_and_harms_nobody(environment, caplog, monkeypatch):
    def missing(*_, **__):
        raise MissingExtraError("urllib3 is not installed: pip install 'callboard[export]'.")

    monkeypatch.setattr(exporters, "HttpSink", missing)
    environment(LANGSMITH_TRACING="true")
    assert traced_calls(2) == ["on_chain_start", "on_chain_end"] * 2
    assert isinstance(default_exporter(), Nowhere)
    [record] = caplog.records
    assert "pip install 'callboard[export]'" in record.getMessage()


def test_there_is_one_exporter_until_another_is_set(environment, tmp_path):
    environment(CALLBOARD_SPOOL_DIR=str(tmp_path), LANGSMITH_ENDPOINT="http://127.0.0.1:9")
    first = default_exporter()
    assert isinstance(first, Exporter)
    assert default_exporter() is first
    assert set_default_exporter(None) is first
    assert default_exporter() is not first
    assert first.shutdown(1)


@pytest.mark.parametrize(
    ("variables", "headers"),
    [({"LANGSMITH_WORKSPACE_ID": "w1"}, {"X-Tenant-Id": "w1"}), ({}, {})],
)
def test_the_workspace_is_told_with_every_request(environment, variables, headers):
    environment(CALLBOARD_SPOOL_DIR="", LANGSMITH_ENDPOINT="http://127.0.0.1:9", **variables)
    told = default_exporter()._sink._headers
    assert {name: told[name] for name in told if name.startswith("X-")} == headers


def test_the_spool_is_where_the_environment_says(environment, tmp_path):
    environment(
        CALLBOARD_SPOOL_DIR=str(tmp_path / "spool"), LANGSMITH_ENDPOINT="http://127.0.0.1:9"
    )
    assert str(default_exporter()._spool.directory) == str(tmp_path / "spool")


def test_an_empty_spool_directory_means_none(environment):
    environment(CALLBOARD_SPOOL_DIR="", LANGSMITH_ENDPOINT="http://127.0.0.1:9")
    assert default_exporter()._spool is None
