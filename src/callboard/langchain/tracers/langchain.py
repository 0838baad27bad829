"""What stands for ``langchain_core.tracers.langchain`` once Callboard is installed.

Our tracer, in the SDK's surroundings: where runs go is what the SDK says (its context, its
`configure`, its environment variables), and they go by a client of the SDK's if the program has
one. Otherwise they go through Callboard's exporter, and so do the SDK's own runs.
"""

from __future__ import annotations

import logging
import time
from abc import ABCMeta
from collections.abc import Callable, Generator, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import cache
from typing import Any, cast
from uuid import UUID

from langchain_core.env import get_runtime_environment
from langchain_core.load import dumpd
from langsmith import address as addresses
from langsmith import run_trees
from langsmith.run_helpers import _TRACING_ENABLED  # pyright: ignore[reportPrivateUsage]
from langsmith.utils import LangSmithError

from callboard.langchain.client import ExporterClient, default_client, exporter_client, redacting
from callboard.langchain.redacting import RedactingClient
from callboard.langsmith import tracer as alone
from callboard.langsmith.defaults import NEAREST_WINS, fill_in_metadata
from callboard.langsmith.exporters import default_exporter
from callboard.langsmith.runtime import runtime
from callboard.redaction import Redaction
from callboard.tracing.kinds import CHAT_MODEL, LLM
from callboard.tracing.run import Run
from callboard.usage import Usage, add_usage
from callboard.wire.operations import Content

__all__ = [
    "OVERRIDABLE_LANGSMITH_INHERITABLE_METADATA_KEYS",
    "LangChainTracer",
    "_get_executor",
    "_get_usage_metadata_from_generations",
    "_get_usage_metadata_from_message",
    "_patch_missing_metadata",
    "get_client",
    "log_error_once",
    "wait_for_all_tracers",
]

logger = logging.getLogger(__name__)

OVERRIDABLE_LANGSMITH_INHERITABLE_METADATA_KEYS = NEAREST_WINS

_DISABLED = "__disabled"
"""Marks runs, in ``extra``, that the SDK's context said were not to be traced."""
_PAUSES = (1.0, 2.0, 4.0, 8.0)
"""Seconds to wait until a server may know a run that it was just sent."""


def get_client() -> Any:
    """Return the client that runs go by: the program's, or one that is our exporter's."""
    return default_client()


def wait_for_all_tracers() -> None:
    """Wait until what all tracers have sent so far has arrived."""
    get_client().flush()
    exporter_client().flush()


_logged: set[tuple[str, type[Exception]]] = set()


def log_error_once(method: str, exception: Exception) -> None:
    """Log an exception, once for each place and class.

    Args:
        method: Where it was raised.
        exception: The exception.
    """
    kind = (method, type(exception))
    if kind not in _logged:
        _logged.add(kind)
        logger.error("%s: %r", method, exception)


@cache
def _get_executor() -> ThreadPoolExecutor:
    return ThreadPoolExecutor()


class _Tracers(ABCMeta):
    """Takes tracers that were made by Callboard's own class for LangChain's."""

    def __instancecheck__(cls, instance: object) -> bool:
        if cls is LangChainTracer:
            return isinstance(instance, alone.LangChainTracer)
        return super().__instancecheck__(instance)


