"""The metrics of runs, read back from OpenTelemetry's own reader."""

import pytest

pytest.importorskip("opentelemetry.sdk", reason="opentelemetry-sdk is not installed")

from opentelemetry.semconv._incubating.metrics import gen_ai_metrics

from callboard.clock import clock_from
from callboard.environment import reload_environment
from callboard.testing import StepClock
from tests.unit.integrations.otel_backend import Backend, constants
from tests.unit.integrations.scenes import answer, ask, manager_of, serve


@pytest.fixture
def backend():
    return Backend()


def test_metrics_have_the_names_and_units_of_the_conventions(backend):
    with clock_from(StepClock()):
        serve(backend.handler())
    told = backend.metrics()
    client = {name for name in told if name.startswith("gen_ai.client.")}
    assert client <= constants(gen_ai_metrics)
    assert set(told) - client == {
        "gen_ai.execute_tool.duration",
        "gen_ai.invoke_workflow.duration",
    }
    durations = told["gen_ai.client.operation.duration"].data.data_points
    [duration] = [each for each in durations if each.attributes["gen_ai.operation.name"] == "chat"]
    assert told["gen_ai.client.operation.duration"].unit == "s"
    assert duration.sum == 2.0
    assert list(duration.explicit_bounds) == [0.01 * 2**power for power in range(14)]
    tokens = {
        point.attributes["gen_ai.token.type"]: point.sum
        for point in told["gen_ai.client.token.usage"].data.data_points
    }
    assert tokens == {"input": 100, "output": 20}
    [first] = told["gen_ai.client.operation.time_to_first_chunk"].data.data_points
    assert first.sum == 1.0
    [each] = told["gen_ai.client.operation.time_per_output_chunk"].data.data_points
    assert each.sum == 1.0
    [tool] = told["gen_ai.execute_tool.duration"].data.data_points
    assert dict(tool.attributes) == {"gen_ai.tool.name": "search", "error.type": "ValueError"}


def points(told, name):
    return told[name].data.data_points


def test_operations_that_are_no_calls_of_models_are_measured_too(backend):
    for conventions in ("genai", "genai-latest"):
        with clock_from(StepClock()):
            serve(backend.handler(conventions=conventions))
        [found] = [
            each
            for each in points(backend.metrics(), "gen_ai.client.operation.duration")
            if each.attributes["gen_ai.operation.name"] == "retrieval"
        ]
        assert found.sum >= 1.0


def test_exemplars_name_the_runs_own_span(backend):
    serve(backend.handler())
    [point] = points(backend.metrics(), "gen_ai.client.token.usage")[:1]
    [exemplar] = point.exemplars
    assert exemplar.span_id == backend.named("chat gpt-5").context.span_id


def test_a_run_that_does_not_end_is_not_measured(backend):
    handler = backend.handler(conventions="genai-latest")
    run = manager_of(handler, lc_agent_name="desk").on_chain_start(None, {}, name="desk")
    run.get_child().on_chat_model_start(None, [[("user", "x")]], name="c")
    handler.close()
    assert backend.metrics() == {}


def opted_in(backend, monkeypatch):
    monkeypatch.setenv("OTEL_SEMCONV_STABILITY_OPT_IN", "http, gen_ai_latest_experimental")
    reload_environment()
    return backend.handler()


USED = "gen_ai.client.inference.usage."


def test_the_next_names_are_those_of_the_conventions_own_repository(backend, monkeypatch):
    serve(opted_in(backend, monkeypatch))
    told = backend.metrics()
    assert set(told) == {
        "gen_ai.client.inference.duration",
        "gen_ai.client.inference.operation.input_tokens",
        "gen_ai.client.inference.operation.output_tokens",
        "gen_ai.client.inference.time_per_output_chunk",
        "gen_ai.client.inference.time_to_first_chunk",
        f"{USED}input_tokens",
        f"{USED}output_tokens",
        f"{USED}cache_read.input_tokens",
        f"{USED}cache_write.input_tokens",
        f"{USED}reasoning.output_tokens",
        "gen_ai.client.operation.duration",
        "gen_ai.execute_tool.duration",
        "gen_ai.invoke_workflow.duration",
    }
    counted = {
        name.removeprefix(USED): points(told, name)[0].value
        for name in told
        if name.startswith(USED)
    }
    assert counted == {
        "input_tokens": 100,
        "output_tokens": 20,
        "cache_read.input_tokens": 40,
        "cache_write.input_tokens": 10,
        "reasoning.output_tokens": 5,
    }
    [given] = points(told, "gen_ai.client.inference.operation.input_tokens")
    assert (given.sum, list(given.explicit_bounds)) == (100, [4**power for power in range(14)])
    attributes = backend.named("chat gpt-5").attributes
    assert attributes["gen_ai.usage.cache_write.input_tokens"] == 10
    assert "gen_ai.usage.cache_creation.input_tokens" not in attributes


