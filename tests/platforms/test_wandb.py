"""Runs told to Weights & Biases, read back from the files of an offline run."""

import json
from collections import Counter

import pytest

pytest.importorskip("wandb", reason="W&B's client is not installed: make platforms")

import wandb
from wandb.proto import wandb_internal_pb2

from callboard.integrations import WandbCallbackHandler
from callboard.redaction import Redaction
from tests.platforms import graph
from tests.unit.integrations.scenes import PRICES, ask, manager_of, serve

pytestmark = [
    pytest.mark.timeout(300),
    pytest.mark.filterwarnings("default"),  # Those of W&B's client are not ours.
]

_BLOCK = 32_768
_HEADER = 7


def records_of(path):
    """Read the records of a .wandb file: a log as LevelDB writes it, of protocol buffers."""
    data, at, parts = path.read_bytes(), _HEADER, b""
    while at + _HEADER <= len(data):
        if _BLOCK - at % _BLOCK < _HEADER:
            at += _BLOCK - at % _BLOCK
            continue
        length, kind = int.from_bytes(data[at + 4 : at + 6], "little"), data[at + 6]
        parts += data[at + _HEADER : at + _HEADER + length]
        at += _HEADER + length
        if kind in {1, 4}:  # Whole, or the last part.
            record = wandb_internal_pb2.Record()
            record.ParseFromString(parts)
            yield record
            parts = b""


@pytest.fixture
def offline(tmp_path, monkeypatch):
    monkeypatch.setenv("WANDB_SILENT", "true")

    def start():
        return wandb.init(mode="offline", dir=tmp_path, project="test")

    def read():
        wandb.teardown()  # It is written in the background, after the end too.
        [file] = tmp_path.rglob("*.wandb")
        return list(records_of(file))

    return start, read


def rows_of(records):
    """The rows of history, as a dictionary each."""
    for record in records:
        if record.HasField("history"):
            yield {
                ".".join(item.nested_key) or item.key: json.loads(item.value_json)
                for item in record.history.item
            }


def test_a_tree_figures_a_table_an_alert_and_no_line_for_a_token(offline, tmp_path):
    start, read = offline
    run = start()
    handler = WandbCallbackHandler(run, prices=PRICES, alert_on_error=True)
    serve(handler)
    [chat] = manager_of(handler).on_chat_model_start(None, [[("user", "x")]], name="c")
    for _ in range(100):
        chat.on_llm_new_token("t")
    chat.on_llm_error(ValueError("no leaves"))
    handler.close()
    handler.close()
    assert run is wandb.run  # The application's own run is still under way.
    run.finish()
    records = read()
    rows = list(rows_of(records))
    assert len(rows) == 5  # Two calls, two trees, a table.
    [figures] = [row for row in rows if "llm/cost_usd" in row]
    assert figures["llm/cost_usd"] == 140.0
    assert figures["llm/input_tokens"] == 100
    trees = [row["trace.root_span_dumps"] for row in rows if "trace.root_span_dumps" in row]
    told = json.loads(trees[0])
    assert told["name"] == "agent"
    assert [child["name"] for child in told["child_spans"]] == ["shelf", "ChatOpenAI", "search"]
    chat, tool = told["child_spans"][1:]
    assert (chat["span_kind"], tool["span_kind"]) == ("LLM", "TOOL")
    assert tool["status_code"] == "ERROR"
    assert tool["status_message"] == "ValueError: no leaves"
    assert "What is drunk here?" in json.dumps(chat["results"])
    assert told["start_time_ms"] <= chat["start_time_ms"] <= chat["end_time_ms"]
    metrics = {
        record.metric.name or record.metric.glob_name
        for record in records
        if record.HasField("metric")
    }
    assert "llm/ttft_s" in metrics
    [alert] = [record.alert for record in records if record.HasField("alert")]
    assert "no leaves" in alert.text


def tables_in(place):
    """The parts of tables that a run's directory holds, as (name, columns, rows)."""
    for path in sorted(place.rglob("*.table.json"), key=lambda path: path.stat().st_mtime_ns):
        told = json.loads(path.read_text())
        yield path.name.rsplit("_", 2)[0], told["columns"], told["data"]


def test_a_row_of_the_table_is_a_call_with_its_prompt_answer_tokens_and_cost(offline, tmp_path):
    start, read = offline
    run = start()
    with WandbCallbackHandler(run, prices=PRICES) as handler:
        ask(manager_of(handler))
        handler.flush()
        ask(manager_of(handler), "And what else?")
    run.finish()
    read()
    (name, columns, [first]), (_, _, [second]) = tables_in(tmp_path)
    assert name == "calls"
    told = dict(zip(columns, first, strict=True))
    assert json.loads(told["prompt"]) == [["system", "Be brief."], ["user", "What is drunk here?"]]
    assert told["answer"] == "Tea."
    assert (told["model"], told["status"]) == ("gpt-5-2025", "ok")
    assert (told["tokens"], told["cost_usd"]) == (120, 140.0)
    assert "And what else?" in dict(zip(columns, second, strict=True))["prompt"]


def test_a_table_that_is_long_is_followed_by_another(offline, tmp_path):
    """W&B shows the latest hundred parts of one, and keeps all of its rows in memory."""
    start, read = offline
    run = start()
    with WandbCallbackHandler(run) as handler:
        for _ in range(102):
            ask(manager_of(handler))
            handler.flush()
    run.finish()
    read()
    parts = Counter(name for name, _, _ in tables_in(tmp_path))
    assert parts == {"calls": 100, "calls_2": 2}


def test_an_agent_of_langgraphs_is_one_tree(offline, tmp_path):
    start, read = offline
    run = start()
    with WandbCallbackHandler(run, prices=PRICES) as handler:
        assert graph.run(handler) == "Fifty grams."
    run.finish()
    rows = list(rows_of(read()))
    [told] = [row["trace.root_span_dumps"] for row in rows if "trace.root_span_dumps" in row]
    tree = json.loads(told)

    def paths(span, above=()):
        yield (*above, span["name"])
        for child in span.get("child_spans") or ():
            yield from paths(child, (*above, span["name"]))

    assert sorted(" > ".join(path) for path in paths(tree)) == [
        "tea agent",
        *["tea agent > think"] * 2,
        *["tea agent > think > GenericFakeChatModel"] * 2,
        *["tea agent > think > tools_condition"] * 2,
        "tea agent > tools",
        "tea agent > tools > taste",
        "tea agent > tools > weigh",
    ]
    [tools] = [span for span in tree["child_spans"] if span["name"] == "tools"]
    kinds = {
        span["name"]: (span["span_kind"], span["status_code"]) for span in tools["child_spans"]
    }
    assert kinds == {"weigh": ("TOOL", "SUCCESS"), "taste": ("TOOL", "ERROR")}
    figures = [row for row in rows if "llm/input_tokens" in row]
    assert [row["llm/cost_usd"] for row in figures] == [140.0, 140.0]
    assert all("llm/ttft_s" not in row for row in figures)  # It did not stream.


def test_a_run_of_the_handlers_own_is_finished_as_failed_if_something_failed(offline, tmp_path):
    _, read = offline
    started = {"mode": "offline", "dir": tmp_path, "project": "test"}
    handler = WandbCallbackHandler(init=started, redaction=Redaction("emails"))
    ask(manager_of(handler), "write to ada@example.com")
    manager_of(handler).on_chain_start(None, {}, name="agent")
    handler.close()
    assert wandb.run is None
    records = read()
    [code] = [record.exit.exit_code for record in records if record.HasField("exit")]
    assert code == 1
    assert "ada@example.com" not in str(records)
