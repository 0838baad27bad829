"""What the langsmith SDK can ask for: filters, statistics, threads, traces, shares, projects."""

import datetime as dt
import time
import uuid
from types import SimpleNamespace

import pytest
from langsmith import AsyncClient
from langsmith.run_trees import RunTree
from langsmith.utils import LangSmithConflictError, LangSmithNotFoundError

from tests.integrations.langsmith_reading import client_of, second_api, tree_of

pytestmark = [
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
    pytest.mark.filterwarnings("ignore::langsmith.utils.LangSmithWarning"),
]

START = dt.datetime.now(dt.UTC) - dt.timedelta(hours=1)
USAGE = {"input_tokens": 900, "output_tokens": 100, "total_tokens": 1000, "total_cost": 0.25}


@pytest.fixture(scope="module")
def client(board):
    with client_of(board.url) as made:
        yield made


def at(seconds):
    return START + dt.timedelta(seconds=seconds)


def trace(client, project, name, *, second=0, takes=1, error=None, thread=None, **more):
    """Send a trace of a chain, a model and a tool, as if it had run at some second."""
    metadata = {"thread_id": thread, **more.pop("metadata", {})}
    root = RunTree(
        name=name,
        inputs={"question": more.pop("question", f"what is {name}")},
        start_time=at(second),
        extra={"metadata": metadata},
        project_name=project,
        ls_client=client,
        **more,
    )
    root.post()
    model = root.create_child("model", "llm", inputs={"prompt": name}, start_time=at(second))
    model.post()
    model.end(outputs={"text": f"said of {name}", "usage_metadata": USAGE}, end_time=at(second + 1))
    model.patch()
    tool = root.create_child("Weather", "tool", inputs={"city": "Oslo"}, start_time=at(second))
    tool.post()
    tool.end(error=error, end_time=at(second + 0.5))
    tool.patch()
    root.end(outputs={"answer": f"it is {name}"}, error=error, end_time=at(second + takes))
    root.patch()
    return root


@pytest.fixture(scope="module")
def kept(client):
    """Some traces, and the project that they are in."""
    project = f"kept {uuid.uuid4()}"
    traces = {
        "Refunds": trace(client, project, "Refunds", second=0, takes=9, tags=["beta"]),
        "RetrieveDocs": trace(
            client, project, "RetrieveDocs", second=60, metadata={"env": "prod", "tries": 3}
        ),
        "Expand": trace(
            client, project, "Expand", second=120, error="TimeoutError: late", tags=["beta", "v2"]
        ),
        "turn 1": trace(client, project, "turn 1", second=180, thread="talk"),
        "turn 2": trace(client, project, "turn 2", second=240, thread="talk", question="Grüße"),
    }
    client.flush()
    client.create_feedback(traces["Refunds"].id, "Correctness", score=0.0, comment="no")
    client.create_feedback(traces["Expand"].id, "Correctness", score=1)
    project_id = str(client.read_project(project_name=project).id)
    return SimpleNamespace(project=project, id=project_id, traces=traces)


