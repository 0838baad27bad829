"""Export through a proxy, which passes on to a real server what it is asked for by name."""

from __future__ import annotations

import threading
from base64 import b64encode
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit

import pytest
import urllib3

from callboard import ids
from callboard.errors import BadOptionError, SinkUnavailableError
from callboard.export import HttpSink
from callboard.wire.operations import Operation

VARIABLES = ("http_proxy", "https_proxy", "all_proxy", "no_proxy", "request_method")


class PassingOn(BaseHTTPRequestHandler):
    def log_message(self, *args):
        pass

    def do_GET(self):
        self.server.asked.append((self.command, self.path, self.headers))
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        told = {name: value for name, value in self.headers.items() if name.startswith("Content-")}
        url = self.server.receiver.url + urlsplit(self.path).path
        answer = urllib3.request(self.command, url, body=body, headers=told, retries=False)
        self.send_response(answer.status)
        self.send_header("Content-Length", str(len(answer.data)))
        self.end_headers()
        self.wfile.write(answer.data)

    def do_POST(self):
        self.do_GET()

    def do_CONNECT(self):
        self.server.asked.append((self.command, self.path, self.headers))
        self.send_error(403)


@pytest.fixture
def proxy(receiver, monkeypatch):
    for name in VARIABLES:
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)
    with ThreadingHTTPServer(("127.0.0.1", 0), PassingOn) as proxy:
        proxy.receiver, proxy.asked = receiver, []
        proxy.host = f"127.0.0.1:{proxy.server_port}"
        threading.Thread(target=proxy.serve_forever, kwargs={"poll_interval": 0.02}).start()
        yield proxy
        proxy.shutdown()


def sent(endpoint):
    run_id = ids.new_id()
    head = {"id": str(run_id), "trace_id": str(run_id), "name": "a run", "run_type": "chain"}
    sink = HttpSink(endpoint)
    try:
        sink.send([Operation("create", run_id, head, {"inputs": {}})])
    finally:
        sink.close()
    return ("create", str(run_id))


def test_runs_go_by_the_proxy_that_the_environment_names(proxy, receiver, monkeypatch):
    monkeypatch.setenv("HTTP_PROXY", f"http://ada:p%40ss@{proxy.host}")
    name = sent("http://traces.invalid/api")
    assert receiver.arrivals() == {name: 1}
    urls = [(method, url) for method, url, _ in proxy.asked]
    assert urls == [
        ("GET", "http://traces.invalid/api/info"),
        ("POST", "http://traces.invalid/api/runs/multipart"),
    ]
    told = proxy.asked[1][2]
    assert told["Host"] == "traces.invalid"
    assert told["Proxy-Authorization"] == "Basic " + b64encode(b"ada:p@ss").decode()


def test_what_is_encrypted_goes_through_a_tunnel(proxy, monkeypatch):
    monkeypatch.setenv("ALL_PROXY", proxy.host)  # Many write it without a scheme.
    with pytest.raises(SinkUnavailableError, match="403"):
        sent("https://traces.invalid")
    assert {(method, where) for method, where, _ in proxy.asked} == {
        ("CONNECT", "traces.invalid:443")
    }


def test_this_machine_is_reached_without_the_proxy(proxy, receiver, monkeypatch):
    monkeypatch.setenv("HTTP_PROXY", f"http://{proxy.host}")
    name = sent(receiver.url)
    assert receiver.arrivals() == {name: 1}
    assert proxy.asked == []


@pytest.mark.parametrize(
    "excepted", ["other.invalid, .Traces.invalid", "eu.traces.invalid", "eu.traces.invalid:9", "*"]
)
def test_no_proxy_is_asked_for_servers_that_want_none(proxy, monkeypatch, excepted):
    monkeypatch.setenv("HTTP_PROXY", f"http://{proxy.host}")
    monkeypatch.setenv("NO_PROXY", excepted)
    with pytest.raises(SinkUnavailableError, match="can't be reached"):
        sent("http://eu.traces.invalid:9")
    assert proxy.asked == []


def test_a_name_that_only_ends_alike_is_another_server(proxy, receiver, monkeypatch):
    monkeypatch.setenv("HTTP_PROXY", f"http://{proxy.host}")
    monkeypatch.setenv("NO_PROXY", "traces.invalid")
    name = sent("http://mytraces.invalid")
    assert receiver.arrivals() == {name: 1}


@pytest.mark.parametrize("url", ["socks5://ada:secret@h:1080", "http://ada:secret@", "http://h:x"])
def test_a_proxy_that_cannot_be_used_is_said_without_its_password(proxy, monkeypatch, url):
    monkeypatch.setenv("HTTP_PROXY", url)
    with pytest.raises(BadOptionError, match="NO_PROXY with the server's name") as raised:
        HttpSink("http://traces.invalid")
    assert "secret" not in str(raised.value)
