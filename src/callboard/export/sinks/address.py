"""Addresses: an endpoint as users write it, and the paths below it."""

from __future__ import annotations

from urllib.parse import urlsplit

from callboard.errors import BadOptionError

__all__ = ["Address", "refused"]


class Address:
    """Where a server is.

    An endpoint may be written with or without ``/api`` or ``/api/v1``, and with a slash at the
    end or not; paths of the ingest are joined to it as it is (LangSmith protocol: URL prefixes).

    Attributes:
        origin: Scheme, host and port: what a connection is made to.
    """

    __slots__ = ("_prefix", "origin")

    def __init__(self, endpoint: str) -> None:
        """Read an endpoint.

        Args:
            endpoint: Such as ``https://api.smith.langchain.com`` or ``http://127.0.0.1:1984/api``.

        Raises:
            BadOptionError: It is no URL that could be sent to.
        """
        try:
            parts = urlsplit(endpoint)
            port = parts.port
        except (AttributeError, TypeError, ValueError):
            raise refused(endpoint) from None
        host = parts.hostname
        if parts.scheme not in {"http", "https"} or not host or any(map(str.isspace, endpoint)):
            raise refused(endpoint)
        if parts.username or parts.query or parts.fragment:
            raise refused("one with a user, a query or a fragment")
        name = f"[{host}]" if ":" in host else host
        self.origin = f"{parts.scheme}://{name}" + (f":{port}" if port else "")
        self._prefix = parts.path.rstrip("/")

    def __str__(self) -> str:
        return self.origin + self._prefix

    def path(self, path: str) -> str:
        """Return the path of a request.

        Args:
            path: Where below the endpoint, such as ``/info``.
        """
        return self._prefix + path


def refused(endpoint: object) -> BadOptionError:
    """Return the error for an endpoint that is none.

    Args:
        endpoint: As it was given, or a phrase that begins with "one" if it is not to be shown.
    """
    shown = endpoint if isinstance(endpoint, str) and endpoint.startswith("one") else repr(endpoint)
    return BadOptionError(
        f"The endpoint is {shown}; it takes an http or https URL, such as http://127.0.0.1:1984."
    )
