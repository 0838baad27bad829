"""Metrics of several processes, as a web server's workers are, read back from one scrape."""

import json
import os
import subprocess
import sys

import pytest

pytest.importorskip("prometheus_client", reason="prometheus-client is not installed")

from prometheus_client.parser import text_string_to_metric_families

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="processes can't fork here")

LABELS = {"model": "gpt-5", "provider": "openai"}


def value(exposed, name, /, **labels):
    [sample] = [
        each
        for family in text_string_to_metric_families(exposed)
        for each in family.samples
        if each.name == name and each.labels == labels
    ]
    return sample.value


def test_what_all_workers_count_is_one_scrape_and_the_dead_have_no_calls_under_way(tmp_path):
    program = subprocess.Popen(
        [sys.executable, "-m", "tests.integrations.prometheus_workers"],
        env={**os.environ, "PROMETHEUS_MULTIPROC_DIR": str(tmp_path)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    running = json.loads(program.stdout.readline())
    rest, _ = program.communicate()
    dead = json.loads(rest)
    assert program.returncode == 0
    for told in (running, dead):
        assert value(told, "llm_requests_total", **LABELS, status="ok") == 5
        assert value(told, "llm_tokens_total", **LABELS, type="input") == 500
        assert value(told, "llm_request_duration_seconds_count", **LABELS) == 5
        assert value(told, "tool_duration_seconds_count", tool="search", status="error") == 4
    assert value(running, "llm_requests_in_flight", **LABELS) == 2
    assert "llm_requests_in_flight{" not in dead or (
        value(dead, "llm_requests_in_flight", **LABELS) == 0
    )
