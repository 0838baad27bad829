"""A server that takes traces over HTTP, in a process of its own, and says what has arrived.

Run as a program it is the server. It keeps bodies as they come, so that it takes no time from
those that are measured, and reads them when it is asked.
"""

import hashlib
import json
import subprocess
import sys
import threading
import urllib.request
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Self

from callboard.wire import batch, compression, multipart
from callboard.wire.operations import Operation, merge

__all__ = ["Receiver", "digest"]

SPANS = "/spans"
"""Where spans are sent: a list of objects, each with inputs and outputs as JSON text."""

_INFO = {
    "version": "0.18.20",
    "batch_ingest_config": {
        "use_multipart_endpoint": True,
        "size_limit": 100,
        "size_limit_bytes": 20971520,
        "scale_up_nthreads_limit": 16,
        "scale_up_qsize_trigger": 1000,
        "scale_down_nempty_trigger": 4,
    },
    "instance_flags": {"zstd_compression_enabled": True},
}
_MAX_BYTES = 10**9


def digest(inputs: Any, outputs: Any) -> str:
    """Return what stands for the content of a run: the same for the same values."""
    text = json.dumps([inputs, outputs], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


class Receiver:
    """The server, seen from the benchmarks."""

    def __init__(self) -> None:
        command = [sys.executable, "-m", "benchmarks.receiver"]
        here = Path(__file__).parents[1]
        self._process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=here)
        assert self._process.stdout
        self.url = f"http://127.0.0.1:{int(self._process.stdout.readline())}"

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.kill()
        self._process.wait()
        assert self._process.stdout
        self._process.stdout.close()

    def check(self, sender: str, runs: int, content: str) -> None:
        """Have it tell, and forget, what a sender has sent.

        Args:
            sender: The key that it sends with.
            runs: How many runs that must be.
            content: The digest that each of them must have.

        Raises:
            RuntimeError: Something else has arrived.
        """
        with urllib.request.urlopen(f"{self.url}/arrived/{sender}", timeout=120) as response:
            arrived = json.load(response)
        if arrived != {content: runs}:
            raise RuntimeError(
                f"{sender}: of {runs} runs with the content {content} there arrived {arrived}."
            )


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    # Otherwise each answer waits for the acknowledgement of its headers.
    disable_nagle_algorithm = True
    server: "_Server"

    def log_message(self, *_: Any) -> None:
        pass

    def do_GET(self) -> None:
        if self.path.startswith("/arrived/"):
            self._answer(200, _contents(self.server.bodies.pop(self.path.split("/")[2], [])))
        else:
            self._answer(200, _INFO)

    def do_POST(self) -> None:
        body = b"".join(self._chunks())
        self.server.bodies[self.headers["x-api-key"]].append((self.path, dict(self.headers), body))
        self._answer(202, {})

    def _chunks(self) -> Iterable[bytes]:
        if self.headers.get("Transfer-Encoding") != "chunked":
            yield self.rfile.read(int(self.headers["Content-Length"]))
            return
        while length := int(self.rfile.readline(), 16):
            yield self.rfile.read(length)
            self.rfile.readline()
        self.rfile.readline()

    def _answer(self, status: int, said: Any) -> None:
        body = json.dumps(said).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.bodies: defaultdict[str, list[_Body]] = defaultdict(list)


_Body = tuple[str, Mapping[str, str], bytes]


def _contents(bodies: Iterable[_Body]) -> Counter[str]:
    """Count the contents of all runs that have arrived whole."""
    counts: Counter[str] = Counter()
    runs: dict[Any, Operation] = {}
    for path, headers, body in bodies:
        if path == SPANS:
            for span in json.loads(body):
                counts[digest(json.loads(span["inputs"]), json.loads(span["outputs"]))] += 1
            continue
        for operation in _operations(path, headers, body):
            known = runs.get(operation.run_id)
            runs[operation.run_id] = operation if known is None else merge(known, operation)
    counts.update(_content(run) for run in runs.values())
    return counts


def _content(run: Operation) -> str:
    if run.kind != "create" or run.head.get("end_time") is None or run.parts.get("error"):
        return "of a run that is not whole"
    return digest(*(json.loads(run.parts.get(name, b"null")) for name in ("inputs", "outputs")))


def _operations(path: str, headers: Mapping[str, str], body: bytes) -> list[Operation]:
    if headers.get("Content-Encoding") == "zstd":
        body = compression.decompress(body, _MAX_BYTES)
    if path.endswith("/runs/batch"):
        decoded = batch.decode(body)
    else:
        decoded = multipart.decode(body, headers["Content-Type"])
    assert not decoded.refusals, decoded.refusals
    return decoded.operations


def _serve() -> None:
    server = _Server()
    threading.Thread(target=server.serve_forever, daemon=True).start()
    print(server.server_port, flush=True)
    threading.Event().wait()


if __name__ == "__main__":
    _serve()
