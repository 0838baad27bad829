"""Faults that LangChain's handlers for big platforms had: ours are held to be without them.

The table in `docs/integrations.md` lists all, with the tests of those that are held elsewhere.
"""

import sys

import pytest

from callboard.payloads import Generation, HumanMessage, LLMResult
from tests.unit.integrations.scenes import ask, manager_of, serve

pytestmark = [
    pytest.mark.timeout(300),
    pytest.mark.filterwarnings("default"),  # Those of the platforms' clients are not ours.
]


@pytest.fixture
def _nothing_measures(monkeypatch):
    """Importing what the former handlers measured texts with fails."""
    for package in ("textstat", "spacy", "nltk"):
        monkeypatch.setitem(sys.modules, package, None)


@pytest.fixture
def wandb_run(tmp_path, monkeypatch):
    wandb = pytest.importorskip("wandb", reason="W&B's client is not installed: make platforms")
    monkeypatch.setenv("WANDB_SILENT", "true")
    with wandb.init(mode="offline", dir=tmp_path, project="test") as run:
        yield run


@pytest.fixture
def mlflow_traces(tmp_path, monkeypatch):
    """Returns what reads the traces of a store in files."""
    mlflow = pytest.importorskip("mlflow", reason="MLflow is not installed: make platforms")
    monkeypatch.setenv("MLFLOW_ALLOW_FILE_STORE", "true")
    before = mlflow.get_tracking_uri()
    mlflow.set_tracking_uri((tmp_path / "runs").as_uri())
    number = mlflow.create_experiment("faults")

    def traces(handler):
        handler.flush()
        return mlflow.MlflowClient().search_traces(locations=[number])

    yield number, traces
    mlflow.set_tracking_uri(before)


@pytest.mark.usefixtures("_nothing_measures")
def test_wandb_is_told_without_packages_that_measure_texts(wandb_run, caplog):
    """The handler could not be made without textstat and spacy."""
    from callboard.integrations import WandbCallbackHandler

    with WandbCallbackHandler(wandb_run) as handler:
        serve(handler)
    assert not caplog.records


def test_wandb_is_told_of_calls_that_tell_no_usage(wandb_run, caplog):
    """A flush needed columns of token usage: a KeyError for every chat model."""
    from callboard.integrations import WandbCallbackHandler

    with WandbCallbackHandler(wandb_run) as handler:
        ask(manager_of(handler), response=LLMResult([[Generation("y")]]))
        handler.flush()
        handler.flush()
    assert not caplog.records
    told = set(wandb_run.summary.keys())
    assert "llm/latency_s" in told
    assert "llm/input_tokens" not in told


@pytest.mark.usefixtures("_nothing_measures")
def test_mlflow_takes_whatever_a_chain_is_given_and_of_whichever_nothing_is_said(
    mlflow_traces, caplog
):
    """langchain#26773: an AttributeError, as nothing is said of most; and texts were measured,
    for which NLTK's data was looked for on the network."""
    from callboard.integrations import MlflowCallbackHandler

    number, traces = mlflow_traces
    handler = MlflowCallbackHandler(experiment_id=number)
    given = [{"question": "?"}, {}, "text", None, ["a", 1], HumanMessage("hi")]
    for each in given:
        manager_of(handler).on_chain_start(None, each, name="chain").on_chain_end(each)
    assert len(traces(handler)) == len(given)
    assert not caplog.records


def test_mlflow_is_told_of_each_run_at_its_own_time_and_that_it_is_over(mlflow_traces):
    """All metrics were at step 0, and the run stayed RUNNING."""
    from datetime import timedelta

    from callboard.clock import clock_from
    from callboard.integrations import MlflowCallbackHandler
    from callboard.testing import StepClock

    number, traces = mlflow_traces
    with clock_from(StepClock(step=timedelta(seconds=1))):
        handler = MlflowCallbackHandler(experiment_id=number)
        for _ in range(3):
            ask(manager_of(handler))
    told = traces(handler)
    assert len({trace.info.request_time for trace in told}) == 3
    assert [trace.info.execution_duration for trace in told] == [2_000] * 3
    assert {trace.info.state.value for trace in told} == {"OK"}


def test_streamlit_shows_a_tool_before_any_model_and_a_second_beside_the_first():
    """The second raised "Current LLMThought is unexpectedly None!", and was lost."""
    pytest.importorskip("streamlit", reason="Streamlit is not installed: make platforms")
    from streamlit.testing.v1 import AppTest

    def script():
        import streamlit as st

        from callboard.integrations import StreamlitCallbackHandler
        from tests.unit.integrations.scenes import manager_of

        manager = manager_of(StreamlitCallbackHandler(st.container()))
        first = manager.on_tool_start(None, "x", name="first")
        second = manager.on_tool_start(None, "x", name="second")
        first.on_tool_end("y")
        second.on_tool_end("y")

    app = AppTest.from_function(script, default_timeout=60).run()
    assert not app.exception
    # What is an expander to Streamlit 1.67, is a status to earlier ones.
    labels = [box.label for kind in ("expander", "status") for box in app.get(kind)]
    assert ["first" in labels[0], "second" in labels[1]] == [True, True]
