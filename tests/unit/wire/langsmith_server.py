"""A receiver for the real LangSmith client: keeps every body that it is sent."""

import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, NamedTuple

import langsmith

from callboard.wire import batch, compression, multipart
from callboard.wire.intake import DecodedBatch

CONFIG = {
    "use_multipart_endpoint": True,
    "size_limit": 100,
    "size_limit_bytes": 20971520,
    "scale_up_qsize_trigger": 1000,
    "scale_up_nthreads_limit": 16,
    "scale_down_nempty_trigger": 4,
}


class Request(NamedTuple):
    method: str
    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def is_compressed(self) -> bool:
        return self.headers.get("content-encoding") == "zstd"

    @property
    def plain(self) -> bytes:
        """The body, decompressed."""
        if not self.is_compressed:
            return self.body
        return compression.decompress(self.body, 2**30)

    def decoded(self) -> DecodedBatch:
        if self.path.endswith("/runs/multipart"):
            return multipart.decode(self.plain, self.headers["content-type"])
        assert self.path.endswith("/runs/batch")
        return batch.decode(self.plain)


class _Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        self._answer(json.dumps(self.server.info).encode())

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        headers = {name.lower(): value for name, value in self.headers.items()}
        self.server.requests.append(Request(self.command, self.path, headers, body))
        self._answer(b"{}")

    do_PATCH = do_POST  # noqa: N815 - the name is the standard library's

    def _answer(self, body: bytes):
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args):
        pass


@contextmanager
def receiving(*, zstd: bool, use_multipart: bool = True) -> Iterator[tuple[str, list[Request]]]:
    """Run a server for the length of a block; give its address and what it receives."""
    server: Any = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
    server.requests = []
    server.info = {
        "version": "0.18.20",
        "batch_ingest_config": {**CONFIG, "use_multipart_endpoint": use_multipart},
        "instance_flags": {"zstd_compression_enabled": zstd},
    }
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}", server.requests
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@contextmanager
def client_of(url: str) -> Iterator[langsmith.Client]:
    """Give the real client; what it was told has been sent at the end of the block."""
    client = langsmith.Client(api_url=url, api_key="any")
    try:
        if client.info.instance_flags["zstd_compression_enabled"]:
            # A thread of the client's finds that out; until then it does not compress.
            deadline = time.monotonic() + 10
            while client.compressed_traces is None and time.monotonic() < deadline:
                time.sleep(0.005)
        yield client
        client.flush()
    finally:
        client.close()


def decoded(requests: list[Request]) -> DecodedBatch:
    """Return what all requests say together."""
    whole = DecodedBatch()
    for request in requests:
        one = request.decoded()
        whole.operations += one.operations
        whole.feedback += one.feedback
        whole.refusals += one.refusals
    return whole
