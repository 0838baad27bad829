"""Schemes: which sink an endpoint means, by the part of it before the colon.

A sink is made by a factory. Those of Callboard are found by name when they are needed, so that what
one of them needs is only loaded, or missed, by whoever uses it. Others are registered.
"""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from importlib.util import find_spec
from typing import NamedTuple, Protocol

from callboard.errors import BadOptionError, MissingExtraError
from callboard.export.sinks.base import Sink

__all__ = ["SinkFactory", "open_sink", "register_sink"]


class SinkFactory(Protocol):
    """Makes a sink; see `callboard.export.sinks.base` for what that may cost."""

    def __call__(
        self, endpoint: str, api_key: str | None = None, *, headers: Mapping[str, str] | None = None
    ) -> Sink:
        """Make a sink.

        Args:
            endpoint: As the user wrote it, scheme included.
            api_key: The key, if there is one; a sink that needs none ignores it.
            headers: Headers for each request, if it makes requests.

        Raises:
            BadOptionError: The endpoint is none that it could send to.
            MissingExtraError: It needs a package that is not installed.
        """
        ...


class _Named(NamedTuple):
    """A factory that is found by name."""

    module: str
    factory: str
    what: str
    extra: str
    package: str | None = None
    """What the extra installs, if the factory does not look for that itself."""


_HTTP = _Named("callboard.export.sinks.http", "HttpSink", "send over HTTP", "export")
_STORE = _Named(
    "callboard.store.endpoints", "open_file_sink", "write to a local file", "server", "apsw"
)

_factories: dict[str, _Named | SinkFactory] = {
    "http": _HTTP,
    "https": _HTTP,
    "file": _STORE,
    "callboard": _STORE,
}


def register_sink(scheme: str, factory: SinkFactory) -> None:
    """Have endpoints with a scheme mean a sink of your own.

    Args:
        scheme: The part before the colon, such as ``"kafka"``. What it meant before is replaced.
        factory: Makes the sink.

    Raises:
        BadOptionError: It is no scheme.
    """
    if not (scheme.isascii() and scheme.isalnum() and scheme.islower()):
        raise BadOptionError(f"scheme is {scheme!r}, and takes small letters and digits alone.")
    _factories[scheme] = factory


def open_sink(
    endpoint: str, api_key: str | None = None, *, headers: Mapping[str, str] | None = None
) -> Sink:
    """Make the sink that an endpoint means; nothing is sent yet.

    Args:
        endpoint: Such as ``http://127.0.0.1:1984`` or ``file:///home/me/callboard.db``.
        api_key: The key, if there is one.
        headers: More headers for each request.

    Raises:
        BadOptionError: There is no sink for that scheme, or the endpoint is none of its.
        MissingExtraError: What it takes is not installed.
    """
    scheme, colon, _ = endpoint.partition(":")
    factory = _factories.get(scheme.lower()) if colon else None
    if factory is None:
        raise BadOptionError(
            f"The endpoint is {_shown(endpoint)}; it takes an http or https URL, such as "
            f"http://127.0.0.1:1984, or one that begins with {_others()}."
        )
    if isinstance(factory, _Named):
        factory = _found(factory, endpoint)
    return factory(endpoint, api_key, headers=headers)


def _found(named: _Named, endpoint: str) -> SinkFactory:
    if named.package is not None and find_spec(named.package) is None:
        raise MissingExtraError(
            f"The endpoint is {_shown(endpoint)}: to {named.what}, the package {named.package} is "
            f"needed, which is not installed: pip install 'callboard[{named.extra}]'."
        )
    factory: SinkFactory = getattr(import_module(named.module), named.factory)
    return factory


def _shown(endpoint: str) -> str:
    # What has a password in it is not for a log.
    return "one with a user" if "@" in endpoint else repr(endpoint)


def _others() -> str:
    return ", ".join(f"{scheme}:" for scheme in sorted(_factories.keys() - {"http", "https"}))
