"""A server that takes runs, in a process of its own, and misbehaves when it is told to.

Run as a program it is the server: what it accepted is in a file, a line an operation, which
outlives it. `Receiver` is how a test starts it, talks to it and kills it.
"""

from __future__ import annotations

import json
import os
import select
import socket
import struct
import subprocess
import sys
import threading
import time
import urllib.request
from collections import Counter
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from callboard.wire import batch, compression, multipart, progress

INFO = {
    "version": "0.18.20",
    "batch_ingest_config": {
        "use_multipart_endpoint": True,
        "size_limit": 100,
        "size_limit_bytes": 20971520,
    },
    "instance_flags": {"zstd_compression_enabled": True},
}

CALLBOARD = {
    **INFO,
    "callboard": {"version": "0.1.0", "progress": {"path": "/live/progress", "interval_ms": 20}},
}


class Behaviour:
    """How the server is to behave, as it was told last."""

    def __init__(self) -> None:
        self.info: dict[str, Any] | None = INFO
        self.plan: list[dict[str, Any]] = []
        self.always: dict[str, Any] | None = None
        self.max_operations = 10**9
        self.max_bytes = 10**9
        self.missing: list[str] = []
        self.poison: dict[str, Any] = {}
        self.key: str | None = None
        self.progress: dict[str, Any] | None = None
        self.told: list[dict[str, Any]] = []
        self.seen: list[str] = []
        self.hanging = 0

    def next(self) -> dict[str, Any] | None:
        return self.plan.pop(0) if self.plan else self.always


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    # Otherwise each answer waits for the acknowledgement of its headers.
    disable_nagle_algorithm = True
    server: Server

    def log_message(self, *args: Any) -> None:
        pass

    def do_GET(self) -> None:
        if self.path == "/control":
            now = self.server.behaviour
            self.answer(200, {"seen": now.seen, "hanging": now.hanging, "told": now.told})
        elif self.path.endswith("/info") and self.server.behaviour.info is not None:
            self.answer(200, self.server.behaviour.info)
        else:
            self.answer(404, {"detail": "Not found"})

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if self.path == "/control":
            for name, value in json.loads(body).items():
                setattr(self.server.behaviour, name, value)
            self.answer(200, {})
            return
        if self.path.endswith("/live/progress"):
            self.look_on(body)
            return
        with self.server.lock:
            step = self.server.behaviour.next() or self.poisoned(body)
        behaviour = self.server.behaviour
        behaviour.seen.append(f"{self.path} {step['do'] if step else 'accept'}")
        if step is None:
            self.judge(body)
        elif step["do"] == "hang":
            self.hang()
        elif step["do"] == "reset":
            self.reset()
        else:
            if step.get("keep"):  # It accepts, and says that it did not.
                self.keep(body)
            self.answer(step["do"], {"detail": step.get("detail", "told so")}, step.get("headers"))

    def look_on(self, body: bytes) -> None:
        behaviour = self.server.behaviour
        step = behaviour.progress
        behaviour.seen.append(f"{self.path} {step['do'] if step else 'accept'}")
        if step is not None and step["do"] == "hang":
            self.hang()
        elif step is not None:
            self.answer(step["do"], {})
        else:
            assert self.headers["Content-Type"] == progress.CONTENT_TYPE
            key = self.headers["x-api-key"]
            behaviour.told += [
                {
                    "run_id": str(each.run_id),
                    "trace_id": str(each.trace_id),
                    "sequence": each.sequence,
                    "offset": each.offset,
                    "text": each.text,
                    "session_name": each.session_name,
                    "key": key,
                }
                for each in progress.decode(body)
            ]
            self.answer(204, None)

    def poisoned(self, body: bytes) -> dict[str, Any] | None:
        """Return how to behave because of what one of the operations is, if so."""
        poison = self.server.behaviour.poison
        if poison:
            for each in self.operations(body):
                name = f"{each.kind} {each.run_id}"
                if step := poison.get(name) or poison.get(str(each.run_id)):
                    return step
        return None

    def judge(self, body: bytes) -> None:
        behaviour = self.server.behaviour
        if behaviour.key is not None and self.headers["x-api-key"] != behaviour.key:
            self.answer(401, {"detail": "Invalid token"})
        elif any(self.path.endswith(path) for path in behaviour.missing):
            self.answer(404, {"detail": "Not found"})
        elif len(body) > behaviour.max_bytes:
            self.answer(413, {"detail": "Too many bytes"})
        elif len(self.operations(body)) > behaviour.max_operations:
            self.answer(413, {"detail": "Too many operations"})
        else:
            self.keep(body)
            self.answer(202, {})

    def operations(self, body: bytes) -> list[Any]:
        if self.headers["Content-Encoding"] == "zstd":
            body = compression.decompress(body, 10**9)
        if self.path.endswith("/runs/batch"):
            decoded = batch.decode(body)
        else:
            decoded = multipart.decode(body, self.headers["Content-Type"])
        assert not decoded.refusals, decoded.refusals
        return decoded.operations

    def keep(self, body: bytes) -> None:
        lines = "".join(
            json.dumps([kind, str(op.run_id), sorted(op.attachments)]) + "\n"
            for op in self.operations(body)
            for kind in _kinds(op)
        )
        with self.server.lock, self.server.log.open("a") as log:
            log.write(lines)

    def hang(self) -> None:
        """Say nothing until the other side has had enough."""
        self.server.behaviour.hanging += 1
        select.select([self.connection], [], [], 30)
        self.server.behaviour.hanging -= 1
        self.close_connection = True

    def reset(self) -> None:
        linger = struct.pack("ii", 1, 0)
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
        self.close_connection = True

    def answer(self, status: int, said: Any, headers: dict[str, str] | None = None) -> None:
        body = b"" if said is None else json.dumps(said).encode()
        self.send_response(status)
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


