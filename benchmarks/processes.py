"""A server in a process of its own: what it is sent, and what that costs it."""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from http.client import HTTPConnection
from pathlib import Path
from types import TracebackType
from typing import NamedTuple, Self
from urllib.parse import urlsplit

__all__ = ["Body", "Process"]

_CONNECTIONS = 4
_TICKS = os.sysconf("SC_CLK_TCK")


class Body(NamedTuple):
    """What is posted."""

    path: str
    headers: Mapping[str, str]
    data: bytes


class Process:
    """A process that serves HTTP, measured by what the system says of it."""

    def __init__(
        self, command: Sequence[str], url: str, environment: Mapping[str, str] = {}
    ) -> None:
        """Start it, and wait until it answers.

        Args:
            command: What to run.
            url: Where it will answer: with anything.
            environment: Variables, besides those of this process.
        """
        self._process = subprocess.Popen(
            command,
            env={**os.environ, **environment},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        self.address = urlsplit(url)
        self._wait()

    def cpu_seconds(self) -> float:
        """Return the CPU time that it and its children have taken so far, to a hundredth."""
        return sum(_cpu_seconds(pid) for pid in self._pids())

    def thread_seconds(self) -> float:
        """Return the CPU time of the threads that it has now, to the nanosecond."""
        return sum(_thread_seconds(pid) for pid in self._pids())

    def peak_rss(self) -> int:
        """Return how many bytes of memory it had at the most."""
        return sum(_status(pid, "VmHWM") for pid in self._pids()) * 1024

    def settle(self) -> None:
        """Wait until it does nothing any more, a minute at the most: it may still be starting."""
        for _ in range(60):
            before = self.cpu_seconds()
            time.sleep(1)
            if self.cpu_seconds() - before < 0.03:
                return

    def post(self, bodies: Sequence[Body]) -> None:
        """Send bodies, each in order on one of some connections.

        Raises:
            RuntimeError: One was refused.
        """
        shares = [bodies[number::_CONNECTIONS] for number in range(_CONNECTIONS)]
        with ThreadPoolExecutor(_CONNECTIONS) as pool:
            list(pool.map(self._post_all, shares))

    def get(self, path: str) -> bytes:
        """Return what it answers to a GET."""
        return self.ask("GET", path)

    def ask(self, method: str, path: str, data: bytes | None = None) -> bytes:
        """Return what it answers; `data` is JSON."""
        headers = {"Content-Type": "application/json"} if data else {}
        connection = self._connection()
        try:
            return _answer(connection, method, path, headers, data)
        finally:
            connection.close()

    def _post_all(self, bodies: Sequence[Body]) -> None:
        connection = self._connection()
        for body in bodies:
            _answer(connection, "POST", body.path, body.headers, body.data)
        connection.close()

    def _connection(self) -> HTTPConnection:
        assert self.address.hostname is not None
        return HTTPConnection(self.address.hostname, self.address.port, timeout=600)

    def _wait(self) -> None:
        for _ in range(1_200):
            if self._process.poll() is not None:
                raise RuntimeError(f"{self._process.args!r} ended before it answered.")
            try:
                self._connection().connect()
            except OSError:
                time.sleep(0.1)
            else:
                return
        raise RuntimeError(f"{self._process.args!r} does not answer.")

    def _pids(self) -> list[int]:
        found = [self._process.pid]
        for pid in found:
            for task in Path(f"/proc/{pid}/task").iterdir():
                found += map(int, (task / "children").read_text().split())
        return found

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._process.terminate()
        self._process.wait(60)


def _answer(
    connection: HTTPConnection,
    method: str,
    path: str,
    headers: Mapping[str, str],
    data: bytes | None,
) -> bytes:
    connection.request(method, path, data, dict(headers))
    response = connection.getresponse()
    content = response.read()
    if response.status >= 300:
        raise RuntimeError(f"{method} {path} is answered {response.status}: {content[:500]!r}")
    return content


def _cpu_seconds(pid: int) -> float:
    # The name of the program, in brackets, may have spaces in it.
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / _TICKS


def _thread_seconds(pid: int) -> float:
    tasks = Path(f"/proc/{pid}/task").glob("*/schedstat")
    return sum(int(task.read_text().split()[0]) for task in tasks) / 1e9


def _status(pid: int, name: str) -> int:
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith(f"{name}:"):
            return int(line.split()[1])
    return 0
