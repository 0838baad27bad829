from __future__ import annotations

import json
import sys

import pytest

from callboard.errors import (
    BadOptionError,
    BatchRejectedError,
    BatchTooLargeError,
    KeyRefusedError,
    MissingExtraError,
    SinkUnavailableError,
)
from callboard.export import HttpSink
from callboard.export.sinks.address import Address
from callboard.export.sinks.base import Limits
from callboard.export.sinks.server import ProgressOffer, Server
from callboard.export.sinks.verdict import verdict_on


@pytest.mark.parametrize(
    ("endpoint", "origin", "path"),
    [
        ("http://h", "http://h", "/runs/batch"),
        ("http://h/", "http://h", "/runs/batch"),
        ("https://h:8/api", "https://h:8", "/api/runs/batch"),
        ("http://h/api/v1/", "http://h", "/api/v1/runs/batch"),
        ("http://[::1]:1984", "http://[::1]:1984", "/runs/batch"),
    ],
)
def test_endpoints_are_taken_as_users_write_them(endpoint, origin, path):
    address = Address(endpoint)
    assert (address.origin, address.path("/runs/batch")) == (origin, path)


@pytest.mark.parametrize(
    "endpoint",
    ["", "localhost:1984", "ftp://h", "http://", "http://h:port", "http://h h", None, 7],
)
def test_an_endpoint_that_is_no_url_is_said_at_once(endpoint):
    with pytest.raises(BadOptionError, match="takes an http or https URL") as raised:
        HttpSink(endpoint)
    assert repr(endpoint) in str(raised.value)


def test_an_endpoint_with_a_password_is_refused_without_showing_it():
    with pytest.raises(BadOptionError) as raised:
        HttpSink("https://me:secret@h")
    assert "secret" not in str(raised.value)


def test_without_urllib3_the_error_says_what_to_type(monkeypatch):
    monkeypatch.setitem(sys.modules, "urllib3", None)
    with pytest.raises(MissingExtraError, match=r"pip install 'callboard\[export\]'"):
        HttpSink("http://h")


def test_a_key_is_never_shown():
    assert "secret" not in repr(HttpSink("http://h", "secret"))


@pytest.mark.parametrize(
    "info", [None, [], "x", {"batch_ingest_config": 7}, {"instance_flags": []}]
)
def test_a_server_that_says_nothing_sensible_gets_the_defaults(info):
    assert Server.from_info(info) == Server()


def test_what_a_server_says_counts():
    info = {
        "batch_ingest_config": {
            "use_multipart_endpoint": False,
            "size_limit": 7,
            "size_limit_bytes": -1,
        },
        "instance_flags": {"zstd_compression_enabled": True},
        "callboard": {"version": "0.1.0", "progress": {"path": "/live/x", "interval_ms": 250}},
    }
    assert Server.from_info(info) == Server(False, True, Limits(7), ProgressOffer("/live/x", 0.25))


@pytest.mark.parametrize(
    "path", [None, 7, "", "live", "//elsewhere", "/../x", "http://elsewhere/x", "/x?y", "/x\n", "/"]
)
def test_progress_goes_to_no_path_that_is_none(path):
    said = {"callboard": {"progress": {"path": path}}}
    assert Server.from_info(said).progress is None


@pytest.mark.parametrize("interval", [None, "100", 0, -5, 10**9, 1.5])
def test_an_interval_that_makes_no_sense_is_the_usual_one(interval):
    said = {"callboard": {"progress": {"path": "/live/progress", "interval_ms": interval}}}
    assert Server.from_info(said).progress == ProgressOffer("/live/progress", 0.1)


@pytest.mark.parametrize(
    ("status", "error"),
    [
        (200, type(None)),
        (202, type(None)),
        (409, type(None)),
        (401, KeyRefusedError),
        (403, KeyRefusedError),
        (413, BatchTooLargeError),
        (408, SinkUnavailableError),
        (425, SinkUnavailableError),
        (429, SinkUnavailableError),
        (500, SinkUnavailableError),
        (504, SinkUnavailableError),
        (307, SinkUnavailableError),
        (400, BatchRejectedError),
        (404, BatchRejectedError),
        (422, BatchRejectedError),
    ],
)
def test_each_status_has_its_verdict(status, error):
    assert type(verdict_on(status, b"", None, server="S", has_key=True)) is error


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (b'{"detail": "no such\\n run"}', "S answered 422: no such run."),
        (b'{"error": "broken"}', "S answered 422: broken."),
        (b"plain text", "S answered 422: plain text."),
        (b"\x1b[31mred\xff", "S answered 422: [31mred\ufffd."),
        (b"", "S answered 422."),
        (b'{"detail": [{"loc": "x"}]}', "S answered 422: [{'loc': 'x'}]."),
    ],
)
def test_the_servers_own_sentence_is_passed_on(body, said):
    assert str(verdict_on(422, body, None, server="S", has_key=True)).startswith(said)
    assert len(str(verdict_on(422, body * 1000, None, server="S", has_key=True))) < 500


def test_a_web_page_is_no_answer_whatever_its_status():
    page = b"\n<!doctype html><title>Please sign in</title>"
    error = verdict_on(200, page, None, server="S", has_key=True)
    assert type(error) is SinkUnavailableError
    assert verdict_on(202, b'{"message": "ok"}', None, server="S", has_key=True) is None


def test_what_a_server_repeats_of_a_request_is_not_for_a_log():
    detail = [{"loc": ["body"], "msg": "Field required", "input": "a trace's content"}]
    body = json.dumps({"detail": detail}).encode()
    error = verdict_on(422, body, None, server="S", has_key=True)
    assert "Field required" in str(error)
    assert "content" not in str(error)


def test_an_answer_without_an_end_of_brackets_is_a_text():
    error = verdict_on(500, b"[" * 60_000, None, server="S", has_key=True)
    assert str(error).startswith("S answered 500: [[[")


def test_retry_after_is_passed_on():
    error = verdict_on(429, b"", "7", server="S", has_key=True)
    assert error.retry_after == 7
