"""The sink that speaks to a LangSmith server, Callboard or another, over HTTP."""

from __future__ import annotations

import codecs
import json
import queue
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from math import inf
from time import monotonic
from typing import Any

from callboard.errors import (
    BatchRejectedError,
    BatchTooLargeError,
    MissingExtraError,
    SinkUnavailableError,
)
from callboard.export.sinks.address import Address, refused
from callboard.export.sinks.base import Limits
from callboard.export.sinks.headers import check_headers, user_agent
from callboard.export.sinks.proxy import proxy_to
from callboard.export.sinks.server import Server
from callboard.export.sinks.verdict import verdict_on
from callboard.wire import batch, compression, multipart, progress
from callboard.wire.operations import Operation

__all__ = ["HttpSink"]

_ANSWER_BYTES = 64 * 1024
_ASK_AGAIN = 60.0
"""Seconds, after which a server that did not say what it takes is asked again."""
_NOT_FOUND = 404
_NOT_THERE = frozenset({404, 405, 410, 501})
_LOOKING_ON = 1.0
"""Seconds that progress may take: operations wait meanwhile."""

_Body = tuple[bytes, dict[str, str]]


class HttpSink:
    """Sends operations to a server, by ``/runs/multipart`` or ``/runs/batch``.

    One connection is kept alive. What the server takes is read from ``/info``, by the thread
    that sends, before it sends the first time. Tries once: when to try again is the exporter's
    business. A proxy that the environment names is used (`callboard.export.sinks.proxy`).
    """

    def __init__(
        self,
        endpoint: str,
        api_key: str | None = None,
        *,
        headers: Mapping[str, str] | None = None,
        connect_timeout: float = 3.0,
        read_timeout: float = 10.0,
        now: Callable[[], float] = monotonic,
    ) -> None:
        """Make a sink; nothing is sent yet.

        Args:
            endpoint: The server's URL, with or without ``/api`` or ``/api/v1``.
            api_key: The key, sent as ``x-api-key``.
            headers: More headers for each request.
            connect_timeout: How many seconds to wait for a connection.
            read_timeout: How many seconds to wait for an answer.
            now: Tells the time in seconds.

        Raises:
            BadOptionError: The endpoint is no URL, no header can hold the key or another value, or
                the environment names a proxy that can't be used.
            MissingExtraError: urllib3 is not installed.
        """
        self._address = Address(endpoint)
        self._proxy = proxy_to(self._address.origin)
        self._urllib3 = _require_urllib3()
        self._has_key = bool(api_key)
        self._headers = {
            "User-Agent": user_agent(),
            "Accept": "application/json",
            **({"x-api-key": api_key} if api_key else {}),
            **(headers or {}),
        }
        check_headers(self._headers)
        self._timeout = self._urllib3.Timeout(connect=connect_timeout, read=read_timeout)
        self._now = now
        self._server: Server | None = None
        self._ask_at = 0.0
        self._has_multipart = True
        self._pool = self._new_pool()

    def __repr__(self) -> str:
        return f"<HttpSink {self._address}>"

    def _new_pool(self) -> Any:
        options = {"maxsize": 1, "timeout": self._timeout, "retries": False}
        try:
            if self._proxy is None:
                return self._urllib3.connection_from_url(self._address.origin, **options)
            asked = self._urllib3.make_headers(proxy_basic_auth=self._proxy.credentials)
            manager = self._urllib3.ProxyManager(self._proxy.url, proxy_headers=asked, **options)
            return manager.connection_from_url(self._address.origin)
        except self._urllib3.exceptions.LocationParseError:
            raise refused(str(self._address)) from None

    @property
    def server(self) -> Server:
        """What the server takes, as far as it is known; asks it if that is not known yet."""
        if self._server is None and self._now() >= self._ask_at:
            self._server = self._ask()
            self._ask_at = self._now() + _ASK_AGAIN
        return self._server or Server()

    def _ask(self) -> Server | None:
        """Read ``/info``; a failure means that we know no more than before."""
        try:
            status, body, _ = self._request("GET", "/info", None, {})
            return Server.from_info(json.loads(body)) if 200 <= status < 300 else None
        except Exception:  # noqa: BLE001 - whatever it is, `send` will meet it too, and tell
            return None

    def limits(self) -> Limits:
        """Return how much the server takes at once."""
        return self.server.limits

    def send(self, operations: Sequence[Operation]) -> None:
        """Send operations, in one request.

        Raises:
            SinkError: As `callboard.export.sinks.base` has it.
        """
        server = self.server
        if server.multipart and self._has_multipart:
            status = self._post("/runs/multipart", self._multipart, operations, server)
            if status != _NOT_FOUND:
                return
            self._has_multipart = False
        self._post("/runs/batch", _batch, operations, server)

    def progress_interval(self) -> float | None:
        """Return how often the server takes progress, if it has said so."""
        if self._server is None:
            return None
        offer = self._server.progress
        return inf if offer is None else offer.interval

    def send_progress(self, pieces: Sequence[progress.Progress]) -> None:
        """Send what running models say; nothing, if the server does not take it.

        Raises:
            SinkError: It was not accepted.
        """
        server = self._server
        if server is None or server.progress is None:
            return
        path = server.progress.path
        status, answer, retry_after = self._request(
            "POST",
            path,
            progress.encode(pieces),
            {"Content-Type": progress.CONTENT_TYPE},
            timeout=self._urllib3.Timeout(_LOOKING_ON),
        )
        if status in _NOT_THERE:  # It was another server's offer, or an older one's.
            self._server = replace(server, progress=None)
        where = f"{self._address}{path}"
        error = verdict_on(status, answer, retry_after, server=where, has_key=self._has_key)
        if error is not None:
            raise error

    def _post(
        self,
        path: str,
        encode: Callable[[Sequence[Operation], Server], _Body],
        operations: Sequence[Operation],
        server: Server,
    ) -> int:
        body, headers = self._encoded(encode, operations, server)
        status, answer, retry_after = self._request("POST", path, body, headers)
        if status == _NOT_FOUND and path.endswith("multipart"):
            return status
        error = verdict_on(
            status, answer, retry_after, server=f"{self._address}{path}", has_key=self._has_key
        )
        if error is not None:
            raise error
        return status

    def _encoded(
        self,
        encode: Callable[[Sequence[Operation], Server], _Body],
        operations: Sequence[Operation],
        server: Server,
    ) -> _Body:
        try:
            return encode(operations, server)
        except Exception as error:
            # An attachment that is no bytes, say: found, and left out, by halves.
            if len(operations) > 1:
                raise BatchTooLargeError(f"A batch can't be encoded: {error!r}.") from error
            raise BatchRejectedError(f"{operations[0]!r} can't be encoded: {error!r}.") from error

    def _multipart(self, operations: Sequence[Operation], server: Server) -> _Body:
        boundary = multipart.new_boundary()
        headers = {"Content-Type": multipart.content_type(boundary)}
        pieces = list(multipart.encode(operations, boundary))
        if not (server.zstd and compression.available()):
            return b"".join(pieces), headers
        body = b"".join(compression.compress(pieces))
        headers["Content-Encoding"] = "zstd"
        headers["X-Pre-Compressed-Size"] = str(sum(map(len, pieces)))
        headers["X-Post-Compressed-Size"] = str(len(body))
        return body, headers

    def _request(
        self,
        method: str,
        path: str,
        body: bytes | None,
        headers: Mapping[str, str],
        timeout: Any = None,
    ) -> tuple[int, bytes, str | None]:
        """Make one request.

        Returns:
            The status, as much of the body as anybody will look at, and ``Retry-After``.

        Raises:
            SinkUnavailableError: There was no answer.
        """
        errors = self._urllib3.exceptions
        try:
            response = self._pool.urlopen(
                method,
                self._target(path),
                body=body,
                headers={**self._headers, **headers},
                redirect=False,
                assert_same_host=False,
                preload_content=False,
                timeout=timeout or self._timeout,
            )
            try:
                answer = response.read(_ANSWER_BYTES)
                if response.read(1):  # What nobody reads would stand before the next answer.
                    response.close()
            finally:
                response.release_conn()
            return response.status, answer, response.headers.get("Retry-After")
        except (errors.HTTPError, OSError) as error:
            # It was reached, and broke off or fell silent: over what it was sent, perhaps.
            broke = isinstance(error, (errors.ProtocolError, errors.ReadTimeoutError))
            raise SinkUnavailableError(
                f"{self._address} can't be reached: {error}.", suspicious=broke
            ) from error

    def _target(self, path: str) -> str:
        # A proxy that passes requests on, which it does where they are not encrypted, is told
        # where to; to any other it is a tunnel (RFC 9112, section 3.2.2).
        passes_on = self._proxy is not None and self._address.origin.startswith("http:")
        where = self._address.path(path)
        return self._address.origin + where if passes_on else where

    def close(self) -> None:
        """Close the connection; one that is in use closes when it is given back."""
        self._pool.close()

    def after_fork(self) -> None:
        """Forget the connection, which is the parent's.

        Its pool has locks that some thread of the parent may have held; it is emptied by being
        made anew, so that nobody waits for them when it is let go.
        """
        old, self._pool = self._pool, self._new_pool()
        if old.pool is not None:
            for connection in filter(None, old.pool.queue):
                connection.close()
            queue.LifoQueue.__init__(old.pool, 1)


def _batch(operations: Sequence[Operation], _: Server) -> _Body:
    return batch.encode(operations), {"Content-Type": "application/json"}


def _require_urllib3() -> Any:
    # Imported here, and not by the thread that sends: a fork while that imports would leave the
    # child with a module that is never complete. So with the codec that host names take.
    try:
        import urllib3  # noqa: PLC0415 - an extra, and 60 ms
    except ImportError:
        raise MissingExtraError(
            "To send over HTTP, the package urllib3 is needed: pip install 'callboard[export]'."
        ) from None
    codecs.lookup("idna")
    return urllib3