def test_tokens_are_told_apart_by_what_they_are_of_as_far_as_that_is_known(backend):
    usage = {
        "input_tokens": 100,
        "output_tokens": 20,
        "total_tokens": 120,
        "input_token_details": {"audio": 30, "text": 50, "cache_read": 40},
        "output_token_details": {"audio": 20},
    }
    ask(manager_of(backend.handler(conventions="genai-latest")), response=answer(usage=usage))
    told = backend.metrics()

    def by_modality(kind):
        return {
            each.attributes["gen_ai.token.modality"]: each.value
            for each in points(told, f"{USED}{kind}")
        }

    assert by_modality("input_tokens") == {"audio": 30, "text": 50, "unknown": 20}
    assert by_modality("output_tokens") == {"audio": 20}
    assert by_modality("cache_read.input_tokens") == {"unknown": 40}


def test_a_call_that_fails_counts_as_one_that_has_used_nothing(backend):
    manager = manager_of(backend.handler(conventions="genai-latest"))
    [run] = manager.on_chat_model_start(None, [[("user", "x")]], name="c")
    run.on_llm_error(TimeoutError("slow"))
    told = backend.metrics()
    [counted] = points(told, f"{USED}input_tokens")
    assert (counted.value, counted.attributes["gen_ai.token.modality"]) == (0, "unknown")
    [given] = points(told, "gen_ai.client.inference.operation.input_tokens")
    assert (given.count, given.sum) == (1, 0)
    assert given.attributes["error.type"] == "TimeoutError"


def agent_at_work(handler):
    """An agent that asks twice and uses a tool, in which another agent asks once."""
    root = manager_of(handler, lc_agent_name="desk").on_chain_start(None, {}, name="desk")
    step = root.get_child().on_chain_start(None, {}, name="step")
    ask(step.get_child())
    step.on_chain_end({})
    tool = root.get_child().on_tool_start(None, "x", name="delegate")
    inner = tool.get_child()
    inner.add_metadata({"lc_agent_name": "clerk"})
    clerk = inner.on_chain_start(None, {}, name="clerk")
    ask(clerk.get_child())
    clerk.on_chain_end({})
    tool.on_tool_error(ValueError("closed"))
    ask(root.get_child())
    root.on_chain_end({})


def test_calls_are_counted_for_the_innermost_agent(backend):
    handler = backend.handler(conventions="genai-latest")
    agent_at_work(handler)
    told = backend.metrics()

    def by_agent(name):
        return {
            each.attributes["gen_ai.agent.name"]: (each.count, each.sum)
            for each in points(told, f"gen_ai.invoke_agent.{name}")
        }

    assert by_agent("inference_calls") == {"desk": (1, 2), "clerk": (1, 1)}
    assert by_agent("tool_calls") == {"desk": (1, 1), "clerk": (1, 0)}
    assert told["gen_ai.invoke_agent.tool_calls"].unit == "{tool_call}"
    [tool] = points(told, "gen_ai.execute_tool.duration")
    assert dict(tool.attributes) == {
        "gen_ai.tool.name": "delegate",
        "gen_ai.tool.type": "function",
        "gen_ai.agent.name": "desk",
        "error.type": "ValueError",
    }
    [duration, _] = points(told, "gen_ai.invoke_agent.duration")
    assert list(duration.explicit_bounds) == [0.1 * 2**power for power in range(13)]
    assert not handler._metrics._agents._running