class Server(ThreadingHTTPServer):
    daemon_threads = True
    allow_reuse_address = True

    def __init__(self, port: int, log: Path) -> None:
        super().__init__(("127.0.0.1", port), Handler)
        self.log = log
        self.lock = threading.Lock()
        self.behaviour = Behaviour()

    def handle_error(self, request: Any, client_address: Any) -> None:
        # That a client goes away is what some tests are about.
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)


class Receiver:
    """The server, seen from a test. It listens from `start` to `kill`, always on one port."""

    def __init__(self, directory: Path) -> None:
        self.log = directory / "arrived"
        self.log.touch()
        self.port = 0
        self._process: subprocess.Popen[str] | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> Receiver:
        self._process = subprocess.Popen(
            [sys.executable, __file__, str(self.port), str(self.log)],
            stdout=subprocess.PIPE,
            text=True,
        )
        self.port = int(self._process.stdout.readline())
        return self

    def reset(self) -> None:
        """Be up, behave, and have got nothing yet."""
        if self._process is None:
            self.start()
        self.tell(**vars(Behaviour()))
        self.log.write_text("")

    def kill(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process.stdout.close()
            self._process = None

    def tell(self, **behaviour: Any) -> None:
        """Tell it how to behave: see `Behaviour`."""
        self._control(json.dumps(behaviour).encode())

    def state(self) -> dict[str, Any]:
        return self._control(None)

    def _control(self, body: bytes | None) -> dict[str, Any]:
        with urllib.request.urlopen(f"{self.url}/control", body, timeout=10) as response:
            return json.load(response)

    def arrivals(self) -> Counter[tuple[str, str]]:
        """How often each operation has arrived, by kind and run id; one that tells all, as two."""
        lines = self.log.read_text().splitlines()
        # The last line may be half written.
        complete = [json.loads(line) for line in lines if line.endswith("]")]
        return Counter((kind, run_id) for kind, run_id, _ in complete)

    def attachments(self) -> dict[str, list[str]]:
        lines = map(json.loads, self.log.read_text().splitlines())
        return {run_id: names for _, run_id, names in lines}

    def wait_for(self, wanted: set[tuple[str, str]], timeout: float = 20) -> None:
        """Wait until all of these have arrived."""
        until(lambda: wanted <= set(self.arrivals()), timeout)


def _kinds(operation: Any) -> list[str]:
    """Return what an operation tells of: the start of a run, its end, or both."""
    is_whole = operation.kind == "create" and operation.head.get("end_time") is not None
    return ["create", "update"] if is_whole else [operation.kind]


def until(condition: Any, timeout: float = 20) -> None:
    """Wait for something that another process or thread does."""
    deadline = time.monotonic() + timeout
    while not condition():
        assert time.monotonic() < deadline, f"not within {timeout} s"
        time.sleep(0.005)


def main() -> None:
    server = Server(int(sys.argv[1]), Path(sys.argv[2]))
    print(server.server_port, flush=True)  # noqa: T201 - this is how it tells
    with suppress(KeyboardInterrupt):
        server.serve_forever(poll_interval=0.05)
    os._exit(0)


if __name__ == "__main__":
    main()
