"""The handler that counts runs for Prometheus."""

from __future__ import annotations

import threading
from typing import Any
from weakref import WeakKeyDictionary

from callboard.integrations.base import RunRecord, RunTreeHandler
from callboard.integrations.extras import load

__all__ = ["PrometheusCallbackHandler"]

_SECONDS = (0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 20, 40, 80, 160)
_OTHER = "other"


class PrometheusCallbackHandler(RunTreeHandler):
    """Counts model calls, their tokens and costs, and how long they, tools and chains take.

    Labels are bounded: no ids, tags or users; of models, tools and chains the first `max_names`
    are told apart, and the rest is ``other``. Handlers on one registry share its metrics.

    Nothing is opened: expose the registry as the application does, or with
    ``prometheus_client.start_http_server``.
    """

    def __init__(
        self,
        registry: Any = None,
        *,
        max_names: int = 100,
        exemplars: bool = True,
        **options: Any,
    ) -> None:
        """Make a handler.

        Args:
            registry: Where metrics are registered; the client's default registry, by default.
            max_names: How many values a label may have.
            exemplars: Whether durations and failures name a trace, where the exposition has a
                place for that (OpenMetrics).
            **options: See `RunTreeHandler`: ``prices``, ``max_runs``.

        Raises:
            MissingExtraError: prometheus-client is not installed.
        """
        client = load("prometheus_client", "prometheus-client", "prometheus")
        super().__init__(content=False, **options)
        self._metrics = _metrics_on(client, client.REGISTRY if registry is None else registry)
        self._names = {label: _Names(max_names) for label in ("model", "provider", "tool", "name")}
        self._exemplars = exemplars

    def run_started(self, record: RunRecord) -> None:
        """Count a model's call as under way."""
        if record.is_model:
            record.kept = self._model_labels(record)
            self._metrics.in_flight.labels(*record.kept).inc()

    def run_ended(self, record: RunRecord) -> None:
        """Count a run, by its kind."""
        exemplar = {"trace_id": record.trace_id.hex} if self._exemplars else None
        if record.is_model:
            self._count_call(record, exemplar)
        elif record.type == "tool":
            labels = self._names["tool"].known(record.name), record.status
            self._metrics.tools.labels(*labels).observe(record.latency or 0.0, exemplar)
        elif record.type == "chain" and record.parent is None:
            labels = self._names["name"].known(record.name), record.status
            self._metrics.chains.labels(*labels).observe(record.latency or 0.0, exemplar)

    def _count_call(self, record: RunRecord, exemplar: dict[str, str] | None) -> None:
        metrics = self._metrics
        labels = record.kept or self._model_labels(record)
        if record.kept:
            metrics.in_flight.labels(*labels).dec()
        metrics.requests.labels(*labels, record.status).inc(1, exemplar)
        if record.status == "unfinished":
            return
        metrics.duration.labels(*labels).observe(record.latency or 0.0, exemplar)
        if record.time_to_first_token is not None:
            metrics.first_token.labels(*labels).observe(record.time_to_first_token, exemplar)
        for kind, count in _tokens(record).items():
            if count:
                metrics.tokens.labels(*labels, kind).inc(count)
        if record.cost is not None and record.cost.total is not None:
            metrics.cost.labels(*labels).inc(max(record.cost.total, 0.0))
        elif record.status == "ok":
            metrics.unpriced.labels(*labels).inc()

    def _model_labels(self, record: RunRecord) -> tuple[str, str]:
        model = self._names["model"].known(record.model or "unknown")
        return model, self._names["provider"].known(record.provider or "unknown")


def _tokens(record: RunRecord) -> dict[str, int | None]:
    """Return counts of tokens by type; cached ones are in the input, reasoning in the output."""
    tokens = record.tokens
    if tokens is None:
        return {}
    return {
        "input": tokens.prompt,
        "output": tokens.completion,
        "cache_read": tokens.prompt_details.get("cache_read"),
        "cache_write": tokens.prompt_details.get("cache_creation"),
        "reasoning": tokens.completion_details.get("reasoning"),
    }


class _Names:
    """The values of a label: the first so many, and one for the rest."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._known: set[str] = set()

    def known(self, name: str) -> str:
        if name in self._known:
            return name
        if len(self._known) >= self._limit:
            return _OTHER
        self._known.add(name)
        return name


class _Metrics:
    """The metrics of one registry."""

    def __init__(self, client: Any, registry: Any) -> None:
        model = ("model", "provider")

        def counter(name: str, what: str, labels: tuple[str, ...]) -> Any:
            return client.Counter(name, what, labels, registry=registry)

        def histogram(name: str, what: str, labels: tuple[str, ...]) -> Any:
            return client.Histogram(name, what, labels, registry=registry, buckets=_SECONDS)

        self.requests = counter("llm_requests", "Model calls.", (*model, "status"))
        self.tokens = counter("llm_tokens", "Tokens used, by type.", (*model, "type"))
        self.cost = counter("llm_cost_usd", "What calls cost, as far as it is known.", model)
        self.unpriced = counter("llm_unpriced_requests", "Calls without a known cost.", model)
        self.in_flight = client.Gauge(
            "llm_requests_in_flight",
            "Model calls under way.",
            model,
            registry=registry,
            multiprocess_mode="livesum",
        )
        self.duration = histogram("llm_request_duration_seconds", "How long calls take.", model)
        self.first_token = histogram(
            "llm_time_to_first_token_seconds", "How long the first token takes.", model
        )
        self.tools = histogram("tool_duration_seconds", "How long tools take.", ("tool", "status"))
        self.chains = histogram(
            "chain_duration_seconds", "How long outermost chains take.", ("name", "status")
        )


_registered: WeakKeyDictionary[Any, _Metrics] = WeakKeyDictionary()
_registering = threading.Lock()


def _metrics_on(client: Any, registry: Any) -> _Metrics:
    """Return the metrics of a registry, which takes each name once."""
    with _registering:
        if registry not in _registered:
            _registered[registry] = _Metrics(client, registry)
        return _registered[registry]