FILTERS = {
    'eq(name, "Refunds")': ["Refunds"],
    "eq(name, RetrieveDocs)": ["RetrieveDocs"],
    'gt(latency, "5s")': ["Refunds"],
    'and(eq(run_type, "chain"), gt(latency, 5), gte(total_tokens, 1000))': ["Refunds"],
    "neq(error, null)": ["Expand"],
    'eq(status, "error")': ["Expand"],
    'has(tags, "beta")': ["Refunds", "Expand"],
    'and(or(has(tags, "v2"), has(tags, "none")), lt(latency, 2))': ["Expand"],
    'and(eq(metadata_key, "env"), eq(metadata_value, "prod"))': ["RetrieveDocs"],
    'has(metadata, \'{"env": "prod"}\')': ["RetrieveDocs"],
    'and(eq(metadata_key, "tries"), gt(metadata_value, 2))': ["RetrieveDocs"],
    'neq(metadata_key, "env")': ["Refunds", "Expand", "turn 1", "turn 2"],
    'search("GRÜSSE")': ["turn 2"],
    'search("Gruesse")': [],
    'search(name, "refunds")': ["Refunds"],
    'and(eq(input_key, "question"), eq(input_value, "what is Expand"))': ["Expand"],
    'and(eq(feedback_key, "Correctness"), eq(feedback_score, 0.0))': ["Refunds"],
    'and(gt(start_time, "2023-07-15T12:34:56Z"), or(neq(error, null), and(eq(feedback_key, '
    '"Correctness"), eq(feedback_score, 0.0))))': ["Refunds", "Expand"],
    'eq(thread_id, "talk")': ["turn 1", "turn 2"],
    'in(name, ["Refunds", "Expand", "other"])': ["Refunds", "Expand"],
    'not(like(name, "turn%"))': ["Refunds", "RetrieveDocs", "Expand"],
    "eq(name, nobody)": [],
}


@pytest.mark.parametrize("text", FILTERS)
def test_filters_of_roots(client, kept, text):
    found = client.list_runs(project_id=kept.id, is_root=True, filter=text)
    assert sorted(run.name for run in found) == sorted(FILTERS[text])


async def test_the_same_filters_by_the_second_api(board, kept):
    found = {}
    async with second_api(board.url) as api:
        for text in FILTERS:
            page = await api.runs.query_v2(
                project_ids=[kept.id], is_root=True, filter=text, selects=["NAME"]
            )
            found[text] = sorted(run.name for run in page.items)
    assert found == {text: sorted(names) for text, names in FILTERS.items()}


def test_filters_of_other_runs_of_the_trace(client, kept):
    models = client.list_runs(
        project_name=kept.project,
        filter='eq(run_type, "llm")',
        trace_filter='and(eq(feedback_key, "Correctness"), eq(feedback_score, 1))',
        tree_filter='and(eq(name, "Weather"), neq(error, null))',
    )
    assert [run.trace_id for run in models] == [kept.traces["Expand"].id]


def test_other_ways_to_say_which_runs(client, kept):
    def names(**query):
        return sorted({run.name for run in client.list_runs(project_name=kept.project, **query)})

    one = kept.traces["Refunds"].id
    assert names(run_type="tool") == ["Weather"]
    assert names(error=True) == ["Expand", "Weather"]
    assert names(trace_id=one) == ["Refunds", "Weather", "model"]
    assert names(parent_run_id=one) == ["Weather", "model"]
    assert names(start_time=at(200), is_root=True) == ["turn 2"]
    assert names(query="refunds", is_root=True) == ["Refunds"]
    assert [run.name for run in client.list_runs(id=[one])] == ["Refunds"]


def test_runs_come_newest_first_and_page_by_page(client, kept):
    found = [run.name for run in client.list_runs(project_name=kept.project, is_root=True, limit=4)]
    assert found == ["turn 2", "turn 1", "Expand", "RetrieveDocs"]
    names = [each.name for each in client.list_runs(project_name=kept.project, limit=1000)]
    assert len(names) == 15


def test_only_what_is_selected_is_told(client, kept):
    select = ["name", "inputs", "total_tokens"]
    runs = client.list_runs(project_name=kept.project, is_root=True, select=select, limit=1)
    (run,) = runs
    assert (run.name, run.inputs, run.total_tokens) == ("turn 2", {"question": "Grüße"}, 1000)
    assert run.outputs is None


def test_a_run_with_its_children(client, kept):
    root = client.read_run(kept.traces["Refunds"].id, load_child_runs=True)
    assert sorted(child.name for child in root.child_runs) == ["Weather", "model"]
    assert root.url.endswith(f"/r/{root.id}")
    with pytest.raises(LangSmithNotFoundError):
        client.read_run(uuid.uuid4())


