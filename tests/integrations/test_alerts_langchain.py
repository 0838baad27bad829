"""Alerts on LangChain and LangGraph as they are: what fails there, and what does not."""

from typing import TypedDict

import pytest
from langchain_core.runnables import RunnableLambda

from callboard.integrations.alerts import AlertCallbackHandler, ErrorCount, ErrorRate, FeedbackScore
from callboard.tracers.evaluation import EvaluatorCallbackHandler


class State(TypedDict):
    answer: str


@pytest.fixture
def alerts():
    """A handler of alerts, and what it has sent."""
    told = []
    rules = [ErrorRate(above=0.4, names="agent", min_count=2), ErrorCount(root_only=True)]
    with AlertCallbackHandler(rules, told.append) as handler:
        yield handler, told


def test_a_chain_that_fails_is_told_with_what_it_failed_with(alerts):
    handler, told = alerts

    def answer(question):
        raise ValueError(f"no answer to {question}")

    chain = RunnableLambda(answer).with_config(run_name="agent")
    for question in ("one", "two"):
        with pytest.raises(ValueError, match=question):
            chain.invoke(question, {"callbacks": [handler]})
    handler.flush(20)
    assert [each.text for each in told] == [
        "Number of errors: 1 in the last 5 min (1 run), which is above 0.",
        "Error rate of agent: 100% in the last 5 min (2 runs), which is above 40%.",
    ]
    assert told[0].example.error_message == "ValueError: no answer to one"


def test_a_graph_that_waits_for_a_person_has_not_failed(alerts):
    graphs = pytest.importorskip("langgraph.graph", reason="langgraph is not installed")
    from langgraph.checkpoint.memory import InMemorySaver
    from langgraph.types import Command, interrupt

    handler, told = alerts
    graph = graphs.StateGraph(State)
    graph.add_node("ask", lambda state: {"answer": interrupt("which tea?")})
    graph.add_edge(graphs.START, "ask")
    agent = graph.compile(checkpointer=InMemorySaver(), name="agent")
    every = AlertCallbackHandler(ErrorCount(), told.append)
    config = {"callbacks": [handler, every], "configurable": {"thread_id": "1"}}
    agent.invoke({"answer": ""}, config)
    assert agent.invoke(Command(resume="green"), config) == {"answer": "green"}
    every.close()
    handler.flush(20)
    assert told == []


def test_what_an_evaluator_finds_may_be_given_on():
    told = []
    handler = AlertCallbackHandler(
        FeedbackScore(key="brief", below=0.5, names="agent"), told.append
    )

    def is_brief(run, example=None):
        score = float(len(run.outputs["output"]) < 20)
        handler.feedback(run.id, "brief", score)
        return {"key": "brief", "score": score}

    evaluator = EvaluatorCallbackHandler([is_brief])
    chain = RunnableLambda(lambda question: "tea " * 20).with_config(run_name="agent")
    chain.invoke("?", {"callbacks": [handler, evaluator]})
    evaluator.wait_for_futures()
    handler.close()
    assert [each.example.name for each in told] == ["agent"]