class LangChainTracer(alone.LangChainTracer, metaclass=_Tracers):
    """Sends each run when it starts and again when it has ended, to where the SDK says."""

    def __init__(
        self,
        example_id: UUID | str | None = None,
        project_name: str | None = None,
        client: Any | None = None,
        tags: list[str] | None = None,
        *,
        metadata: Mapping[str, Any] | None = None,
        address: Any | None = None,
        **kwargs: Any,
    ) -> None:
        """Make a tracer.

        Args:
            example_id: The dataset example that root runs are said to run.
            project_name: The project that runs belong to. If neither it nor an address is
                given, the SDK's context or the environment says where they go.
            client: A ``langsmith.Client`` to send through; if not given, the program's
                default one if it has one, else our exporter.
            tags: Tags for every run.
            metadata: Metadata for every run that has no other value for the key.
            address: The agent to send runs to, instead of a project.
            **kwargs: See `callboard.tracers.LangChainTracer`.

        Raises:
            LangSmithUserError: The address is not an agent's.
        """
        super().__init__(
            example_id,
            project_name,
            client or get_client(),
            tags,
            metadata=metadata,
            address=None if address is None else addresses.ensure_agent(address),
            **kwargs,
        )
        self.project_name = project_name
        # A parent may be a `RunTree` of the program's, which is then asked for its children.
        self._recorder.keeps_children = True

    @property
    def run_has_token_event_map(self) -> dict[str, bool]:
        """The running models whose first token has come, by id as text."""
        return {
            run_id: True
            for run_id, run in self.run_map.items()
            if any(event["name"] == "new_token" for event in run.events)
        }

    def on_chat_model_start(
        self, serialized: dict[str, Any], messages: Any, *, run_id: UUID, **kwargs: Any
    ) -> Run:
        """Record the start of a chat model.

        Vendors' tracers, such as OpenInference's, have this done for theirs: they call it on a
        tracer that is none of this class, and whose format knows no chat models.
        """
        tracer: Any = self
        if isinstance(tracer, LangChainTracer):
            return super().on_chat_model_start(serialized, messages, run_id=run_id, **kwargs)
        given = [[dumpd(message) for message in conversation] for conversation in messages]
        kwargs["run_type"] = LLM.run_type
        run = tracer._recorded_start(CHAT_MODEL, serialized, given, run_id, kwargs)
        return cast("Run", tracer._begin_run(run, "_on_chat_model_start"))

    def _start_trace(self, run: Run) -> None:
        super()._start_trace(run)
        if _TRACING_ENABLED.get() is False:  # To ask for the whole context takes ten times that.
            run.extra[_DISABLED] = True

    def _settle_destination(self, run: Any, parent: Any) -> None:
        # A run of the SDK's own finds out where a root goes, from all who have a say in it.
        settled = parent or run_trees.RunTree(
            id=run.id, name=run.name, project_name=self.project_name, address=self.address
        )
        run.session_name = settled.session_name
        address = getattr(settled, "address", None)  # A parent may be of Callboard's own kind.
        if address is not None:
            run.address = address
        replicas = getattr(settled, "replicas", None)
        if replicas is not None:
            run.replicas = replicas
        if run.ls_client is None:
            run.ls_client = self.client

    def _persist_run_single(self, run: Run) -> None:
        if run.extra.get(_DISABLED):
            return
        try:
            super()._persist_run_single(run)
        except Exception as error:
            log_error_once("post", error)
            raise

    def _update_run_single(self, run: Run) -> None:
        if run.extra.get(_DISABLED):
            return
        try:
            super()._update_run_single(run)
        except Exception as error:
            log_error_once("patch", error)
            raise

    def _post(self, run: Any) -> None:
        run.extra["runtime"] = _runtime().copy()
        if self._is_plain(run):
            super()._post(run)
        else:
            with self._sending(run):
                run.post()

    def _patch(self, run: Any, *, with_inputs: bool) -> None:
        if self._is_plain(run):
            super()._patch(run, with_inputs=with_inputs)
        else:
            with self._sending(run):
                run.patch(exclude_inputs=not with_inputs)

    @contextmanager
    def _sending(self, run: Any) -> Generator[None]:
        """Have what a run sends redacted, by whichever client it goes."""
        redactions, replicas = self._redactions, run.replicas
        run.ls_client = _redacting(self.client, redactions)
        if replicas and redactions:
            run.replicas = [
                {**each, "client": _redacting(each["client"], redactions)}
                if each.get("client")
                else each
                for each in replicas
            ]
        try:
            with redacting(redactions):
                yield
        finally:
            run.ls_client, run.replicas = self.client, replicas

    def _is_plain(self, run: Any) -> bool:
        """Whether a run goes to a project, through our exporter: no need to ask the SDK then."""
        if self._destination is not None:
            return True
        if not isinstance(self.client, ExporterClient):
            return False
        return run.address is None and not run.replicas

    @property
    def _exporter(self) -> alone.Destination:
        if isinstance(self.client, ExporterClient):
            return self._destination or default_exporter()
        return super()._exporter

    @property
    def _finish(self) -> Callable[[Content], Content] | None:
        return self.client.complete if isinstance(self.client, ExporterClient) else None

    def _samples(self, trace_id: UUID) -> bool:
        if isinstance(self.client, ExporterClient):
            return self.client.samples(trace_id)
        return super()._samples(trace_id)

    def get_run_url(self) -> str:
        """Return the address of the last trace on its server.

        Raises:
            NoTracedRunError: No trace has ended yet.
            LangSmithError: The server can't be asked, or does not know the trace.
        """
        for pause in _PAUSES:
            try:
                return super().get_run_url()
            except LangSmithError:
                time.sleep(pause)
        return super().get_run_url()

    @property
    def _goes_by_client(self) -> bool:
        return not isinstance(self.client, ExporterClient)

    def wait_for_futures(self, timeout: float = 30.0) -> bool:
        """Wait until what has been sent so far has arrived.

        Args:
            timeout: How long at the most, in seconds; the SDK's own clients do not heed it.

        Returns:
            Whether it has, as far as is known.
        """
        if self._destination is not None or isinstance(self.client, ExporterClient):
            return super().wait_for_futures(timeout)
        cast("Any", self.client).flush()
        return True


def _redacting(client: Any, redactions: Sequence[Redaction]) -> Any:
    """Return a client, or what stands before it; ours redacts by itself."""
    if not redactions or isinstance(client, ExporterClient):
        return client
    return RedactingClient(client, redactions)


@cache
def _runtime() -> dict[str, str]:
    return {**runtime(), **get_runtime_environment()}


def _patch_missing_metadata(tracer: LangChainTracer, run: Run) -> None:
    fill_in_metadata(run, tracer.tracing_metadata)


def _get_usage_metadata_from_generations(
    generations: Iterable[Iterable[Mapping[str, Any]]],
) -> Usage | None:
    total: Usage | None = None
    for candidates in generations:
        for generation in candidates:
            usage = _get_usage_metadata_from_message(generation.get("message"))
            if usage is not None:
                total = add_usage(total or {}, usage)
    return total


def _get_usage_metadata_from_message(message: Any) -> Usage | None:
    kwargs = message.get("kwargs") if isinstance(message, Mapping) else None
    usage = kwargs.get("usage_metadata") if isinstance(kwargs, Mapping) else None
    return cast("Usage", usage) if isinstance(usage, dict) else None
