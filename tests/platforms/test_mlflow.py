"""Runs as traces of MLflow, read back with its own client from a SQLite store."""

from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import pytest

pytest.importorskip("mlflow", reason="MLflow is not installed: make platforms")
pytest.importorskip("sqlalchemy", reason="MLflow's SQLite store needs sqlalchemy and alembic")

import mlflow
from mlflow.types.chat import ChatMessage, ChatTool

from callboard.clock import clock_from
from callboard.integrations import MlflowCallbackHandler
from callboard.redaction import Redaction
from callboard.testing import StepClock
from tests.platforms import graph
from tests.unit.integrations.scenes import PRICES, answer, ask, manager_of, serve

pytestmark = [
    pytest.mark.timeout(300),  # A fresh store is migrated step by step.
    pytest.mark.filterwarnings("default"),  # Those of MLflow and what it brings are not ours.
]


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    place = tmp_path_factory.mktemp("mlflow")
    mlflow.set_tracking_uri(f"sqlite:///{place / 'mlflow.db'}")
    return place


@pytest.fixture
def experiment(store, request):
    """An experiment of the test's own; returns its traces, once all is written."""
    number = mlflow.create_experiment(request.node.name, artifact_location=store.as_uri())

    def traces(handler):
        handler.flush()
        return mlflow.MlflowClient().search_traces(locations=[number])

    return number, traces


def spans_of(trace):
    return {span.name: span for span in trace.data.spans}


def test_an_application_is_one_trace_with_tokens_cost_session_and_parents(experiment):
    number, traces = experiment
    handler = MlflowCallbackHandler(experiment_id=number, prices=PRICES)
    with clock_from(StepClock()):
        serve(handler)
    [trace] = traces(handler)
    spans = spans_of(trace)
    assert {name: span.span_type for name, span in spans.items()} == {
        "agent": "CHAIN",
        "shelf": "RETRIEVER",
        "ChatOpenAI": "CHAT_MODEL",
        "search": "TOOL",
    }
    root = spans["agent"].span_id
    assert {span.parent_id for name, span in spans.items() if name != "agent"} == {root}
    assert trace.info.token_usage["input_tokens"] == 100
    assert trace.info.token_usage["total_tokens"] == 120
    assert trace.info.cost["total_cost"] == pytest.approx(140.0)
    assert trace.info.trace_metadata["mlflow.trace.session"] == "s-1"
    assert trace.info.execution_duration == 8_000
    chat = spans["ChatOpenAI"]
    assert chat.inputs["messages"][1] == {"role": "user", "content": "What is drunk here?"}
    assert chat.outputs["choices"][0]["message"]["content"] == "Tea."
    assert chat.get_attribute("mlflow.llm.model") == "gpt-5-2025"
    assert [event.name for event in chat.events] == ["first_token"]
    [document] = spans["shelf"].outputs
    assert document["page_content"] == "On tea"
    assert spans["search"].status.status_code.name == "ERROR"
    assert spans["search"].status.description == "ValueError: no leaves"
    [error] = spans["search"].events
    assert error.attributes["exception.type"] == "ValueError"
    assert error.timestamp == spans["search"].end_time_ns
    assert trace.info.state == "OK"  # The agent went on without the tool.


