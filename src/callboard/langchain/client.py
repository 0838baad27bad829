"""The ``langsmith`` client that sends through Callboard's exporter.

It is the SDK's in all but how runs leave the process: not by the SDK's queue, but by the same
exporter, with the same spool, as the tracer's own. So what a program does with a run itself
(``run.post()``, a ``@traceable`` function inside a chain or around it), and runs that go to
several servers or to an agent's address, are on the way that all runs are on.
"""

from __future__ import annotations

from collections.abc import Generator, Iterable, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cache
from typing import Any
from uuid import UUID

from langsmith import Client, run_trees
from langsmith import utils as variables

from callboard.environment import also_forget
from callboard.langchain.redacting import operation_of
from callboard.langsmith import settings
from callboard.langsmith.exporters import default_exporter
from callboard.langsmith.servers import Server, exporter_to, flush_servers
from callboard.redaction import Redaction
from callboard.wire.operations import Content, Operation

__all__ = [
    "ExporterClient",
    "default_client",
    "exporter_client",
    "redacting",
    "stand_down",
    "stand_in",
]

# LangSmith protocol: transport and authentication.
_HEADERS = {
    "service_key": "X-Service-Key",
    "tenant_id": "X-Tenant-Id",
    "authorization": "Authorization",
    "cookie": "Cookie",
}
# With one of these, a request needs no key.
_PROOFS = ("service_key", "authorization", "cookie")
_FLUSH_SECONDS = 30.0


class ExporterClient(Client):
    """A ``langsmith.Client`` whose runs are sent by Callboard's exporter."""

    def __init__(self) -> None:
        """Make a client by what the environment says."""
        super().__init__(auto_batch_tracing=False, tracing_mode="langsmith")

    # The SDK calls these two with what is to be sent: sampled, with what is to be hidden hidden.

    def _create_run(
        self,
        run_create: dict[str, Any],
        *,
        _replica_auths: Sequence[Any] | None = None,
        **auth: str | None,
    ) -> None:
        _submit(operation_of("create", run_create), _servers(_replica_auths, auth))

    def _update_run(
        self,
        run_update: dict[str, Any],
        *,
        _replica_auths: Sequence[Any] | None = None,
        **auth: str | None,
    ) -> None:
        _submit(operation_of("update", run_update), _servers(_replica_auths, auth))

    def samples(self, trace_id: UUID) -> bool:
        """Whether a trace is among those to send, by the SDK's rule.

        Args:
            trace_id: The trace.
        """
        if self.tracing_sample_rate is None:
            return True
        return bool(self._filter_for_sampling([{"trace_id": trace_id}]))

    def complete(self, content: Content) -> Content:
        """Return what is sent of a run with what the SDK has all runs say, in ``extra``.

        That is what they run on, which revision of the program they are of, and which of the
        SDK's variables are set.

        Args:
            content: Anything but its ``extra`` is kept.
        """
        head, parts = content
        extra = dict(parts["extra"])
        extra["metadata"] = dict(extra.get("metadata") or {})
        extra["runtime"] = dict(extra.get("runtime") or {})
        self._insert_runtime_env([{"extra": extra}])
        return head, {**parts, "extra": extra}

    def flush(self, timeout: float | None = None) -> None:
        """Wait until what has been sent so far has arrived.

        Args:
            timeout: How long at the most, in seconds.
        """
        seconds = _FLUSH_SECONDS if timeout is None else timeout
        default_exporter().flush(seconds)
        flush_servers(seconds)


@cache
def exporter_client() -> ExporterClient:
    """Return the process's client, made the first time."""
    return ExporterClient()


_sdk: Any = run_trees  # Its default client is a private of it.
_sdks_own = run_trees.get_cached_client


def default_client(**options: Any) -> Client:
    """Return the client of all runs that are given no other.

    That is the one that the program configured the SDK with, or else our exporter's. But where
    the environment asks for OpenTelemetry, or a program for a client with options, it is the
    SDK's own, which knows how.

    Args:
        **options: What a client is to be made with, if there is none.
    """
    if _sdk._CLIENT is None and not options and not _goes_by_opentelemetry():
        _sdk._CLIENT = exporter_client()
    return _sdks_own(**options)


def _goes_by_opentelemetry() -> bool:
    """Whether the SDK would hand runs to OpenTelemetry, by its own rule."""
    mode = variables.get_env_var("TRACING_MODE")
    if mode is not None:
        return mode.lower() != "langsmith"
    return variables.is_env_var_truish("OTEL_ENABLED") or variables.is_env_var_truish("OTEL_ONLY")


def stand_in() -> None:
    """Have the SDK ask us for its default client; it is made, as ever, when it is needed."""
    run_trees.get_cached_client = default_client


def stand_down() -> None:
    """Leave the SDK's default client to the SDK again."""
    run_trees.get_cached_client = _sdks_own
    if isinstance(_sdk._CLIENT, ExporterClient):
        _sdk._CLIENT = None


def _forget_environment() -> None:
    """Forget what the SDK remembers of it, and the client that was made by it."""
    _sdks_variables.get_env_var.cache_clear()
    _sdks_variables.get_tracer_project.cache_clear()
    exporter_client.cache_clear()
    if isinstance(_sdk._CLIENT, ExporterClient):
        _sdk._CLIENT = None


_sdks_variables: Any = variables  # Their types don't tell that they are cached.
also_forget(_forget_environment)


def _submit(operation: Operation, servers: Iterable[Server]) -> None:
    head = operation.head
    is_over = head.get("parent_run_id") is None and head.get("end_time") is not None
    for server in servers:
        exporter_to(server).submit(operation, urgent=is_over, redactions=_redactions.get())


_redactions: ContextVar[Sequence[Redaction]] = ContextVar("callboard_redactions", default=())


@contextmanager
def redacting(redactions: Sequence[Redaction]) -> Generator[None]:
    """Have what is sent in a block redacted, besides what the environment says.

    Args:
        redactions: What is taken out of it.
    """
    token = _redactions.set(redactions)
    try:
        yield
    finally:
        _redactions.reset(token)


def _servers(replicas: Sequence[Any] | None, auth: Mapping[str, str | None]) -> list[Server]:
    return [_server(replica._asdict()) for replica in replicas or ()] or [_server(auth)]


def _server(auth: Mapping[str, str | None]) -> Server:
    """Return the server for what a replica says; ours, with our key, for what it doesn't say."""
    if not any(auth.values()):
        return Server()
    headers = tuple(
        (header, value) for name, header in _HEADERS.items() if (value := auth.get(name))
    )
    is_known = auth.get("api_key") or any(auth.get(name) for name in _PROOFS)
    return Server(
        auth.get("api_url"), auth.get("api_key") if is_known else settings.api_key(), headers
    )
