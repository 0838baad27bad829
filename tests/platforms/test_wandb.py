"""Runs told to Weights & Biases, read back from the files of an offline run."""

import json
import time

import pytest

pytest.importorskip("wandb", reason="W&B's client is not installed: make platforms")

import wandb
from wandb.proto import wandb_internal_pb2

from callboard.integrations import WandbCallbackHandler
from callboard.redaction import Redaction
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
        for _ in range(100):  # It is written in the background, after the end too.
            files = list(tmp_path.rglob("*.wandb"))
            records = list(records_of(files[0])) if files else []
            if any(record.HasField("exit") for record in records):
                return records
            time.sleep(0.1)
        raise AssertionError("The run's file has no end.")

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
    assert told["child_spans"][2]["status_code"] == "ERROR"
    [alert] = [record.alert for record in records if record.HasField("alert")]
    assert "no leaves" in alert.text


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