def test_statistics(client, kept):
    told = client.get_run_stats(project_names=[kept.project], is_root=True)
    assert told["run_count"] == 5
    assert (told["total_tokens"], told["prompt_tokens"]) == (5000, 4500)
    assert told["total_cost"] == pytest.approx(1.25)
    assert told["error_rate"] == pytest.approx(0.2)
    assert told["latency_p50"] == pytest.approx(1)
    assert told["feedback_stats"]["Correctness"]["n"] == 2


def test_threads(client, kept):
    since = at(-60)
    (thread,) = client.list_threads(project_name=kept.project, start_time=since)
    assert (thread["thread_id"], thread["count"]) == ("talk", 2)
    turns = client.read_thread(thread_id="talk", project_name=kept.project)
    assert sorted(run.name for run in turns) == ["turn 1", "turn 2"]


async def test_threads_by_the_second_api(board, kept):
    async with second_api(board.url) as api:
        page = await api.threads.query(
            project_id=kept.id, min_start_time=at(-60), max_start_time=at(600)
        )
        traces = await api.threads.list_traces("talk", project_id=kept.id, selects=["NAME"])
        told = await api.threads.stats("talk", session_id=kept.id, selects=["TURNS"])
    (thread,) = page.items
    assert (thread.thread_id, thread.count, thread.total_tokens) == ("talk", 2, 2000)
    assert "Grüße" not in thread.first_inputs
    assert sorted(each.name for each in traces.items) == ["turn 1", "turn 2"]
    assert told.turns == 2


async def test_traces_by_the_second_api(board, kept):
    one = str(kept.traces["Refunds"].id)
    async with second_api(board.url) as api:
        selects = ["ID", "TOTAL_TOKENS"]
        page = await api.traces.query(project_id=kept.id, trace_ids=[one], selects=selects)
        runs = await api.traces.list_runs(one, project_id=kept.id, selects=["NAME", "RUN_TYPE"])
    (found,) = page.items
    assert found.root_run.id == one
    assert found.trace_aggregates.total_tokens == 1000
    assert sorted(run.name for run in runs.items) == ["Refunds", "Weather", "model"]


async def test_one_run_by_the_second_api(board, kept):
    one = str(kept.traces["Expand"].id)
    selects = ["NAME", "STATUS", "ERROR", "INPUTS", "TAGS", "METADATA", "TOTAL_TOKENS", "IS_ROOT"]
    async with second_api(board.url) as api:
        run = await api.runs.retrieve(one, project_id=kept.id, selects=selects)
    assert (run.name, run.status.lower(), run.error) == ("Expand", "error", "TimeoutError: late")
    assert (run.inputs, run.tags) == ({"question": "what is Expand"}, ["beta", "v2"])
    assert (run.total_tokens, run.is_root) == (1000, True)


async def test_pages_as_a_stream(board, kept):
    async with second_api(board.url) as api:
        stream = api.runs.streaming.query_v2_items(
            project_ids=[kept.id], is_root=True, page_size=2, selects=["NAME"]
        )
        names = [run.name async for run in stream]
    assert names[:2] == ["turn 2", "turn 1"]


def test_feedback_of_a_run(client, kept):
    run_id = kept.traces["RetrieveDocs"].id
    made = client.create_feedback(
        run_id, "helpful", score=0.75, value="good", comment="yes", correction={"answer": "b"}
    )
    client.flush()
    (found,) = client.list_feedback(run_ids=[run_id], feedback_key=["helpful"])
    assert (found.id, found.score, found.value) == (made.id, 0.75, "good")
    assert (found.comment, found.correction) == ("yes", {"answer": "b"})
    client.update_feedback(made.id, score=0.5, comment="well")
    assert client.read_feedback(made.id).score == 0.5
    summary = client.read_run(run_id).feedback_stats["helpful"]
    assert (summary["n"], summary["avg"]) == (1, 0.5)
    client.delete_feedback(made.id)
    assert list(client.list_feedback(run_ids=[run_id])) == []


