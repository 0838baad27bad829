"""What people read: files, logs, and the tree in the terminal."""

import io
import json
import logging
from concurrent.futures import ThreadPoolExecutor

import pytest

from callboard.clock import clock_from
from callboard.integrations import JsonLinesCallbackHandler, LoggingCallbackHandler
from callboard.testing import StepClock
from tests.unit.integrations.scenes import PRICES, manager_of, serve


def test_a_file_has_a_line_for_each_run_and_children_come_first(tmp_path):
    path = tmp_path / "runs.jsonl"
    with clock_from(StepClock()), JsonLinesCallbackHandler(path, prices=PRICES) as handler:
        serve(handler)
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    assert [line["name"] for line in lines] == ["shelf", "ChatOpenAI", "search", "agent"]
    shelf, chat, tool, agent = lines
    assert {line["parent_run_id"] for line in (shelf, chat, tool)} == {agent["run_id"]}
    assert chat["time_to_first_token"] == 1.0
    assert chat["latency"] == 2.0
    assert (chat["input_tokens"], chat["output_tokens"], chat["cost"]) == (100, 20, 140.0)
    assert chat["model"] == "gpt-5-2025"
    assert (tool["status"], tool["error_type"]) == ("error", "ValueError")
    assert agent["inputs"] == {"question": "?"}
    assert agent["outputs"] == {"answer": "Tea."}


def test_lines_of_concurrent_runs_are_whole(tmp_path):
    path = tmp_path / "runs.jsonl"
    with JsonLinesCallbackHandler(path) as handler, ThreadPoolExecutor(8) as pool:
        for _ in range(50):
            pool.submit(serve, handler)
    assert len([json.loads(line) for line in path.read_text().splitlines()]) == 200


def test_lines_of_handlers_that_write_to_the_same_file_are_whole(tmp_path):
    """As processes do, each with a file of its own to write to."""
    path = tmp_path / "runs.jsonl"
    handlers = [JsonLinesCallbackHandler(path) for _ in range(4)]

    def tell(number):
        run = manager_of(handlers[number % 4]).on_chain_start(None, {"asked": "x" * 20_000})
        run.on_chain_end({})

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(tell, range(100)))
    for handler in handlers:
        handler.close()
    assert len([json.loads(line) for line in path.read_text().splitlines()]) == 100


def test_a_file_is_appended_to_and_closed_but_a_stream_stays_open(tmp_path):
    path, stream = tmp_path / "runs.jsonl", io.StringIO()
    for target in (path, path, stream):
        with JsonLinesCallbackHandler(target) as handler:
            serve(handler)
    assert len(path.read_text().splitlines()) == 8
    assert len(stream.getvalue().splitlines()) == 4


def test_a_whole_trace_is_in_the_file_before_the_handler_is_closed(tmp_path):
    path = tmp_path / "runs.jsonl"
    handler = JsonLinesCallbackHandler(path)
    serve(handler)
    assert len(path.read_text().splitlines()) == 4
    handler.close()


def test_a_run_is_in_the_file_while_what_is_around_it_goes_on(tmp_path):
    path = tmp_path / "runs.jsonl"
    with JsonLinesCallbackHandler(path) as handler:
        root = manager_of(handler).on_chain_start(None, {}, name="agent")
        root.get_child().on_tool_start(None, "x", name="search").on_tool_end("y")
        assert json.loads(path.read_text())["name"] == "search"
        root.on_chain_end({})


def test_what_is_no_more_than_figures_is_written_without_content(tmp_path):
    path = tmp_path / "runs.jsonl"
    with JsonLinesCallbackHandler(path, content=False) as handler:
        serve(handler)
    assert "Tea." not in path.read_text()


def test_runs_are_logged_with_a_sentence_and_with_fields(caplog):
    caplog.set_level(logging.INFO, "callboard.runs")
    with clock_from(StepClock()):
        serve(LoggingCallbackHandler(prices=PRICES))
    assert [record.getMessage() for record in caplog.records] == [
        "retriever shelf: ok in 1.000 s",
        "chat_model ChatOpenAI: ok in 2.000 s, 100+20 tokens, $140.000000",
        "tool search: failed with ValueError: no leaves in 1.000 s",
        "chain agent: ok in 8.000 s",
    ]
    levels = [record.levelno for record in caplog.records]
    assert levels == [logging.INFO, logging.INFO, logging.ERROR, logging.INFO]
    assert caplog.records[1].run_cost == 140.0


def test_an_error_is_one_line_of_the_log(caplog):
    handler = LoggingCallbackHandler()
    manager_of(handler).on_chain_start(None, {}, name="agent").on_chain_error(
        ValueError("bad\n2026-01-01 INFO all is well")
    )
    [record] = caplog.records
    assert "\n" not in record.getMessage()


def test_structlog_is_given_the_fields_as_keywords():
    structlog = pytest.importorskip("structlog")
    from structlog.testing import capture_logs

    with capture_logs() as told:
        serve(LoggingCallbackHandler(structlog.get_logger(), prices=PRICES))
    [call] = [each for each in told if each["run_type"] == "chat_model"]
    assert call["event"] == "run ended"
    assert call["run_cost"] == 140.0


def drawn(**options):
    console = pytest.importorskip("rich.console")
    from callboard.integrations import RichTreeCallbackHandler

    screen = console.Console(file=io.StringIO(), width=100, record=True, **options)
    with clock_from(StepClock()):
        serve(RichTreeCallbackHandler(screen, prices=PRICES))
    return screen


def test_the_tree_is_printed_once_where_there_is_no_terminal():
    assert drawn(force_terminal=False).export_text().splitlines() == [
        "✓ chain agent 8.00 s",
        "├── ✓ retriever shelf 1.00 s",
        "├── ✓ chat_model ChatOpenAI 2.00 s 100+20 tokens $140.000000",
        "└── ✗ tool search 1.00 s ValueError: no leaves",
    ]


def test_the_tree_is_live_in_a_terminal_and_stays_when_it_is_done():
    screen = drawn(force_terminal=True)
    assert "✓ chain agent 8.00 s" in screen.export_text()


def test_text_is_drawn_as_it_comes_and_markup_in_it_is_text():
    console = pytest.importorskip("rich.console")
    from callboard.integrations import RichTreeCallbackHandler

    screen = console.Console(file=io.StringIO(), width=100, force_terminal=False, record=True)
    handler = RichTreeCallbackHandler(screen)
    root = manager_of(handler).on_chain_start(None, {}, name="[bold]agent[/]")
    [chat] = root.get_child().on_chat_model_start(None, [[("user", "x")]], name="c")
    for token in ("It ", "is [", "/red] ", "tea"):
        chat.on_llm_new_token(token)
    [record, _] = handler._records.values()
    screen.print(handler._tree(record.kept))
    assert screen.export_text().splitlines() == [
        "● chain [bold]agent[/]",
        "└── ● chat_model c It is [/red] tea",
    ]
    handler.close()
