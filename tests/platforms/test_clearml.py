"""Model calls told to ClearML, read back from the files of an offline task."""

import json
import sys
import zipfile
from concurrent.futures import ThreadPoolExecutor

import pytest

pytest.importorskip("clearml", reason="ClearML's client is not installed: make platforms")

import clearml
from clearml.utilities.check_updates import CheckPackageUpdates

from callboard.integrations import ClearMLCallbackHandler
from callboard.redaction import Redaction
from tests.unit.integrations.scenes import PRICES, answer, ask, manager_of, serve

pytestmark = [
    pytest.mark.timeout(90),
    pytest.mark.filterwarnings("default"),  # Those of ClearML's client are not ours.
]

TASK = {
    "project_name": "test",
    # Its looking for a repository, in a thread, may wait for ever for a git that it has started.
    "auto_connect_frameworks": dict.fromkeys(
        ["detect_repository", "matplotlib", "tensorboard", "pytorch", "joblib", "jsonargparse"],
        False,
    ),
    "auto_resource_monitoring": False,
    "auto_connect_arg_parser": False,
    "reuse_last_task_id": False,
}


@pytest.fixture(autouse=True)
def _offline(tmp_path, monkeypatch):
    monkeypatch.setenv("CLEARML_CACHE_DIR", str(tmp_path))
    monkeypatch.setattr(CheckPackageUpdates, "_package_version_checked", True)
    clearml.Task.set_offline(True)


@pytest.fixture
def task():
    """A task of the application's own."""
    task = clearml.Task.init(task_name="application", **TASK)
    yield task
    task.close()


class Told:
    """What an offline task's archive holds."""

    def __init__(self, task):
        folder = task.get_offline_mode_folder()
        task.close()
        with zipfile.ZipFile(folder.with_suffix(".zip")) as archive:
            self.reports = _batches(archive.read("metrics.jsonl"))
            self.log = "".join(each["msg"] for each in _batches(archive.read("log.jsonl")))
            self.tags = json.loads(archive.read("task.json")).get("tags", [])

    def points(self, metric):
        """The points of a metric, by series, as iteration and value."""
        series = {}
        for each in self.reports:
            if each["metric"] == metric and each["type"] == "training_stats_scalar":
                series.setdefault(each["variant"], []).append((each["iter"], each["value"]))
        return series

    @property
    def tables(self):
        """The rows of each table."""
        plots = [each["plot_str"] for each in self.reports if each["type"] == "plot"]
        cells = [json.loads(plot)["data"][0]["cells"]["values"] for plot in plots]
        return [list(zip(*columns, strict=True)) for columns in cells]


def _batches(lines):
    return [each for line in lines.splitlines() if line for each in json.loads(line)]


def test_scalars_a_table_totals_a_failure_and_nothing_for_a_token(task):
    handler = ClearMLCallbackHandler(prices=PRICES, tags=["support"])
    serve(handler)
    [chat] = manager_of(handler).on_chat_model_start(None, [[("user", "x")]], name="c")
    for _ in range(1_000):
        chat.on_llm_new_token("t")
    chat.on_llm_end(answer("x > 0 & <b>"))
    handler.close()
    handler.close()
    assert clearml.Task.current_task() is task  # It is still the application's to close.
    told = Told(task)
    assert told.points("llm/cost_usd") == {"gpt-5-2025": [(0, 140.0), (1, 140.0)]}
    assert told.points("llm/input_tokens") == {"gpt-5-2025": [(0, 100.0), (1, 100.0)]}
    assert len(told.points("llm/latency_s")["gpt-5-2025"]) == 2
    assert len(told.points("llm/ttft_s")["gpt-5-2025"]) == 2
    [[first, second]] = told.tables
    assert "What is drunk here?" in first[2]
    assert first[3] == "Tea."
    assert second[3] == "x &gt; 0 &amp; &lt;b&gt;"
    totals = {name: points[-1][1] for name, points in told.points("Summary").items()}
    assert totals["llm/calls"] == 2
    assert totals["llm/total_known_cost_usd"] == 280.0
    assert told.log.count("tool search failed: ValueError: no leaves") == 1
    assert told.tags == ["support"]
    metrics = [each for each in told.reports if each["metric"] != "Summary"]
    assert len(metrics) == 2 * 5 + 1


def test_points_of_many_handlers_and_threads_do_not_fall_on_each_other(task):
    """One handler a request would plot over the last, if each counted for itself."""

    def request(number):
        with ClearMLCallbackHandler(task) as handler:
            ask(manager_of(handler), f"no {number}")

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(request, range(20)))
    told = Told(task)
    [points] = told.points("llm/latency_s").values()
    assert [number for number, _ in points] == list(range(20))
    assert len(told.tables) == 20


def test_a_task_of_the_handlers_own_is_closed_with_it_and_holds_no_secret():
    handler = ClearMLCallbackHandler(
        init={"task_name": "ours", **TASK}, redaction=Redaction("emails")
    )
    opened = clearml.Task.current_task()
    manager = manager_of(handler)
    ask(manager, "write to ada@example.com")
    run = manager.on_chain_start(None, {}, name="agent")
    run.get_child().on_tool_start(None, "x", name="mail").on_tool_error(
        ValueError("no ada@example.com")
    )
    run.on_chain_error(ValueError("no ada@example.com"))
    handler.close()
    assert clearml.Task.current_task() is None
    told = Told(opened)
    assert "ada@example.com" not in f"{told.reports}{told.log}"
    assert told.log.count("failed: ValueError: no <email>") == 1  # Where it arose.


def test_it_is_made_without_packages_that_measure_texts(task, monkeypatch):
    """The former handler could not be made without spacy and textstat."""
    for package in ("spacy", "textstat", "pandas"):
        monkeypatch.setitem(sys.modules, package, None)
    ClearMLCallbackHandler(task)


def test_a_handler_may_be_closed_after_its_task(task):
    handler = ClearMLCallbackHandler(task)
    ask(manager_of(handler))
    task.close()
    handler.close()
