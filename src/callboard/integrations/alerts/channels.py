"""Channels: where alerts go.

The law, which a channel of one's own keeps: `send` returns when an alert was taken, and raises
`callboard.errors.AlertNotTakenError` if it was not, which says whether and when to try again; any
other exception counts as one that may pass. It is called in a thread of its own, with one alert
after the other, and comes to an end: every wait in it has one.
"""

from __future__ import annotations

import asyncio
import codecs
import inspect
import re
from collections.abc import Awaitable, Callable, Mapping
from email.message import Message
from http.client import HTTPException
from pathlib import Path
from traceback import extract_tb
from typing import Any, Protocol, runtime_checkable
from urllib.parse import urlsplit
from urllib.request import HTTPHandler, HTTPSHandler, OpenerDirector, ProxyHandler, Request

from callboard.errors import AlertNotTakenError, BadOptionError
from callboard.export.retry import retry_after_seconds
from callboard.export.sinks.headers import check_headers, user_agent
from callboard.integrations.alerts.alert import Alert
from callboard.integrations.alerts.slack import slack_message
from callboard.wire import json

__all__ = ["Channel", "Function", "Slack", "Webhook", "channel_to"]

_LATER = frozenset({408, 425, 429})
_ANSWER_BYTES = 200
# Of what is answered, only what looks like a code is told: other text may repeat the address.
_CODE = re.compile(rb"[a-z]+(_[a-z]+){1,5}")
_ADDRESS = re.compile(r"https?://[\x21-\x7e]+", re.IGNORECASE)


@runtime_checkable
class Channel(Protocol):
    """Where alerts go; see the law above."""

    def send(self, alert: Alert) -> None:
        """Hand an alert over.

        Raises:
            AlertNotTakenError: It was not taken.
        """
        ...


class Webhook:
    """Posts alerts as JSON to an address.

    The address is a secret: nothing but its host is ever shown or logged. Redirects are not
    followed. The proxies that the environment names are used.
    """

    _message: Callable[[Alert], Any] = staticmethod(Alert.as_dict)

    def __init__(
        self,
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        body: Callable[[Alert], Any] | None = None,
        timeout: float = 10.0,
    ) -> None:
        """Make a channel; nothing is sent yet.

        Args:
            url: Where to post to.
            headers: More headers for each request.
            body: Makes of an alert what is posted as JSON; by default all that it tells, or
                what Slack takes.
            timeout: How many seconds to wait for a connection, and for an answer.

        Raises:
            BadOptionError: The address is none that can be posted to, or no header can hold one
                of the values, or the timeout is not greater than 0.
        """
        self._host = _host(url)
        codecs.lookup("idna")  # Here, so that no thread loads it in the middle of a fork.
        self._url = url
        self._headers = {
            "Content-Type": "application/json",
            "User-Agent": user_agent(),
            **(headers or {}),
        }
        check_headers(self._headers)
        self._body = body or self._message
        self._timeout = _positive("timeout", timeout)

    def __repr__(self) -> str:
        return f"<{type(self).__name__} at {self._host}>"

    def send(self, alert: Alert) -> None:
        """Post an alert.

        Raises:
            AlertNotTakenError: There was no answer, or it was not taken.
        """
        body = json.encode(self._body(alert))
        request = Request(self._url, body, self._headers)  # noqa: S310 - it is http or https
        try:
            with _opener().open(request, timeout=self._timeout) as response:
                if not 200 <= response.status < 300:
                    self._refused(response.status, response.headers, response.read(_ANSWER_BYTES))
        except (OSError, HTTPException, ValueError) as error:
            # Not as it is: in some of their texts is the address.
            reason = type(getattr(error, "reason", error)).__name__
            raise AlertNotTakenError(f"{self!r} can't be reached ({reason})") from None

    def _refused(self, status: int, headers: Message, said: bytes) -> None:
        code = f" {said.decode()}" if _CODE.fullmatch(said) else ""
        raise AlertNotTakenError(
            f"{self!r} answered {status}{code}",
            retry_after=retry_after_seconds(headers["Retry-After"]),
            is_final=status < 500 and status not in _LATER,
        )


class Slack(Webhook):
    """Posts alerts to a channel of Slack's, as messages of blocks, by an incoming webhook.

    Its address is such as ``https://hooks.slack.com/services/...``.
    """

    _message = staticmethod(slack_message)


class Function:
    """Calls a function, or a coroutine function, with each alert.

    A coroutine runs on an event loop of its own, not on the application's.
    """

    def __init__(
        self, function: Callable[[Alert], Awaitable[object] | object], *, timeout: float = 10.0
    ) -> None:
        """Make a channel.

        Args:
            function: Is given each alert.
            timeout: How many seconds a coroutine may take; a function has to see to that itself.

        Raises:
            BadOptionError: The timeout is not greater than 0.
        """
        self._function = function
        self._timeout = _positive("timeout", timeout)

    def __repr__(self) -> str:
        name = getattr(self._function, "__qualname__", type(self._function).__qualname__)
        return f"<Function {name}>"

    def send(self, alert: Alert) -> None:
        """Call the function, and wait for it.

        Raises:
            AlertNotTakenError: It raised, or took too long.
        """
        try:
            called = self._function(alert)
            if inspect.isawaitable(called):
                asyncio.run(self._awaited(called))
        except AlertNotTakenError:
            raise
        except Exception as error:  # noqa: BLE001 - a function may raise anything
            # Not what it says: that may be the address of a webhook.
            raise AlertNotTakenError(f"{self!r} raised {_place(error)}") from None

    async def _awaited(self, called: Awaitable[object]) -> None:
        async with asyncio.timeout(self._timeout):
            await called


def channel_to(target: object) -> Channel:
    """Return a channel to something that alerts may be sent to.

    Args:
        target: A channel, or a function that takes an alert.

    Raises:
        BadOptionError: It is neither.
    """
    if isinstance(target, Channel):
        return target
    if callable(target):
        return Function(target)
    shown = "a text" if isinstance(target, str) else repr(target)  # Which may be an address.
    raise BadOptionError(
        f"Alerts can't be sent to {shown}; it takes a Webhook, a Slack, a function, or a channel "
        "of your own, which has send."
    )


def _opener() -> OpenerDirector:
    # Without what follows redirects, opens files, or makes exceptions of answers.
    opener = OpenerDirector()
    for handler in (ProxyHandler(), HTTPHandler(), HTTPSHandler()):
        opener.add_handler(handler)
    return opener


def _host(url: object) -> str:
    try:
        parts = urlsplit(url) if isinstance(url, str) and _ADDRESS.fullmatch(url) else None
        if parts is not None and parts.hostname and parts.username is None:
            host = parts.hostname
            return host if parts.port is None else f"{host}:{parts.port}"
    except ValueError:
        pass
    raise BadOptionError(
        "A webhook's address, which is not shown as it is a secret, is not one that can be posted "
        "to; it takes an http or https URL without a user in it, such as https://example.com/hook."
    ) from None


def _positive(name: str, seconds: float) -> float:
    if not 0 < seconds < float("inf"):
        raise BadOptionError(f"{name} is {seconds!r}; it takes seconds, more than 0.")
    return seconds


def _place(error: Exception) -> str:
    """Return what was raised, and where."""
    frames = extract_tb(error.__traceback__)
    last = frames[-1] if frames else None
    where = f" in {Path(last.filename).name}, line {last.lineno}" if last is not None else ""
    return f"{type(error).__qualname__}{where}"
