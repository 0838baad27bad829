"""The process's exporter, and what becomes of tracing that can't be done."""

import pytest

from callboard.callbacks import CallbackManager
from callboard.errors import BadOptionError, MissingExtraError
from callboard.export import Exporter, MemorySink, register_sink
from callboard.export.sinks import schemes
from callboard.langsmith import exporters, servers, settings
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

    monkeypatch.setattr(exporters, "open_sink", missing)
    environment(LANGSMITH_TRACING="true")
    assert traced_calls(2) == ["on_chain_start", "on_chain_end"] * 2
    assert isinstance(default_exporter(), Nowhere)
    assert repr(default_exporter()) == f"<Nowhere: {default_exporter().counters}>"
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
    assert default_exporter()._spool.directory.parent == tmp_path / "spool"
    assert not (tmp_path / "spool").exists()  # It is made when it is needed.


def test_what_is_spooled_for_one_destination_is_never_sent_to_another(environment, tmp_path):
    """Not to another server, workspace or account, whoever comes next on this machine."""
    directories = set()
    for variables in (
        {"LANGSMITH_ENDPOINT": "http://127.0.0.1:9"},
        {"LANGSMITH_ENDPOINT": "http://127.0.0.1:10"},
        {"LANGSMITH_API_KEY": "secret-one"},
        {"LANGSMITH_API_KEY": "secret-two"},
        {"LANGSMITH_WORKSPACE_ID": "w1"},
    ):
        environment(CALLBOARD_SPOOL_DIR=str(tmp_path), **variables)
        directories.add(default_exporter()._spool.directory)
        set_default_exporter(None).shutdown(1)
    assert len(directories) == 5
    assert "secret" not in str(directories)


class Counting(MemorySink):
    def __init__(self, endpoint, api_key=None, *, headers=None):
        super().__init__()
        self.told = (endpoint, api_key, headers)


def test_an_endpoint_may_mean_a_sink_of_ones_own(environment):
    register_sink("memo1", Counting)
    environment(
        LANGSMITH_TRACING="true",
        LANGSMITH_ENDPOINT="memo1:///here?x=1",
        LANGSMITH_API_KEY="the key",
        CALLBOARD_SPOOL_DIR="",
    )
    traced_calls(1)
    assert default_exporter().flush(5)
    sink = default_exporter()._sink
    assert sink.told == ("memo1:///here?x=1", "the key", None)
    assert [each.kind for each in sink.operations] == ["create"]


@pytest.mark.parametrize("endpoint", ["file:///tmp/callboard.db", "callboard:///", "FILE:///x"])
def test_a_local_file_needs_a_part_that_may_be_missing(environment, caplog, monkeypatch, endpoint):
    monkeypatch.setattr(schemes, "find_spec", lambda name: None)
    environment(LANGSMITH_TRACING="true", LANGSMITH_ENDPOINT=endpoint)
    assert traced_calls(2) == ["on_chain_start", "on_chain_end"] * 2
    [record] = caplog.records
    assert endpoint in record.getMessage()
    assert "pip install 'callboard[server]'" in record.getMessage()


@pytest.mark.parametrize("scheme", ["", "A", "a-b", "a:", "\u00e9"])
def test_what_is_no_scheme_is_refused(scheme):
    with pytest.raises(BadOptionError, match="small letters"):
        register_sink(scheme, Counting)


def test_an_empty_spool_directory_means_none(environment):
    environment(CALLBOARD_SPOOL_DIR="", LANGSMITH_ENDPOINT="http://127.0.0.1:9")
    assert default_exporter()._spool is None


def test_an_environment_that_is_read_again_names_another_server(environment, tmp_path):
    environment(CALLBOARD_SPOOL_DIR=str(tmp_path), LANGSMITH_ENDPOINT="http://127.0.0.1:9")
    first = default_exporter()
    environment(LANGSMITH_ENDPOINT="http://127.0.0.1:9/other", CALLBOARD_REDACT="emails")
    second = default_exporter()
    assert "/other" in repr(second)
    assert isinstance(second, Exporter)
    assert second.redaction is settings.redaction()
    environment(LANGSMITH_ENDPOINT="http://127.0.0.1:9", CALLBOARD_REDACT="")
    assert default_exporter() is first
    assert isinstance(first, Exporter)
    assert first.redaction is None
    assert first.shutdown(1)
    assert second.shutdown(1)


def test_an_exporter_that_is_put_back_is_still_the_environments(environment, tmp_path):
    environment(CALLBOARD_SPOOL_DIR=str(tmp_path), LANGSMITH_ENDPOINT="http://127.0.0.1:9")
    first = default_exporter()
    before = set_default_exporter(Exporter(MemorySink()))
    assert before is first
    other = set_default_exporter(before)
    assert default_exporter() is first
    environment(LANGSMITH_ENDPOINT="http://127.0.0.1:9/other")
    assert default_exporter() not in (first, other)


@pytest.mark.parametrize("key", ["se\ncret", "secret\N{HORIZONTAL ELLIPSIS}", "secr\u0435t"])
def test_a_key_that_can_not_be_sent_is_said_once_and_not_shown(environment, caplog, key):
    environment(LANGSMITH_TRACING="true", LANGSMITH_ENDPOINT="http://127.0.0.1:9")
    environment(LANGSMITH_API_KEY=key)
    assert traced_calls(2) == ["on_chain_start", "on_chain_end"] * 2
    [record] = caplog.records
    assert "The API key has a line break or a character in it" in record.getMessage()
    assert "secr" not in caplog.text
    assert "cret" not in caplog.text
    assert default_exporter().counters.dropped == 4


def test_a_host_that_can_not_be_is_said_once_and_harms_nobody(environment, caplog):
    environment(LANGSMITH_TRACING="true", LANGSMITH_ENDPOINT=f"http://{'ü' * 80}.example")
    assert traced_calls(2) == ["on_chain_start", "on_chain_end"] * 2
    [record] = caplog.records
    assert "it takes an http or https URL" in record.getMessage()


def test_without_a_home_directory_there_is_no_spool_and_runs_are_sent(environment, caplog):
    environment(LANGSMITH_TRACING="true", LANGSMITH_ENDPOINT="http://127.0.0.1:9")
    environment(CALLBOARD_SPOOL_DIR="~nobody-of-that-name/spool")
    assert traced_calls(2) == ["on_chain_start", "on_chain_end"] * 2
    exporter = default_exporter()
    assert exporter.counters.emitted == 2
    assert "What can't be sent will wait in memory only." in caplog.records[0].getMessage()
    exporter.shutdown(0)


def test_the_server_of_a_replica_follows_the_environment_too(environment, monkeypatch):
    monkeypatch.setattr(servers, "_exporters", {})
    environment(CALLBOARD_SPOOL_DIR="", LANGSMITH_ENDPOINT="http://127.0.0.1:9")
    replica = servers.Server(api_key="another")
    first = servers.exporter_to(replica)
    environment(CALLBOARD_REDACT="emails")
    assert servers.exporter_to(replica) is first
    assert isinstance(first, Exporter)
    assert first.redaction is settings.redaction() is not None
    environment(LANGSMITH_ENDPOINT="http://127.0.0.1:9/other")
    assert "/other" in repr(servers.exporter_to(replica))
