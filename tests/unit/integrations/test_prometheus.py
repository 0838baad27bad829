"""Runs as metrics, read back from what is exposed with Prometheus's own parsers."""

import urllib.request

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


def test_no_label_has_a_tag_a_user_or_an_id(registry, scrape):
    handler = PrometheusCallbackHandler(registry)
    for number in range(5):
        serve(handler)
        ask(manager_of(handler, tags=[f"user-{number}"], user_id=f"user-{number}"))
    names = {name for each in scrape() for name in each.labels}
    assert names <= {"model", "provider", "status", "type", "tool", "name", "le"}


def test_exemplars_name_the_trace_in_a_scrape(registry):
    serve(PrometheusCallbackHandler(registry))
    told = samples(scraped(registry, "application/openmetrics-text; version=1.0.0"), openmetrics)
    [exemplar] = [
        each.exemplar for each in told if each.name == "llm_requests_total" and each.exemplar
    ]
    assert len(exemplar.labels["trace_id"]) == 32


def test_handlers_on_one_registry_share_its_metrics(registry, scrape):
    for _ in range(2):
        ask(manager_of(PrometheusCallbackHandler(registry)))
    assert value(scrape(), "llm_requests_total", **LABELS, status="ok") == 2
