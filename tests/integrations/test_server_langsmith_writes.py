"""What an application traces with the langsmith SDK is read back as it was."""

import asyncio
import datetime as dt
import threading
import uuid

import pytest
from langsmith import AsyncClient, traceable, tracing_context
from langsmith.run_helpers import get_current_run_tree
from langsmith.run_trees import RunTree
from langsmith.schemas import Attachment

from tests.integrations.langsmith_reading import client_of, runs_of, second_api, tree_of

pytestmark = [
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
    pytest.mark.filterwarnings("ignore::langsmith.utils.LangSmithWarning"),
]

TEXT = 'Grüße, "quoted" \\ back\u0000slash\r\n--boundary \U0001f600 \u2028'
USAGE = {
    "input_tokens": 12,
    "output_tokens": 30,
    "total_tokens": 42,
    "input_token_details": {"cache_read": 4},
    "output_token_details": {"reasoning": 7},
}


@pytest.fixture(scope="module")
def client(board):
    with client_of(board.url) as made:
        yield made


@pytest.fixture
def traced(client, project):
    """Have @traceable send to the server for the length of a test."""
    with tracing_context(enabled=True, client=client, project_name=project):
        yield


def kind_and_status(run):
    return f"{run.name}: {run.run_type}, {run.status}"


@traceable(run_type="retriever", tags=["search"])
def find(question):
    return [{"page_content": f"about {question}", "type": "Document", "metadata": {"page": 3}}]


@traceable(run_type="llm", metadata={"ls_provider": "none", "ls_model_name": "fake"})
def model(question, documents):
    return {"text": question.upper(), "usage_metadata": USAGE}


@traceable(name="answer", tags=["prod", "v2"], metadata={"user": {"plan": "free"}, "tries": 1})
def answer(question):
    return model(question, find(question))["text"]


def test_nested_calls(client, project, traced):
    assert answer(TEXT) == TEXT.upper()
    runs = runs_of(client, project)
    assert tree_of(runs.values(), kind_and_status) == (
        "answer: chain, success\n  find: retriever, success\n  model: llm, success"
    )
    root, found, called = runs["answer"], runs["find"], runs["model"]
    assert root.inputs == {"question": TEXT}
    assert root.outputs == {"output": TEXT.upper()}
    assert root.tags == ["prod", "v2"]
    assert root.metadata["user"] == {"plan": "free"}
    assert root.metadata["tries"] == 1
    assert found.outputs["output"][0]["metadata"] == {"page": 3}
    assert "search" in found.tags
    assert called.metadata["ls_model_name"] == "fake"
    assert {run.trace_id for run in runs.values()} == {root.id}
    assert [run.parent_run_ids for run in (root, found, called)] == [[], [root.id], [root.id]]
    assert all(run.start_time <= run.end_time for run in runs.values())


def test_tokens_of_a_model_are_its_own_and_its_traces(client, project, traced):
    answer("why")
    runs = runs_of(client, project)
    for run in (runs["model"], runs["answer"]):
        assert (run.prompt_tokens, run.completion_tokens, run.total_tokens) == (12, 30, 42)
        shown = client.read_run(run.id)
        assert shown.prompt_token_details == {"cache_read": 4}
        assert shown.completion_token_details == {"reasoning": 7}
    assert not runs["find"].total_tokens


def test_errors(client, project, traced):
    @traceable(run_type="tool")
    def divide(number):
        return number / 0

    @traceable
    def calculate(number):
        return divide(number)

    with pytest.raises(ZeroDivisionError):
        calculate(7)
    runs = runs_of(client, project)
    assert tree_of(runs.values(), kind_and_status) == (
        "calculate: chain, error\n  divide: tool, error"
    )
    for run in runs.values():
        assert run.error.startswith("ZeroDivisionError('division by zero')")
        assert "Traceback" in run.error