def test_an_agent_of_langgraphs_is_one_trace_that_mlflows_chat_view_can_read(experiment):
    number, traces = experiment
    handler = MlflowCallbackHandler(experiment_id=number, prices=PRICES)
    assert graph.run(handler, user_id="ada") == "Fifty grams."
    [trace] = traces(handler)
    names = {span.span_id: span.name for span in trace.data.spans}
    assert Counter((names.get(span.parent_id), span.name) for span in trace.data.spans) == {
        (None, "tea agent"): 1,
        ("tea agent", "think"): 2,
        ("think", "GenericFakeChatModel"): 2,
        ("think", "tools_condition"): 2,
        ("tea agent", "tools"): 1,
        ("tools", "weigh"): 1,
        ("tools", "taste"): 1,
    }
    assert trace.info.trace_metadata["mlflow.trace.session"] == "thread-7"
    assert trace.info.trace_metadata["mlflow.trace.user"] == "ada"
    assert trace.info.token_usage["total_tokens"] == 240
    assert trace.info.cost["total_cost"] == pytest.approx(280.0)
    [taste] = [span for span in trace.data.spans if span.name == "taste"]
    assert taste.status.status_code.name == "ERROR"
    for span in trace.search_spans(span_type="CHAT_MODEL"):
        told = [*span.inputs["messages"], *(each["message"] for each in span.outputs["choices"])]
        for message in told:
            ChatMessage.model_validate(message)
    asked, answered = [
        [message["role"] for message in span.inputs["messages"]]
        for span in trace.search_spans(span_type="CHAT_MODEL")
    ]
    assert (asked, answered) == (["user"], ["user", "assistant", "tool", "tool"])
    [found] = mlflow.search_sessions(locations=[number])
    assert found.id == "thread-7"


def test_tools_that_a_model_may_call_are_told_as_mlflow_has_them(experiment):
    number, traces = experiment
    handler = MlflowCallbackHandler(experiment_id=number)
    tools = [
        {"type": "function", "function": {"name": "weigh", "parameters": {"properties": {}}}},
        {"type": "web_search"},
    ]
    call = {"name": "weigh", "args": {"leaves": "Assam"}, "id": "call-1"}
    ask(manager_of(handler), response=answer(tool_calls=[call]), tools=tools)
    [trace] = traces(handler)
    [span] = trace.data.spans
    [tool] = span.get_attribute("mlflow.chat.tools")
    assert ChatTool.model_validate(tool).function.name == "weigh"
    [choice] = span.outputs["choices"]
    [asked] = ChatMessage.model_validate(choice["message"]).tool_calls
    assert asked.function.arguments == '{"leaves":"Assam"}'


def test_a_trace_has_failed_if_its_outermost_run_has(experiment):
    number, traces = experiment
    handler = MlflowCallbackHandler(experiment_id=number)
    run = manager_of(handler).on_chain_start(None, {}, name="agent")
    run.on_chain_error(ValueError("no leaves"))
    [trace] = traces(handler)
    assert trace.info.state == "ERROR"
    [span] = trace.data.spans
    assert "no leaves" in span.events[0].attributes["exception.stacktrace"]


def test_serialized_none_and_parallel_threads_are_all_traced(experiment):
    """langchain issue 26773: serialized is None; and one counter for all runs."""
    number, traces = experiment
    handler = MlflowCallbackHandler(experiment_id=number)
    with ThreadPoolExecutor(4) as pool:
        for _ in range(8):
            pool.submit(serve, handler)
    told = traces(handler)
    assert len(told) == 8
    assert {len(trace.data.spans) for trace in told} == {4}


def test_the_text_is_stored_and_a_stream_writes_nothing_for_a_token(experiment):
    """The former handler kept an artifact for each token, and of the answer nothing."""
    number, traces = experiment
    handler = MlflowCallbackHandler(experiment_id=number)
    [run] = manager_of(handler).on_chat_model_start(None, [[("user", "x")]], name="c")
    for _ in range(100):
        run.on_llm_new_token("t")
    [record] = handler._records.values()
    assert not record.kept.events
    run.on_llm_end(answer())
    [trace] = traces(handler)
    assert trace.data.spans[0].outputs["choices"][0]["message"]["content"] == "Tea."


def test_what_never_ends_is_told_when_the_handler_closes(experiment):
    number, traces = experiment
    handler = MlflowCallbackHandler(experiment_id=number)
    manager_of(handler).on_chain_start(None, {}, name="agent")
    handler.close()
    handler.close()
    [trace] = traces(handler)
    assert trace.data.spans[0].get_attribute("callboard.unfinished") is True


def test_a_secret_is_not_stored(experiment):
    number, traces = experiment
    handler = MlflowCallbackHandler(experiment_id=number, redaction=Redaction("emails"))
    ask(manager_of(handler), "write to ada@example.com")
    [trace] = traces(handler)
    assert "ada@example.com" not in trace.to_json()
    assert "<email>" in trace.to_json()
