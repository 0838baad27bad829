"""The handler that counts runs for Prometheus."""

from __future__ import annotations

import sys
from typing import Any, NamedTuple
from weakref import WeakKeyDictionary

from callboard.integrations.base import RunRecord, RunTreeHandler
from callboard.integrations.extras import load
from callboard.integrations.holds import Hold
from callboard.integrations.names import Names

__all__ = ["PrometheusCallbackHandler"]

_SECONDS = (0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 20, 40, 80, 160)
# What is timed besides model calls: the label that has its name, and what the metric is.
_TIMED = {
    "chain": ("name", "How long outermost chains take."),
    "retriever": ("retriever", "How long retrievers take."),
    "tool": ("tool", "How long tools take."),
}


class PrometheusCallbackHandler(RunTreeHandler):
    """Counts model calls, their tokens and costs, and how long they, tools and chains take.

    Labels are bounded: no ids, tags or users; of models, tools, retrievers and chains the first
    `max_names` are told apart, and the rest is ``other``. Handlers on one registry share its
    metrics, and these names.

    Nothing is opened: expose the registry as the application does, or with
    ``prometheus_client.start_http_server``.
    """

    def __init__(
        self,
        registry: Any = None,
        *,
        namespace: str = "",
        max_names: int = 100,
        exemplars: bool = True,
        **options: Any,
    ) -> None:
        """Make a handler.

        Args:
            registry: Where metrics are registered; the client's default registry, by default.
            namespace: What the metrics' names begin with, and an underscore.
            max_names: How many values a label may have.
            exemplars: Whether durations and failures name a trace, where the exposition has a
                place for that (OpenMetrics): OpenTelemetry's, if the run started in a span that
                is sampled, or else the run's own.
            **options: See `RunTreeHandler`: ``prices``, ``max_runs``.

        Raises:
            MissingExtraError: prometheus-client is not installed.
            ValueError: The registry has other metrics of these names.
        """
        client = load("prometheus_client", "prometheus-client", "prometheus")
        super().__init__(content=False, **options)
        registry = client.REGISTRY if registry is None else registry
        self._metrics = _metrics_on(client, registry, namespace)
        self._max_names = max_names
        self._exemplars = exemplars

    def run_started(self, record: RunRecord) -> None:
        """Count a model's call as under way."""
        started = _Started(
            self._model_labels(record) if record.is_model else None,
            _exemplar(record) if self._exemplars else None,
        )
        record.kept = started
        if started.model is not None:
            self._metrics.in_flight(*started.model).inc()

    def run_ended(self, record: RunRecord) -> None:
        """Count a run, by its kind."""
        started = record.kept
        if not isinstance(started, _Started):
            return
        if started.model is not None:
            self._count_call(record, started.model, started.exemplar)
        elif record.type in _TIMED and (record.type != "chain" or record.parent is None):
            label, _ = _TIMED[record.type]
            timed = self._metrics.timed[record.type]
            name = self._told_apart(label, record.name)
            timed(name, record.status).observe(record.latency or 0.0, started.exemplar)

    def _count_call(
        self, record: RunRecord, labels: tuple[str, str], exemplar: dict[str, str] | None
    ) -> None:
        metrics = self._metrics
        metrics.in_flight(*labels).dec()
        metrics.requests(*labels, record.status).inc(1, exemplar)
        if record.status == "unfinished":
            return
        metrics.duration(*labels).observe(record.latency or 0.0, exemplar)
        if record.time_to_first_token is not None:
            metrics.first_token(*labels).observe(record.time_to_first_token, exemplar)
        for kind, count in _tokens(record).items():
            if count:
                metrics.tokens(*labels, kind).inc(count)
        if record.cost is not None and record.cost.total is not None:
            metrics.cost(*labels).inc(max(record.cost.total, 0.0))
        elif record.status == "ok":
            metrics.unpriced(*labels).inc()

    def _model_labels(self, record: RunRecord) -> tuple[str, str]:
        model = self._told_apart("model", record.model or "unknown")
        return model, self._told_apart("provider", record.provider or "unknown")

    def _told_apart(self, label: str, name: str) -> str:
        return self._metrics.names[label].known(name, self._max_names)


class _Started(NamedTuple):
    """What is kept of a run that has started: a model's labels, and what names its trace."""

    model: tuple[str, str] | None
    exemplar: dict[str, str] | None


def _exemplar(record: RunRecord) -> dict[str, str]:
    """Return what names a run's trace: where OpenTelemetry is in use, it is its name for it."""
    if (api := sys.modules.get("opentelemetry.trace")) is not None:
        current = api.get_current_span().get_span_context()
        if current.is_valid and current.trace_flags.sampled:
            return {"trace_id": f"{current.trace_id:032x}"}
    return {"trace_id": record.trace_id.hex}


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


class _Metric:
    """A metric, whose children are remembered: the client takes longer to find one."""

    def __init__(self, metric: Any) -> None:
        self._metric = metric
        self._children: dict[tuple[str, ...], Any] = {}

    def __call__(self, *labels: str) -> Any:
        child = self._children.get(labels)
        if child is None:
            child = self._children[labels] = self._metric.labels(*labels)
        return child


class _Metrics:
    """The metrics of one registry, and the names that they tell apart."""

    def __init__(self, client: Any, registry: Any, namespace: str) -> None:
        model = ("model", "provider")
        place = {"registry": registry, "namespace": namespace}

        def counter(name: str, what: str, labels: tuple[str, ...]) -> _Metric:
            return _Metric(client.Counter(name, what, labels, **place))

        def histogram(name: str, what: str, labels: tuple[str, ...]) -> _Metric:
            return _Metric(client.Histogram(name, what, labels, buckets=_SECONDS, **place))

        self.requests = counter("llm_requests", "Model calls.", (*model, "status"))
        self.tokens = counter("llm_tokens", "Tokens used, by type.", (*model, "type"))
        self.cost = counter("llm_cost_usd", "What calls cost, as far as it is known.", model)
        self.unpriced = counter("llm_unpriced_requests", "Calls without a known cost.", model)
        self.in_flight = _Metric(
            client.Gauge(
                "llm_requests_in_flight",
                "Model calls under way.",
                model,
                multiprocess_mode="livesum",
                **place,
            )
        )
        self.duration = histogram("llm_request_duration_seconds", "How long calls take.", model)
        self.first_token = histogram(
            "llm_time_to_first_token_seconds", "How long the first token takes.", model
        )
        self.timed = {
            kind: histogram(f"{kind}_duration_seconds", what, (label, "status"))
            for kind, (label, what) in _TIMED.items()
        }
        labels = (*model, *(label for label, _ in _TIMED.values()))
        self.names = {label: Names() for label in labels}


_registered: WeakKeyDictionary[Any, dict[str, _Metrics]] = WeakKeyDictionary()
_registering = Hold()


def _metrics_on(client: Any, registry: Any, namespace: str) -> _Metrics:
    """Return the metrics of a registry, which takes each name once."""
    with _registering:
        known = _registered.setdefault(registry, {})
        if namespace not in known:
            known[namespace] = _Metrics(client, registry, namespace)
        return known[namespace]
