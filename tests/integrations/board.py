"""The board's server in a process of its own, as its users have it, for tests to talk to."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, NamedTuple, Self


class Answer(NamedTuple):
    """What came back: the status, the JSON or text of the body, and the headers."""

    status: int
    content: Any
    headers: Mapping[str, str]


def ask(
    url: str,
    method: str,
    path: str,
    content: Any = None,
    *,
    body: bytes | None = None,
    headers: Mapping[str, str] = {},
) -> Answer:
    """Send a request to a server; `content` as JSON, `body` as it is."""
    if content is not None:
        body = json.dumps(content).encode()
        headers = {"Content-Type": "application/json", **headers}
    request = urllib.request.Request(url + path, data=body, headers=dict(headers), method=method)
    try:
        with urllib.request.urlopen(request, timeout=20) as response:
            return _answer(response.status, response.read(), response.headers)
    except urllib.error.HTTPError as error:
        with error:
            return _answer(error.code, error.read(), error.headers)


class BoardProcess:
    """A server on a file, from its start to its end, which may be a violent one."""

    def __init__(self, database: Path, *options: str, environment: Mapping[str, str] = {}) -> None:
        self.database = database
        command = [sys.executable, "-m", "callboard", "serve", "--port", "0"]
        self._process = subprocess.Popen(
            [*command, "--db", str(database), *options],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env={**os.environ, **environment},
        )
        assert self._process.stdout is not None
        greeting = self._process.stdout.readline()
        found = re.search(r"http://\S+:\d+", greeting)
        if found is None:
            _, errors = self._process.communicate(timeout=10)
            raise RuntimeError(f"The server did not start: {greeting}{errors}")
        self.url = found.group()
        self.pid = self._process.pid

    def ask(
        self,
        method: str,
        path: str,
        content: Any = None,
        *,
        body: bytes | None = None,
        headers: Mapping[str, str] = {},
    ) -> Answer:
        """Send a request: see `ask`."""
        return ask(self.url, method, path, content, body=body, headers=headers)

    def kill(self) -> None:
        """End it with SIGKILL: it has no time to do anything."""
        self._process.kill()
        self._process.communicate(timeout=10)

    def stop(self) -> str:
        """End it as Ctrl+C does, and return what it said on standard error."""
        if self._process.poll() is None:
            self._process.send_signal(signal.SIGINT)
        _, errors = self._process.communicate(timeout=20)
        return errors

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()


def _answer(status: int, body: bytes, headers: Any) -> Answer:
    try:
        content: Any = json.loads(body) if body else None
    except ValueError:
        content = body.decode(errors="replace")
    return Answer(status, content, {name.lower(): value for name, value in headers.items()})