def test_feedback_that_comes_before_its_run(client, project):
    run_id = uuid.uuid4()
    client.create_feedback(run_id, "early", score=True, trace_id=run_id)
    client.flush()
    client.create_run("late", {}, "chain", id=run_id, project_name=project, start_time=at(0))
    client.update_run(run_id, end_time=at(1))
    client.flush()
    assert client.read_run(run_id).feedback_stats["early"]["avg"] == 1
    (run,) = client.list_runs(project_name=project, filter='eq(feedback_key, "early")')
    assert run.id == run_id


def test_feedback_by_a_token(client, kept):
    run_id = kept.traces["turn 1"].id
    token = client.create_presigned_feedback_token(run_id, "thumb")
    client.create_feedback_from_token(token.id, score=1)
    (found,) = client.list_feedback(run_ids=[run_id], feedback_key=["thumb"])
    assert found.score == 1


def test_a_shared_run(client, kept):
    one = kept.traces["Refunds"]
    link = client.share_run(one.id)
    assert client.run_is_shared(one.id)
    assert client.read_run_shared_link(one.id) == link
    token = link.split("/")[-2]
    assert client.read_shared_run(token).name == "Refunds"
    assert tree_of(client.list_shared_runs(token)).startswith("Refunds\n")
    client.unshare_run(one.id)
    assert not client.run_is_shared(one.id)
    with pytest.raises(LangSmithNotFoundError):
        client.read_shared_run(token)


async def test_a_shared_trace_by_the_second_api(board, kept):
    one = str(kept.traces["turn 2"].id)
    async with second_api(board.url) as api:
        made = await api.runs.share.create(one, session_id=kept.id, trace_id=one)
        found = await api.public.runs.query(made.share_token, selects=["NAME"])
        assert sorted(run.name for run in found.items) == ["Weather", "model", "turn 2"]
        await api.runs.share.delete(one, session_id=kept.id)


def test_projects(client, project):
    made = client.create_project(project, description="first", metadata={"team": "a"})
    assert client.read_project(project_name=project).id == made.id
    with pytest.raises(LangSmithConflictError):
        client.create_project(project)
    assert client.create_project(project, upsert=True).id == made.id
    client.update_project(made.id, description="second", metadata={"team": "b"})
    shown = client.read_project(project_id=made.id)
    assert (shown.description, shown.metadata["team"]) == ("second", "b")
    assert [each.id for each in client.list_projects(name=project)] == [made.id]
    assert client.has_project(project)
    client.delete_project(project_name=project)
    assert not client.has_project(project)


def test_a_project_that_is_deleted_takes_its_runs_along(client, project):
    root = trace(client, project, "gone")
    client.flush()
    client.delete_project(project_name=project)
    with pytest.raises(LangSmithNotFoundError):
        client.read_run(root.id)


def test_what_a_project_comes_to_is_known_soon(client, project):
    trace(client, project, "first")
    client.flush()

    def counted():
        return client.read_project(project_name=project, include_stats=True)

    assert counted().run_count == 3
    trace(client, project, "second", error="no")
    client.flush()
    until = time.monotonic() + 10
    while counted().run_count != 6:
        assert time.monotonic() < until
        time.sleep(0.1)
    told = counted()
    assert (told.total_tokens, told.prompt_tokens) == (2000, 1800)
    assert told.latency_p50 == dt.timedelta(seconds=1)
    (listed,) = client.list_projects(name=project, include_stats=True)
    assert listed.run_count == 6


async def test_the_async_client(board, kept):
    async with AsyncClient(api_url=board.url, api_key="any") as client:
        found = client.list_runs(project_name=kept.project, is_root=True, filter='has(tags, "v2")')
        assert [run.name async for run in found] == ["Expand"]
        run_id = kept.traces["turn 1"].id
        await client.create_feedback(run_id, "async", score=0.25)
        told = client.list_feedback(run_ids=[run_id], feedback_key=["async"])
        assert [feedback.score async for feedback in told] == [0.25]
        assert (await client.read_project(project_name=kept.project)).name == kept.project
