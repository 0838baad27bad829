"""Runs as metrics, read back from what is exposed with Prometheus's own parsers."""

import urllib.request
from pathlib import Path

import pytest

pytest.importorskip("prometheus_client", reason="prometheus-client is not installed")

import prometheus_client as client
from prometheus_client.openmetrics.parser import text_string_to_metric_families as openmetrics
from prometheus_client.parser import text_string_to_metric_families as plain

from callboard.clock import clock_from
from callboard.integrations import PrometheusCallbackHandler
from callboard.testing import StepClock
from tests.unit.integrations.scenes import PRICES, answer, ask, manager_of, serve

LABELS = {"model": "gpt-5", "provider": "openai"}


@pytest.fixture
def registry():
    return client.CollectorRegistry()


@pytest.fixture
def scrape(registry):
    """What is exposed, as samples."""
    return lambda: samples(client.generate_latest(registry).decode(), plain)


def samples(exposed, parse):
    return [sample for family in parse(exposed) for sample in family.samples]


def scraped(registry, accept):
    """Ask for the metrics over HTTP, as Prometheus does."""
    server, thread = client.start_http_server(0, "127.0.0.1", registry=registry)
    try:
        url = f"http://127.0.0.1:{server.server_port}/metrics"
        request = urllib.request.Request(url, headers={"Accept": accept})
        with urllib.request.urlopen(request) as response:
            return response.read().decode()
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def value(told, name, /, **labels):
    [sample] = [each for each in told if each.name == name and each.labels == labels]
    return sample.value


def test_an_application_is_counted(registry, scrape):
    with clock_from(StepClock()):
        serve(PrometheusCallbackHandler(registry, prices=PRICES))
    told = scrape()
    assert value(told, "llm_requests_total", **LABELS, status="ok") == 1
    assert value(told, "llm_tokens_total", **LABELS, type="input") == 100
    assert value(told, "llm_tokens_total", **LABELS, type="output") == 20
    assert value(told, "llm_tokens_total", **LABELS, type="cache_read") == 40
    assert value(told, "llm_tokens_total", **LABELS, type="cache_write") == 10
    assert value(told, "llm_tokens_total", **LABELS, type="reasoning") == 5
    assert value(told, "llm_cost_usd_total", **LABELS) == 140
    assert value(told, "llm_requests_in_flight", **LABELS) == 0
    assert value(told, "llm_request_duration_seconds_sum", **LABELS) == 2
    assert value(told, "llm_time_to_first_token_seconds_sum", **LABELS) == 1
    assert value(told, "tool_duration_seconds_count", tool="search", status="error") == 1
    assert value(told, "retriever_duration_seconds_count", retriever="shelf", status="ok") == 1
    assert value(told, "chain_duration_seconds_count", name="agent", status="ok") == 1


def test_a_call_under_way_is_in_flight(registry, scrape):
    handler = PrometheusCallbackHandler(registry)
    manager_of(handler).on_chat_model_start(None, [[("user", "x")]], name="c")
    assert value(scrape(), "llm_requests_in_flight", **LABELS) == 1
    handler.close()
    told = scrape()
    assert value(told, "llm_requests_in_flight", **LABELS) == 0
    assert value(told, "llm_requests_total", **LABELS, status="unfinished") == 1


def test_a_call_of_unknown_price_is_counted_as_such_and_not_as_free(registry, scrape):
    handler = PrometheusCallbackHandler(registry, prices=PRICES)
    ask(manager_of(handler, ls_model_name="new"), response=answer(model="newer"))
    unknown = {"model": "new", "provider": "openai"}
    assert value(scrape(), "llm_unpriced_requests_total", **unknown) == 1


def test_values_of_labels_are_bounded(registry, scrape):
    handler = PrometheusCallbackHandler(registry, max_names=3)
    for number in range(10):
        ask(manager_of(handler, ls_model_name=f"model {number}"))
    models = {each.labels["model"] for each in scrape() if each.name == "llm_requests_total"}
    assert models == {"model 0", "model 1", "model 2", "other"}


