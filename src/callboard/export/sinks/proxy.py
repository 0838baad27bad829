"""Proxies: whether a server is reached through one, as the environment says."""

from __future__ import annotations

from ipaddress import ip_address
from typing import NamedTuple
from urllib.parse import unquote, urlsplit

from callboard.errors import BadOptionError

__all__ = ["Proxy", "proxy_to"]


class Proxy(NamedTuple):
    """A proxy, and what it wants to know.

    Attributes:
        url: Where it is, with neither user nor password.
        credentials: User and password, with a colon between, if it wants them.
    """

    url: str
    credentials: str | None = None


def proxy_to(origin: str) -> Proxy | None:
    """Return the proxy through which a server is reached; None if it is reached directly.

    ``HTTPS_PROXY`` or ``HTTP_PROXY``, by what the server is spoken to with, else ``ALL_PROXY``,
    unless ``NO_PROXY`` has the server; in small letters too. This machine needs no proxy.

    Args:
        origin: The server's scheme, host and port.

    Raises:
        BadOptionError: The proxy is none that could be used.
    """
    # Here, as it loads all that the standard library has for the web.
    from urllib.request import (  # noqa: PLC0415
        getproxies_environment,
        proxy_bypass_environment,
    )

    server = urlsplit(origin)
    proxies = getproxies_environment()
    told = proxies.get(server.scheme) or proxies.get("all")
    if not told or _is_here(server.hostname or ""):
        return None
    if proxy_bypass_environment(server.netloc, proxies):
        return None
    return _read(told if "://" in told else f"http://{told}")


def _is_here(host: str) -> bool:
    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False


def _read(told: str) -> Proxy:
    try:
        parts = urlsplit(told)
        host, port = parts.hostname, parts.port
    except ValueError:
        raise _refused() from None
    if parts.scheme not in {"http", "https"} or not host:
        raise _refused()
    name = f"[{host}]" if ":" in host else host
    url = f"{parts.scheme}://{name}" + (f":{port}" if port else "")
    if parts.username is None:
        return Proxy(url)
    return Proxy(url, f"{unquote(parts.username)}:{unquote(parts.password or '')}")


def _refused() -> BadOptionError:
    # It may have a password in it, which is not for a log.
    return BadOptionError(
        "The proxy that HTTP_PROXY, HTTPS_PROXY or ALL_PROXY names can't be used; it takes an http "
        "or https URL, such as http://proxy.example.com:3128, or NO_PROXY with the server's name."
    )
