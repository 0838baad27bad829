"""What LangChain and LangGraph trace with their own tracer is read back as it was."""

import pytest
from langchain_core.documents import Document
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, AIMessageChunk, HumanMessage
from langchain_core.outputs import ChatGeneration, ChatGenerationChunk, ChatResult
from langchain_core.prompts import ChatPromptTemplate
from langchain_core.retrievers import BaseRetriever
from langchain_core.runnables import RunnableLambda, RunnablePassthrough
from langchain_core.tools import tool
from langchain_core.tracers import LangChainTracer
from langgraph.graph import END, START, MessagesState, StateGraph

from tests.integrations.langsmith_reading import client_of, runs_of, tree_of

pytestmark = [
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
    pytest.mark.filterwarnings("ignore::langsmith.utils.LangSmithWarning"),
    pytest.mark.filterwarnings("ignore::langchain_core._api.LangChainBetaWarning"),
]

USAGE = {
    "input_tokens": 11,
    "output_tokens": 5,
    "total_tokens": 16,
    "input_token_details": {"cache_read": 3},
}


class Parrot(BaseChatModel):
    """A chat model that says what it heard, word by word if it is asked to stream."""

    @property
    def _llm_type(self):
        return "parrot"

    def _get_ls_params(self, stop=None, **kwargs):
        return {**super()._get_ls_params(stop, **kwargs), "ls_model_name": "parrot-1"}

    def _generate(self, messages, stop=None, run_manager=None, **kwargs):
        message = AIMessage(messages[-1].text, usage_metadata=USAGE)
        return ChatResult(generations=[ChatGeneration(message=message)])

    def _stream(self, messages, stop=None, run_manager=None, **kwargs):
        for word in messages[-1].text.split():
            yield ChatGenerationChunk(message=AIMessageChunk(f"{word} "))
        yield ChatGenerationChunk(message=AIMessageChunk("", usage_metadata=USAGE))


class Shelf(BaseRetriever):
    """A retriever of one document."""

    def _get_relevant_documents(self, query, *, run_manager):
        return [Document(f"about {query}", metadata={"page": 3})]


@pytest.fixture(scope="module")
def client(board):
    with client_of(board.url) as made:
        yield made


@pytest.fixture
def config(client, project):
    tracer = LangChainTracer(client=client, project_name=project)
    yield {"callbacks": [tracer], "tags": ["prod"], "metadata": {"thread_id": "talk"}}
    tracer.wait_for_futures()


@pytest.fixture
def read(client, project, config):
    """Read the runs by name, once all are there."""

    def read():
        config["callbacks"][0].wait_for_futures()
        return runs_of(client, project)

    return read


def chain():
    prompt = ChatPromptTemplate.from_messages([("system", "Be brief."), ("human", "{question}")])
    found = RunnablePassthrough.assign(context=(lambda told: told["question"]) | Shelf())
    return (found | prompt | Parrot()).with_config(run_name="answer")


def line(run):
    return f"{run.name}: {run.run_type}, {run.status}"


def test_a_chain(config, read):
    chain().invoke({"question": "Grüße"}, config)
    runs = read()
    assert tree_of(runs.values(), line) == (
        "answer: chain, success\n"
        "  RunnableAssign<context>: chain, success\n"
        "    RunnableParallel<context>: chain, success\n"
        "      RunnableSequence: chain, success\n"
        "        RunnableLambda: chain, success\n"
        "        Shelf: retriever, success\n"
        "  ChatPromptTemplate: prompt, success\n"
        "  Parrot: llm, success"
    )
    root, model = runs["answer"], runs["Parrot"]
    assert root.inputs == {"question": "Grüße"}
    assert root.tags == ["prod"]
    assert root.metadata["thread_id"] == "talk"
    assert root.outputs["output"]["content"] == "Grüße"
    ((system, human),) = model.inputs["messages"]
    assert (system["kwargs"]["content"], human["kwargs"]["content"]) == ("Be brief.", "Grüße")
    assert model.metadata["ls_model_name"] == "parrot-1"
    assert runs["Shelf"].outputs["documents"][0]["metadata"] == {"page": 3}


def test_tokens_of_a_chain_count_each_model_once(client, config, read):
    chain().invoke({"question": "why"}, config)
    runs = read()
    for name in ("answer", "Parrot"):
        run = runs[name]
        assert (run.prompt_tokens, run.completion_tokens, run.total_tokens) == (11, 5, 16)
    assert client.read_run(runs["Parrot"].id).prompt_token_details == {"cache_read": 3}
    assert not runs["ChatPromptTemplate"].total_tokens