def test_values_are_bounded_though_there_is_a_handler_for_each_request(registry, scrape):
    for number in range(10):
        handler = PrometheusCallbackHandler(registry, max_names=3)
        root = manager_of(handler).on_chain_start(None, {}, name=f"chain {number}")
        root.get_child().on_tool_start(None, "x", name=f"tool {number}").on_tool_end("y")
        root.on_chain_end({})
    for label in ("tool", "name"):
        values = {each.labels[label] for each in scrape() if label in each.labels}
        assert len(values) == 4
        assert "other" in values


def test_metrics_are_named_as_the_catalogue_says(registry, scrape):
    """The page `docs/integrations.md` names each with its labels; this holds that it does."""
    page = Path("docs/integrations.md").read_text()
    serve(PrometheusCallbackHandler(registry))
    for family in plain(client.generate_latest(registry).decode()):
        if family.type != "gauge" or family.name == "llm_requests_in_flight":
            name = f"{family.name}_total" if family.type == "counter" else family.name
            assert f"`{name}`" in page
            assert family.documentation.endswith(".")
        units = {"seconds", "total", "usd", "flight", "created", "requests", "tokens"}
        assert family.name.rpartition("_")[2] in units


def test_a_namespace_goes_before_the_names(registry, scrape):
    for namespace in ("", "desk"):
        ask(manager_of(PrometheusCallbackHandler(registry, namespace=namespace)))
    assert value(scrape(), "desk_llm_requests_total", **LABELS, status="ok") == 1
    assert value(scrape(), "llm_requests_total", **LABELS, status="ok") == 1


def test_no_label_has_a_tag_a_user_or_an_id(registry, scrape):
    handler = PrometheusCallbackHandler(registry)
    for number in range(5):
        serve(handler)
        ask(manager_of(handler, tags=[f"user-{number}"], user_id=f"user-{number}"))
    names = {name for each in scrape() for name in each.labels}
    assert names <= {"model", "provider", "status", "type", "tool", "retriever", "name", "le"}


def test_exemplars_name_the_trace_in_a_scrape(registry):
    serve(PrometheusCallbackHandler(registry))
    told = samples(scraped(registry, "application/openmetrics-text; version=1.0.0"), openmetrics)
    [exemplar] = [
        each.exemplar for each in told if each.name == "llm_requests_total" and each.exemplar
    ]
    assert len(exemplar.labels["trace_id"]) == 32


def exemplars(registry):
    told = samples(scraped(registry, "application/openmetrics-text; version=1.0.0"), openmetrics)
    return {each.exemplar.labels["trace_id"] for each in told if each.exemplar}


def test_exemplars_name_opentelemetrys_trace_where_there_is_one(registry):
    sdk = pytest.importorskip("opentelemetry.sdk.trace")
    with (
        sdk.TracerProvider(shutdown_on_exit=False)
        .get_tracer("web")
        .start_as_current_span("GET /chat") as span
    ):
        serve(PrometheusCallbackHandler(registry))
    assert exemplars(registry) == {f"{span.get_span_context().trace_id:032x}"}


def test_after_opentelemetrys_handler_outermost_runs_name_its_trace_too(registry):
    pytest.importorskip("opentelemetry.sdk")
    from tests.unit.integrations.otel_backend import Backend

    backend = Backend()
    serve(backend.handler(), PrometheusCallbackHandler(registry))
    [*_, root] = backend.spans.get_finished_spans()
    assert exemplars(registry) == {f"{root.context.trace_id:032x}"}


def test_a_trace_that_is_not_sampled_is_not_named(registry):
    sdk = pytest.importorskip("opentelemetry.sdk.trace")
    provider = sdk.TracerProvider(sdk.sampling.ALWAYS_OFF, shutdown_on_exit=False)
    with provider.get_tracer("web").start_as_current_span("GET /chat") as span:
        serve(PrometheusCallbackHandler(registry))
    assert f"{span.get_span_context().trace_id:032x}" not in exemplars(registry)


def test_exemplars_can_be_left_out(registry):
    serve(PrometheusCallbackHandler(registry, exemplars=False))
    assert exemplars(registry) == set()


def test_handlers_on_one_registry_share_its_metrics(registry, scrape):
    for _ in range(2):
        ask(manager_of(PrometheusCallbackHandler(registry)))
    assert value(scrape(), "llm_requests_total", **LABELS, status="ok") == 2
