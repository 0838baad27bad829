"""The tracer that prints, and the one that calls a function with the same texts."""

import re
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from uuid import UUID

import pytest

from callboard.callbacks import CallbackManager
from callboard.testing import StepClock, clock_from
from callboard.tracers import ConsoleCallbackHandler
from callboard.tracers.stdout import FunctionCallbackHandler, elapsed, try_json_stringify
from tests.unit.tracing.keeping import KINDS

START = datetime(2025, 1, 1, tzinfo=UTC)


def uncoloured(text):
    return re.sub("\x1b\\[[0-9;]*m", "", text)


@pytest.fixture(autouse=True)
def _steps():
    with clock_from(StepClock()):
        yield


def test_a_trace_is_printed_as_it_goes_along(capsys):
    manager = CallbackManager.configure([ConsoleCallbackHandler()])
    outer = manager.on_chain_start({}, {"question": "?"}, name="agent")
    inner = outer.get_child().on_tool_start({}, "two", name="search")
    inner.on_tool_end("found")
    outer.on_chain_error(ValueError("no"))
    printed = uncoloured(capsys.readouterr().out)
    assert printed.startswith(
        """\
[chain/start] [chain:agent] Entering Chain run with input:
{
  "question": "?"
}
[tool/start] [chain:agent > tool:search] Entering Tool run with input:
{
  "input": "two"
}
[tool/end] [chain:agent > tool:search] [1.00s] Exiting Tool run with output:
{
  "output": "found"
}
[chain/error] [chain:agent] [3.00s] Chain run errored with error:
ValueError('no')"""
    )


@pytest.mark.parametrize("start", [start for start in KINDS if "chat" not in start])
@pytest.mark.parametrize("ending", ["end", "error"])
def test_every_kind_of_run_is_told_of_when_it_starts_and_ends(start, ending):
    about, run_type, ends, result = KINDS[start]
    texts = []
    handler = FunctionCallbackHandler(texts.append)
    getattr(handler, start)(None, about, run_id=UUID(int=1), name="worker")
    subject = result if ending == "end" else ValueError("no")
    getattr(handler, f"{ends}_{ending}")(subject, run_id=UUID(int=1))
    first, last = map(uncoloured, texts)
    label = "LLM" if run_type == "llm" else run_type.capitalize()
    assert first.startswith(f"[{run_type}/start] [{run_type}:worker] Entering {label} run with")
    assert last.startswith(f"[{run_type}/{ending}] [{run_type}:worker] [1.00s] ")
    assert (f"Exiting {label} run" if ending == "end" else f"{label} run errored") in last


def test_a_chain_is_called_what_it_is():
    texts = []
    handler = FunctionCallbackHandler(texts.append)
    handler.on_chain_start(None, {}, run_id=UUID(int=1), run_type="parser", name="json")
    assert "Entering Parser run" in texts[0]
    assert "[parser:json]" in texts[0]


def test_parents_are_told_the_nearest_first_as_far_as_they_run():
    handler = FunctionCallbackHandler(lambda text: None)
    for number in (1, 2, 3):
        handler.on_chain_start(
            None, {}, run_id=UUID(int=number), parent_run_id=UUID(int=number - 1), name=f"{number}"
        )
    inner = handler.run_map[str(UUID(int=3))]
    assert [run.name for run in handler.get_parents(inner)] == ["2", "1"]
    assert handler.get_breadcrumbs(inner) == "chain:1 > chain:2 > chain:3"
    handler.on_chain_end({}, run_id=UUID(int=1))
    assert handler.get_breadcrumbs(inner) == "chain:2 > chain:3"


def test_what_is_no_json_is_left_out():
    texts = []
    FunctionCallbackHandler(texts.append).on_chain_start(None, {"a": b"bytes"}, run_id=UUID(int=1))
    assert texts[0].endswith("[inputs]")


@pytest.mark.parametrize(
    ("value", "text"),
    [({"a": "é"}, '{\n  "a": "é"\n}'), ({"a": object}, "fallback"), ({(1, 2): 3}, "fallback")],
    ids=["json", "an object", "a key"],
)
def test_a_value_is_written_as_json_if_it_can_be(value, text):
    assert try_json_stringify(value, "fallback") == text


def test_a_value_that_contains_itself_is_no_json():
    ring = []
    ring.append(ring)
    assert try_json_stringify(ring, "fallback") == "fallback"


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0, "0ms"), (0.0124, "12ms"), (0.9994, "999ms"), (1, "1.00s"), (61.5, "61.50s")],
)
def test_how_long_a_run_took_is_told_in_its_unit(seconds, text):
    ended = SimpleNamespace(start_time=START, end_time=START + timedelta(seconds=seconds))
    assert elapsed(ended) == text


def test_a_run_that_nobody_can_print_still_ends():
    def fail(text):
        raise OSError("the pipe is closed")

    handler = FunctionCallbackHandler(fail)
    run = CallbackManager([handler]).on_chain_start({}, {})
    run.on_chain_end({})
    assert handler.run_map == {}