def test_a_stream_has_a_first_token(config, read):
    assert "".join(c.text for c in chain().stream({"question": "a b c"}, config)) == "a b c "
    runs = read()
    model = runs["Parrot"]
    assert model.start_time <= model.first_token_time <= model.end_time
    assert runs["answer"].first_token_time == model.first_token_time
    assert model.outputs["generations"][0][0]["text"] == "a b c "
    assert runs["answer"].total_tokens == 16


async def test_async_batches(client, project, config):
    questions = [f"question {number}" for number in range(5)]
    await chain().abatch([{"question": each} for each in questions], config)
    config["callbacks"][0].wait_for_futures()
    client.flush()
    runs = list(client.list_runs(project_name=project))
    roots = {run.id: run.inputs["question"] for run in runs if run.parent_run_id is None}
    assert sorted(roots.values()) == questions
    assert len(runs) == 5 * 8
    for run in runs:
        if run.run_type == "llm":
            ((_, human),) = run.inputs["messages"]
            assert human["kwargs"]["content"] == roots[run.trace_id]


def test_errors_and_fallbacks(config, read):
    @RunnableLambda
    def break_down(told):
        raise ValueError("out of order")

    fragile = break_down.with_config(run_name="fragile")
    safe = fragile.with_fallbacks([RunnableLambda(str).with_config(run_name="spare")])
    assert safe.invoke({"a": 1}, config) == "{'a': 1}"
    with pytest.raises(ValueError, match="out of order"):
        fragile.with_config(run_name="alone").invoke({"a": 1}, config)
    runs = read()
    assert tree_of(runs.values(), line) == (
        "RunnableWithFallbacks: chain, success\n"
        "  fragile: chain, error\n"
        "  spare: chain, success\n"
        "alone: chain, error"
    )
    assert runs["alone"].error.startswith("ValueError('out of order')")


def test_retries(client, project, config):
    tries = []

    @RunnableLambda
    def falter(told):
        tries.append(told)
        if len(tries) < 3:
            raise ValueError("not yet")
        return told

    retried = falter.with_retry(stop_after_attempt=3, wait_exponential_jitter=False)
    retried.with_config(run_name="retried").invoke("x", config)
    config["callbacks"][0].wait_for_futures()
    client.flush()
    runs = list(client.list_runs(project_name=project))
    assert [run.status for run in sorted(runs, key=lambda run: run.dotted_order)] == [
        "success",
        "error",
        "error",
        "success",
    ]
    assert [run.tags for run in runs if "retry:attempt:3" in (run.tags or [])]


@tool
def look_up(word: str) -> str:
    """Look a word up."""
    if word == "nothing":
        raise KeyError(word)
    return f"what {word} means"


def graph():
    def think(state):
        return {"messages": [Parrot().invoke(state["messages"])]}

    def use_tools(state):
        word = state["messages"][-1].text.split()[-1]
        return {"messages": [HumanMessage(look_up.invoke(word))]}

    def is_done(state):
        return END if len(state["messages"]) > 2 else "use_tools"

    made = StateGraph(MessagesState)
    made.add_node(think)
    made.add_node(use_tools)
    made.add_edge(START, "think")
    made.add_conditional_edges("think", is_done)
    made.add_edge("use_tools", "think")
    return made.compile(name="agent")


def test_a_graph(client, project, config):
    graph().invoke({"messages": [HumanMessage("what is love")]}, config)
    config["callbacks"][0].wait_for_futures()
    client.flush()
    runs = list(client.list_runs(project_name=project))
    assert tree_of(runs, line) == (
        "agent: chain, success\n"
        "  think: chain, success\n"
        "    Parrot: llm, success\n"
        "    is_done: chain, success\n"
        "  use_tools: chain, success\n"
        "    look_up: tool, success\n"
        "  think: chain, success\n"
        "    Parrot: llm, success\n"
        "    is_done: chain, success"
    )
    (root,) = (run for run in runs if run.parent_run_id is None)
    assert root.total_tokens == 32
    (found,) = client.list_threads(project_name=project)
    assert (found["thread_id"], found["count"]) == ("talk", 1)
    nodes = client.list_runs(
        project_name=project,
        filter='and(eq(metadata_key, "langgraph_node"), eq(metadata_value, "use_tools"))',
    )
    assert {run.name for run in nodes} == {"use_tools", "look_up"}


async def test_a_graph_that_fails_half_way(config, read):
    with pytest.raises(KeyError):
        await graph().ainvoke({"messages": [HumanMessage("what is nothing")]}, config)
    runs = read()
    failed = {name for name, run in runs.items() if run.status == "error"}
    assert failed == {"agent", "use_tools", "look_up"}
    assert all(runs[name].error.startswith("KeyError('nothing')") for name in failed)
