"""The platforms that the contract is held against: a row each.

A row makes the handler, with the platform's own client where that runs here, and says how to read
back what the platform was told. Platforms that are big to install have a module each in `big`,
which is imported when `make platforms` runs it.
"""

from __future__ import annotations

import io
import logging
from collections.abc import Callable
from dataclasses import dataclass, field
from importlib import import_module
from importlib.util import find_spec
from itertools import count
from typing import Any

import pytest

from callboard.integrations import (
    AlertCallbackHandler,
    AsyncHumanApprovalCallbackHandler,
    BudgetGuard,
    CostCallbackHandler,
    HumanApprovalCallbackHandler,
    JsonLinesCallbackHandler,
    LoggingCallbackHandler,
    RateLimit,
    RunRecord,
    RunTreeHandler,
)
from callboard.integrations.alerts import Alert, Rule
from callboard.integrations.alerts.slack import slack_message
from callboard.prices import PriceTable

PRICES = PriceTable.load(
    [{"name": "test", "model": "gpt-.*", "prompt": 1_000_000.0, "completion": 2_000_000.0}]
)
"""A dollar for a token that is given, two for one that is returned."""

_numbers = count()

EVERY = frozenset({"chain", "tool", "retriever", "llm", "chat_model"})
MODELS = frozenset({"llm", "chat_model"})


@dataclass
class Platform:
    """A handler, and how to see what its platform was told.

    Attributes:
        handler: The handler.
        text: All that the platform was told so far, as text.
        ended: How many runs it was told have ended; or, if it is asked before they run, of how
            many.
        types: The kinds of runs that it is told of.
        tells_content: Whether it is told what runs are given and return.
        is_open: Whether the client that the application opened is still open.
        streams: Whether it shows a model's text as it comes, and so is told of tokens.
        release: Ends what was opened for the test.
    """

    handler: Any
    text: Callable[[], str]
    ended: Callable[[], int]
    types: frozenset[str] = EVERY
    tells_content: bool = True
    is_open: Callable[[], bool] = field(default=lambda: True)
    streams: bool = False
    release: Callable[[], object] = field(default=lambda: None)

    @property
    def tree(self) -> RunTreeHandler:
        """The handler that holds the records."""
        return getattr(self.handler, "_meter", self.handler)


class EachIsWorse(Rule):
    """Is broken by every run, and more by each than by the one before: so each is shown."""

    def measure(self, record: RunRecord) -> float:
        return float(next(_numbers))


def alerts(**options: Any) -> Platform:
    told: list[Alert] = []
    rule = EachIsWorse(above=-1.0, statistic="worst", remind_every=0)
    handler = AlertCallbackHandler(rule, told.append, max_waiting=10**6, **options)

    def heard() -> list[Alert]:
        handler.flush(20)
        return told

    return Platform(
        handler,
        lambda: "\n".join(f"{each.as_dict()} {slack_message(each)}" for each in heard()),
        lambda: len(heard()),
        tells_content=False,
    )


def json_lines(**options: Any) -> Platform:
    stream = io.StringIO()
    return Platform(
        JsonLinesCallbackHandler(stream, **options),
        stream.getvalue,
        lambda: len(stream.getvalue().splitlines()),
        is_open=lambda: not stream.closed,
    )


class Kept(logging.Handler):
    """Keeps what is logged, with its fields."""

    def __init__(self) -> None:
        super().__init__()
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        fields = {name: each for name, each in vars(record).items() if name.startswith("run_")}
        self.lines.append(f"{record.getMessage()} {fields}")


def standard_logging(**options: Any) -> Platform:
    kept, logger = Kept(), logging.getLogger(f"test.{next(_numbers)}")
    logger.addHandler(kept)
    logger.setLevel(logging.INFO)
    logger.propagate = False
    return Platform(
        LoggingCallbackHandler(logger, **options),
        lambda: "\n".join(kept.lines),
        lambda: len(kept.lines),
        tells_content=False,
    )


