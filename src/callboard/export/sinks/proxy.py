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
    from urllib.request import getproxies_environment  # noqa: PLC0415

    server = urlsplit(origin)
    proxies = getproxies_environment()
    told = proxies.get(server.scheme) or proxies.get("all")
    host = server.hostname or ""
    if not told or _is_here(host) or _is_excepted(host, server.netloc, proxies.get("no", "")):
        return None
    return _read(told if "://" in told else f"http://{told}")


def _is_here(host: str) -> bool:
    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False


def _is_excepted(host: str, netloc: str, excepted: str) -> bool:
    """Whether a list has a server: its name, with or without port, a domain of it, or a star."""
    names = [name.strip().lower().lstrip(".") for name in excepted.split(",") if name.strip()]
    return any(name in ("*", netloc.lower()) or f".{host}".endswith(f".{name}") for name in names)


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
