"""A receiver of webhooks on the loopback, in threads of its own, that misbehaves when told to."""

from __future__ import annotations

import json
import threading
import time
from http.server import BaseHTTPRequestHandler
from typing import Any, NamedTuple, Self
from urllib.parse import urlsplit

from tests.integrations.receiver import Handler, Server

SECRET = "/services/T0AAA/B0BBB/Zq9secretQ?key=Zq9secretQ"


class Post(NamedTuple):
    """A request."""

    path: str
    headers: dict[str, str]
    body: Any
    at: float


class HookHandler(Handler, BaseHTTPRequestHandler):
    server: Hooks

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0))) or b"null"
        with self.server.lock:
            plan, posts = self.server.plan, self.server.posts
            posts.append(Post(self.path, dict(self.headers), json.loads(body), time.monotonic()))
            step = plan.pop(0) if plan else {"do": 200}
        if step["do"] == "hang":
            self.hang()
        elif step["do"] == "reset":
            self.reset()
        elif step["do"] == "garbage":
            self.wfile.write(f"{self.path} nonsense\r\n\r\n".encode())
            self.close_connection = True
        else:
            self.say(step["do"], step.get("said", "ok"), step.get("headers"))

    def say(self, status: int, text: str, headers: dict[str, str] | None) -> None:
        self.send_response(status)
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text.encode())

    def do_GET(self) -> None:
        self.do_POST()  # Nobody should ask: it is kept, for a test to see.


class Hooks(Server):
    """The receiver.

    Attributes:
        plan: What to do with the next requests; then each is answered with 200.
        posts: What has come.
    """

    def __init__(self, tmp_path: Any) -> None:
        super().__init__(0, tmp_path / "unused")
        self.RequestHandlerClass = HookHandler
        self.plan: list[dict[str, Any]] = []
        self.posts: list[Post] = []
        self._thread = threading.Thread(target=self.serve_forever, args=(0.01,), daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.shutdown()
        self.server_close()
        self._thread.join()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}{SECRET}"

    @property
    def host(self) -> str:
        return urlsplit(self.url).netloc