class Structured:
    """A logger in structlog's form."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    def log(self, level: int, event: str, **fields: Any) -> None:
        self.lines.append(f"{level} {event} {fields}")


def structured_logging(**options: Any) -> Platform:
    logger = Structured()
    return Platform(
        LoggingCallbackHandler(logger, **options),
        lambda: "\n".join(logger.lines),
        lambda: len(logger.lines),
        tells_content=False,
    )


def costs(**options: Any) -> Platform:
    # What it would redact it does not hold.
    handler = CostCallbackHandler(prices=options.get("prices"))
    handler._max_runs = options.get("max_runs", handler._max_runs)
    return Platform(
        handler,
        lambda: f"{handler!r} {handler.by_model}",
        lambda: handler.successful_requests,
        types=MODELS,
        tells_content=False,
    )


def _gate(gate: Any, options: dict[str, Any]) -> Platform:
    counted: list[str] = []
    meter = gate._meter
    take = gate.count
    meter._count = lambda record: (counted.append(record.status), take(record))
    meter._max_runs = options.get("max_runs", meter._max_runs)
    return Platform(
        gate,
        lambda: " ".join(counted),
        lambda: len(counted),
        types=MODELS,
        tells_content=False,
    )


def budget(**options: Any) -> Platform:
    return _gate(BudgetGuard(max_tokens=10**9, prices=options.get("prices")), options)


def rate_limit(**options: Any) -> Platform:
    return _gate(RateLimit(requests=10**9, tokens=10**9), options)


def approval(kind: type[Any]) -> Callable[..., Platform]:
    """Make the row of a handler that holds nothing, and is told of tools before they run."""

    def make(**_options: Any) -> Platform:
        asked: list[str] = []
        return Platform(
            kind(lambda request: asked.append(request) is None, at_once=True),
            lambda: "\n".join(asked),
            lambda: len(asked),
            types=frozenset({"tool"}),
        )

    return make


def opentelemetry(conventions: str, content: bool | str = True) -> Callable[..., Platform]:
    def make(**options: Any) -> Platform:
        pytest.importorskip("opentelemetry.sdk", reason="opentelemetry-sdk is not installed")
        from opentelemetry.sdk._logs import LoggerProvider
        from opentelemetry.sdk._logs.export import (
            InMemoryLogRecordExporter,
            SimpleLogRecordProcessor,
        )
        from opentelemetry.sdk.metrics import MeterProvider
        from opentelemetry.sdk.metrics.export import InMemoryMetricReader
        from opentelemetry.sdk.trace import TracerProvider
        from opentelemetry.sdk.trace.export import SimpleSpanProcessor
        from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

        from callboard.integrations import OpenTelemetryCallbackHandler

        spans, reader = InMemorySpanExporter(), InMemoryMetricReader()
        events, loggers = InMemoryLogRecordExporter(), LoggerProvider(shutdown_on_exit=False)
        loggers.add_log_record_processor(SimpleLogRecordProcessor(events))
        provider = TracerProvider(shutdown_on_exit=False)
        provider.add_span_processor(SimpleSpanProcessor(spans))
        handler = OpenTelemetryCallbackHandler(
            tracer_provider=provider,
            meter_provider=MeterProvider([reader], shutdown_on_exit=False),
            logger_provider=loggers,
            conventions=conventions,
            **{"content": content, **options},
        )

        def text() -> str:
            told = [span.to_json() for span in spans.get_finished_spans()]
            told += [str(dict(each.log_record.attributes)) for each in events.get_finished_logs()]
            measured = reader.get_metrics_data()
            return "\n".join([*told, measured.to_json() if measured else ""])

        return Platform(
            handler,
            text,
            lambda: len(spans.get_finished_spans()),
            is_open=lambda: not spans._stopped,
        )

    return make


def prometheus(**options: Any) -> Platform:
    client = pytest.importorskip("prometheus_client", reason="prometheus-client is not installed")
    from callboard.integrations import PrometheusCallbackHandler

    registry = client.CollectorRegistry()

    def ended() -> int:
        counted = {"llm_requests_total", "tool_duration_seconds_count"}
        counted |= {"chain_duration_seconds_count", "retriever_duration_seconds_count"}
        return sum(
            int(sample.value)
            for metric in registry.collect()
            for sample in metric.samples
            if sample.name in counted
        )

    return Platform(
        PrometheusCallbackHandler(registry, **options),
        lambda: client.generate_latest(registry).decode(),
        ended,
        types=EVERY,
        tells_content=False,
    )


def rich_tree(**options: Any) -> Platform:
    console = pytest.importorskip("rich.console", reason="rich is not installed")
    from callboard.integrations import RichTreeCallbackHandler

    stream = io.StringIO()
    screen = console.Console(file=stream, width=200, force_terminal=False)
    return _tree(RichTreeCallbackHandler(screen, **options), stream)


def jupyter(**options: Any) -> Platform:
    pytest.importorskip("IPython", reason="IPython is not installed")
    from callboard.integrations import JupyterCallbackHandler

    stream = io.StringIO()
    return _tree(JupyterCallbackHandler(stream=stream, **options), stream)


def _tree(handler: RunTreeHandler, stream: io.StringIO) -> Platform:
    return Platform(
        handler,
        stream.getvalue,
        lambda: sum(stream.getvalue().count(f"{mark} ") for mark in ("✓", "✗", "?")),
        tells_content=False,
        is_open=lambda: not stream.closed,
    )


def progress_bar(**options: Any) -> Platform:
    tqdm = pytest.importorskip("tqdm", reason="tqdm is not installed")
    from callboard.integrations import TqdmCallbackHandler

    stream = io.StringIO()
    bar = tqdm.tqdm(file=stream, mininterval=0)
    return Platform(
        TqdmCallbackHandler(bar, **options),
        stream.getvalue,
        lambda: bar.n,
        types=frozenset({"chain"}),  # The bar counts the outermost runs, here a chain each.
        tells_content=False,
        is_open=lambda: not bar.disable,
    )


def sentry(**options: Any) -> Platform:
    pytest.importorskip("sentry_sdk", reason="sentry-sdk is not installed")
    from callboard.integrations import SentryCallbackHandler
    from tests.unit.integrations.sentry_transport import set_up_client

    kept = set_up_client(data_collection={"gen_ai": {"inputs": True, "outputs": True}})
    return Platform(
        SentryCallbackHandler(**options),
        kept.text,
        lambda: len(kept.spans()),
        is_open=lambda: not kept.is_killed,
    )


PLATFORMS: dict[str, Callable[..., Platform]] = {
    "alerts": alerts,
    "json lines": json_lines,
    "jupyter": jupyter,
    "logging": standard_logging,
    "structlog": structured_logging,
    "costs": costs,
    "budget": budget,
    "rate limit": rate_limit,
    "opentelemetry": opentelemetry("genai"),
    "opentelemetry events": opentelemetry("genai", "event_only"),
    "opentelemetry latest": opentelemetry("genai-latest", "span_and_event"),
    "openinference": opentelemetry("openinference"),
    "prometheus": prometheus,
    "rich": rich_tree,
    "tqdm": progress_bar,
    "sentry": sentry,
}

BIG: dict[str, str] = {
    "clearml": "clearml",
    "comet": "comet_ml",
    "gradio": "gradio",
    "mlflow": "mlflow",
    "streamlit": "streamlit",
    "wandb": "wandb",
}
"""The modules in `big`, and what each needs to be installed."""


class Big:
    """The row that a module in `big` makes with its function `platform`.

    What its client does once, which takes seconds and is logged, the module does in `prepare`, and
    ends in `finish`.
    """

    def __init__(self, name: str) -> None:
        self._name = name

    def prepare(self) -> None:
        if find_spec(BIG[self._name]) is None:
            pytest.skip(f"{BIG[self._name]} is not installed: make platforms")
        self._module().prepare()

    def finish(self) -> None:
        self._module().finish()

    def __call__(self, **options: Any) -> Platform:
        made: Platform = self._module().platform(**options)
        return made

    def _module(self) -> Any:
        return import_module(f"tests.contract.integrations.big.{self._name}")


# A fresh store is migrated step by step, and what big packages warn of is not ours.
_BIG_MARKS = [
    pytest.mark.slow,
    pytest.mark.timeout(300),
    pytest.mark.filterwarnings("default"),
]

EVERY_PLATFORM = [
    *(pytest.param(make, id=name) for name, make in PLATFORMS.items()),
    *(pytest.param(Big(name), id=name, marks=_BIG_MARKS) for name in BIG),
]
"""All rows of handlers that hold records, as pytest's parameters."""

EVERY_HANDLER = [
    *EVERY_PLATFORM,
    pytest.param(approval(HumanApprovalCallbackHandler), id="approval"),
    pytest.param(approval(AsyncHumanApprovalCallbackHandler), id="async approval"),
]
"""The same and those that hold none: there is nothing to bound, to redact, to flush or to close."""
