"""Tracing that goes wrong: it is said once, what was accepted is counted, the program goes on."""

import errno
import os

import pytest

from callboard.callbacks import CallbackManager
from callboard.langsmith.exporters import default_exporter, set_default_exporter
from callboard.testing import RecordingHandler
from callboard.wire.operations import Attachment
from tests.integrations.receiver import Receiver, until

CALLS = 3


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    server = Receiver(tmp_path_factory.mktemp("receiver"))
    yield server
    server.kill()


@pytest.fixture
def tracing(environment, tmp_path, server):
    """Turns tracing on, with whatever else is told."""
    server.reset()

    def turn_on(**variables):
        told = {
            "LANGSMITH_TRACING": "true",
            "LANGSMITH_ENDPOINT": server.url,
            "CALLBOARD_SPOOL_DIR": str(tmp_path / "spool"),
        }
        environment(**told | variables)

    return turn_on


def the_program_goes_on(inputs=None):
    """Make calls, and see that a handler hears them all."""
    recorder = RecordingHandler()
    for _ in range(CALLS):
        run = CallbackManager.configure([recorder]).on_chain_start({}, inputs or {})
        run.on_chain_end({})
    assert recorder.events == ["on_chain_start", "on_chain_end"] * CALLS


def counted():
    return default_exporter().counters


def said(caplog, *words):
    """Return how many records have all of the words."""
    return sum(all(word in each for word in words) for each in caplog.messages)


@pytest.mark.parametrize("endpoint", ["localhost:1984", "file:///tmp", "http://:80"])
def test_an_endpoint_that_is_no_url(tracing, caplog, endpoint):
    tracing(LANGSMITH_ENDPOINT=endpoint)
    the_program_goes_on()
    assert said(caplog, "nothing can be sent", endpoint) == len(caplog.records) == 1
    assert counted().dropped == counted().emitted >= CALLS


@pytest.mark.parametrize(
    ("key", "words"),
    [("", "An API key is needed, and none was given"), ("wrong", "The API key was refused")],
)
def test_a_key_that_is_missing_or_refused(tracing, server, caplog, key, words):
    server.tell(key="right")
    tracing(LANGSMITH_API_KEY=key)
    the_program_goes_on()
    assert default_exporter().flush(10)
    the_program_goes_on()
    assert default_exporter().flush(10)
    assert said(caplog, words, "LANGSMITH_API_KEY is what to set") == 1
    assert said(caplog, "wrong") == 0
    assert counted().spooled == counted().emitted >= 2 * CALLS
    assert counted().dropped == 0


class Unserialisable:
    def __repr__(self):
        raise RuntimeError("no repr")

    def __reduce__(self):
        raise RuntimeError("no pickle")


def test_values_that_have_no_form(tracing, caplog):
    tracing()
    the_program_goes_on({"value": Unserialisable(), "fine": 1})
    assert default_exporter().flush(10)
    until(lambda: counted().sent == counted().emitted >= CALLS)
    assert caplog.records == []


def test_an_operation_that_has_no_form(tracing, caplog):
    tracing()
    recording = CallbackManager.configure()
    the_program_goes_on()
    [tracer] = recording.handlers
    tracer._new_attachments = lambda run: {"film": Attachment("video/mp4", 17)}
    recording.on_chain_start({}, {}, attachments={"film": ("video/mp4", b"...")})
    the_program_goes_on()
    assert default_exporter().flush(10)
    assert said(caplog, "can't be encoded") == 1
    counts = counted()
    assert counts.dropped >= 1
    assert counts.emitted == counts.sent + counts.dropped


def test_a_disk_that_is_full(tracing, caplog, monkeypatch):
    tracing(LANGSMITH_ENDPOINT="http://127.0.0.1:9")

    def full(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(os, "write", full)
        the_program_goes_on()
        assert not default_exporter().flush(0.2)
        the_program_goes_on()
        default_exporter().shutdown(0.2)
    assert said(caplog, "can't be used: No space left on device") == 1
    assert said(caplog, "Operations were dropped") == 1
    assert counted().dropped == counted().emitted >= CALLS


def test_a_spool_that_is_no_directory(tracing, caplog, tmp_path):
    (tmp_path / "file").write_text("mine")
    tracing(LANGSMITH_ENDPOINT="http://127.0.0.1:9", CALLBOARD_SPOOL_DIR=str(tmp_path / "file"))
    the_program_goes_on()
    default_exporter().flush(0.2)
    default_exporter().shutdown(0.2)
    assert said(caplog, "The spool", "can't be used") == 1
    assert counted().dropped == counted().emitted >= CALLS
    assert (tmp_path / "file").read_text() == "mine"


def test_a_spool_of_a_newer_version(tracing, caplog, tmp_path):
    tracing(LANGSMITH_ENDPOINT="http://127.0.0.1:9")
    the_program_goes_on()
    default_exporter().shutdown(5)
    [segment] = (tmp_path / "spool").rglob("*.segment")
    segment.write_bytes(b"callboard spool 2\nwho knows")
    set_default_exporter(None)
    caplog.clear()
    the_program_goes_on()
    default_exporter().shutdown(5)
    assert counted().spooled == counted().emitted >= CALLS
    assert said(caplog, "another version of Callboard") == 1
    assert segment.read_bytes() == b"callboard spool 2\nwho knows"