async def test_async_calls_at_once(client, project, traced):
    @traceable
    async def inner(number):
        await asyncio.sleep(0.001)
        return number

    @traceable
    async def outer(number):
        return sum(await asyncio.gather(*(inner(number * 10 + each) for each in range(3))))

    await asyncio.gather(*(outer(number) for number in range(5)))
    client.flush()
    runs = list(client.list_runs(project_name=project))
    roots = {run.id: run.inputs["number"] for run in runs if run.parent_run_id is None}
    assert sorted(roots.values()) == [0, 1, 2, 3, 4]
    children = [run for run in runs if run.parent_run_id is not None]
    assert len(children) == 15
    assert all(run.inputs["number"] // 10 == roots[run.parent_run_id] for run in children)


def test_generators(client, project, traced):
    @traceable(reduce_fn="".join)
    def spoken(text):
        yield from text

    @traceable
    async def counted(most):
        for number in range(most):
            yield number

    async def drain():
        return [number async for number in counted(3)]

    assert "".join(spoken("hello")) == "hello"
    assert asyncio.run(drain()) == [0, 1, 2]
    runs = runs_of(client, project)
    assert runs["spoken"].outputs == {"output": "hello"}
    assert runs["counted"].outputs == {"output": [0, 1, 2]}


def test_streams_of_models_have_a_first_token(client, project, traced):
    @traceable(run_type="llm")
    def talk():
        yield "hello "
        yield "there"

    list(talk())
    run = runs_of(client, project)["talk"]
    assert run.start_time <= run.first_token_time <= run.end_time


def test_a_run_is_there_while_it_runs(client, project):
    root = RunTree(name="slow", inputs={"a": 1}, project_name=project, ls_client=client)
    root.post()
    child = root.create_child("step", "tool", inputs={"b": 2})
    child.post()
    runs = runs_of(client, project)
    assert tree_of(runs.values(), kind_and_status) == "slow: chain, pending\n  step: tool, pending"
    child.end(outputs={"c": 3})
    child.patch()
    root.end(error="gave up")
    root.patch()
    runs = runs_of(client, project)
    assert tree_of(runs.values(), kind_and_status) == "slow: chain, error\n  step: tool, success"
    assert (runs["slow"].inputs, runs["slow"].error) == ({"a": 1}, "gave up")
    assert (runs["step"].inputs, runs["step"].outputs) == ({"b": 2}, {"c": 3})


def test_a_trace_across_services(client, project):
    """Headers carry the place in the trace, as HTTP requests between services do."""
    sent = {}

    @traceable
    def front(question):
        sent.update(get_current_run_tree().to_headers())
        worker = threading.Thread(target=serve)
        worker.start()
        worker.join()

    def serve():
        parent = RunTree.from_headers(sent, client=client)
        with tracing_context(parent=parent, enabled=True, client=client, project_name=project):
            back("from afar")

    @traceable(run_type="tool")
    def back(question):
        return question

    with tracing_context(enabled=True, client=client, project_name=project):
        front("near")
    runs = runs_of(client, project)
    assert tree_of(runs.values()) == "front\n  back"


def test_attachments(client, project, traced):
    picture = bytes(range(256)) * 40

    @traceable(dangerously_allow_filesystem=True)
    def look(question, picture: Attachment):
        return question

    look("what is it", Attachment("image/png", picture))
    (run,) = runs_of(client, project).values()
    assert run.inputs == {"question": "what is it"}
    shown = run.attachments["picture"]
    assert shown["reader"].read() == picture
    assert client.read_run(run.id).attachments.keys() == {"picture"}


def test_values_of_every_kind(client, project, traced):
    given = {
        "text": TEXT,
        "many": list(range(300)),
        "deep": {"a": [{"b": [None, True, False, 1.5, -(2**53)]}]},
        "empty": {"list": [], "dict": {}, "text": ""},
        "long": "x" * 200_000,
        "": "no key",
    }

    @traceable
    def echo(value):
        return {"echo": value}

    echo(given)
    (run,) = runs_of(client, project).values()
    assert run.inputs == {"value": given}
    assert run.outputs == {"echo": given}


def test_runs_that_are_sent_one_by_one(client, project):
    """Those without a place in a trace go out in requests of their own."""
    run_id, start = uuid.uuid4(), dt.datetime.now(dt.UTC)
    client.create_run(
        "alone", {"a": 1}, "tool", id=run_id, project_name=project, start_time=start, tags=["x"]
    )
    assert client.read_run(run_id).status == "pending"
    end = start + dt.timedelta(seconds=1.5)
    client.update_run(run_id, end_time=end, outputs={"b": 2}, extra={"metadata": {"c": "d"}})
    client.flush()
    run = client.read_run(run_id)
    assert (run.status, run.latency, run.outputs) == ("success", 1.5, {"b": 2})
    assert (run.inputs, run.tags, run.metadata["c"]) == ({"a": 1}, ["x"], "d")
    assert (run.trace_id, run.name) == (run_id, "alone")


async def test_the_async_client(board, project):
    run_id = uuid.uuid4()
    async with AsyncClient(api_url=board.url, api_key="any") as client:
        await client.create_run("alone", {"a": 1}, "llm", id=run_id, project_name=project)
        await client.update_run(run_id, outputs={"b": 2}, end_time=dt.datetime.now(dt.UTC))
        run = await client.read_run(run_id)
        assert (run.status, run.inputs, run.outputs) == ("success", {"a": 1}, {"b": 2})
        assert [each.id async for each in client.list_runs(project_name=project)] == [run_id]


@pytest.mark.parametrize("prefix", ["", "/", "/api", "/api/", "/api/v1"])
async def test_every_form_of_the_address(board, project, prefix):
    with client_of(board.url + prefix) as client:
        with tracing_context(enabled=True, client=client, project_name=project):
            answer("why")
        runs = runs_of(client, project)
        assert tree_of(runs.values()) == "answer\n  find\n  model"
        project_id = str(runs["answer"].session_id)
        async with second_api(board.url + prefix) as api:
            page = await api.runs.query_v2(project_ids=[project_id], selects=["NAME"])
        assert sorted(run.name for run in page.items) == ["answer", "find", "model"]


def test_uncompressed_bodies(board, project, monkeypatch):
    with client_of(board.url, info={"batch_ingest_config": None, "version": "0.18.20"}) as client:
        with tracing_context(enabled=True, client=client, project_name=project):
            answer(TEXT)
        runs = runs_of(client, project)
        assert tree_of(runs.values()) == "answer\n  find\n  model"
        assert runs["model"].total_tokens == 42
