"""Model calls told to Comet, read back from the archive of an offline experiment."""

import csv
import io
import json
import zipfile
from concurrent.futures import ThreadPoolExecutor

import pytest

with pytest.MonkeyPatch.context() as _patched:
    _patched.setenv("COMET_INTERNAL_SENTRY_DSN", "")  # It would tell its makers of its errors.
    comet_ml = pytest.importorskip(
        "comet_ml", reason="Comet's client is not installed: make platforms"
    )

from callboard.integrations import CometCallbackHandler
from callboard.redaction import Redaction
from tests.unit.integrations.scenes import PRICES, answer, ask, manager_of, serve

pytestmark = [
    pytest.mark.timeout(300),
    pytest.mark.filterwarnings("default"),  # Those of Comet's client are not ours.
]

ALONE = {
    "log_code": False,
    "log_git_metadata": False,
    "log_git_patch": False,
    "log_env_details": False,
    "auto_output_logging": False,
    "parse_args": False,
    "display_summary_level": 0,
}


@pytest.fixture
def experiment(tmp_path):
    """An experiment of the application's own."""
    experiment = comet_ml.OfflineExperiment(offline_directory=str(tmp_path), **ALONE)
    yield experiment
    experiment.end()


class Told:
    """What the archive of an experiment that has ended holds."""

    def __init__(self, folder):
        [path] = folder.glob("*.zip")
        with zipfile.ZipFile(path) as archive:
            lines = archive.read("messages.json").decode().splitlines()
            self.messages = [json.loads(line) for line in lines]
            self.files = {name: archive.read(name).decode() for name in archive.namelist()}
        self.tags = json.loads(self.files["experiment.json"])["tags"]

    def of(self, kind):
        return [each["payload"] for each in self.messages if each["type"] == kind]

    def points(self, name):
        """The points of a metric, as step and value."""
        metrics = [each["metric"] for each in self.of("metric_msg")]
        return [
            (each["step"], each["metricValue"]) for each in metrics if each["metricName"] == name
        ]

    @property
    def others(self):
        return {each["key"]: each["value"] for each in self.of("log_other")}

    def uploads(self, kind):
        """The name, text and metadata of each file of a kind."""
        return [
            (
                each["additional_params"]["fileName"],
                self.files[each["file_path"]],
                each["metadata"],
            )
            for each in self.of("file_upload")
            if each["upload_type"] == kind
        ]

    @property
    def text(self):
        return f"{self.messages}{self.files}"


def test_metrics_a_table_totals_a_failure_and_nothing_for_a_token(experiment, tmp_path):
    handler = CometCallbackHandler(prices=PRICES, tags=["support"])
    serve(handler)
    [chat] = manager_of(handler).on_chat_model_start(None, [[("user", "x")]], name="c")
    for _ in range(1_000):
        chat.on_llm_new_token("t")
    chat.on_llm_end(answer('say "x", y'))
    handler.close()
    handler.close()
    assert experiment.alive  # It is still the application's to end.
    experiment.end()
    told = Told(tmp_path)
    assert told.points("llm/cost_usd") == [(0, 140.0), (1, 140.0)]
    assert told.points("llm/input_tokens") == [(0, 100), (1, 100)]
    assert [step for step, _ in told.points("llm/latency_s")] == [0, 1]
    assert len([each for each in told.of("metric_msg") if "llm/" in str(each)]) == 2 * 5
    [(name, text, _)] = told.uploads("asset")
    assert name == "llm-calls-1.csv"
    first, second = csv.DictReader(io.StringIO(text))
    assert "What is drunk here?" in first["prompt"]
    assert (first["answer"], first["tokens"], first["status"]) == ("Tea.", "120", "ok")
    assert second["answer"] == 'say "x", y'
    assert told.others["llm/calls"] == 2
    assert told.others["llm/total_known_cost_usd"] == 280.0
    [(_, text, metadata)] = told.uploads("text-sample")
    assert text == "tool search failed: ValueError: no leaves"
    assert (metadata["name"], metadata["error_type"]) == ("search", "ValueError")
    assert told.tags == ["support"]


def test_the_experiments_own_step_stays_what_it_was(experiment, tmp_path):
    experiment.set_step(5_000)
    with CometCallbackHandler(experiment) as handler:
        ask(manager_of(handler))
    experiment.log_metric("loss", 0.5)
    experiment.end()
    assert Told(tmp_path).points("loss") == [(5_000, 0.5)]


def test_steps_of_many_handlers_and_threads_do_not_fall_on_each_other(experiment, tmp_path):
    def request(number):
        with CometCallbackHandler(experiment) as handler:
            ask(manager_of(handler), f"no {number}")

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(request, range(20)))
    experiment.end()
    told = Told(tmp_path)
    assert sorted(step for step, _ in told.points("llm/latency_s")) == list(range(20))
    assert len({name for name, _, _ in told.uploads("asset")}) == 20


def test_an_experiment_of_the_handlers_own_is_ended_with_it_and_holds_no_secret(tmp_path):
    config = comet_ml.ExperimentConfig(offline_directory=str(tmp_path), **ALONE)
    handler = CometCallbackHandler(
        init={"online": False, "experiment_config": config}, redaction=Redaction("emails")
    )
    opened = comet_ml.get_running_experiment()
    manager = manager_of(handler)
    ask(manager, "write to ada@example.com")
    run = manager.on_chain_start(None, {}, name="agent")
    run.get_child().on_tool_start(None, "x", name="mail").on_tool_error(
        ValueError("no ada@example.com")
    )
    run.on_chain_error(ValueError("no ada@example.com"))
    handler.close()
    assert not opened.alive
    told = Told(tmp_path)
    assert "ada@example.com" not in told.text
    # Where it arose; the chain passes it on.
    assert [text for _, text, _ in told.uploads("text-sample")] == [
        "tool mail failed: ValueError: no <email>"
    ]


def test_a_handler_may_be_closed_after_its_experiment(experiment):
    handler = CometCallbackHandler(experiment)
    ask(manager_of(handler))
    experiment.end()
    handler.close()
