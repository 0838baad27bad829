"""Approval on LangChain and LangGraph as they are: their tools, managers and interrupts."""

import asyncio
import json
from typing import Annotated

import pytest
from langchain_core.messages import AIMessage, ToolMessage
from langchain_core.tools import BaseTool, tool
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.graph import START, MessagesState, StateGraph
from langgraph.prebuilt import InjectedState, ToolNode
from langgraph.types import Command, interrupt
from pydantic import ValidationError

from callboard.integrations import (
    AsyncHumanApprovalCallbackHandler,
    Edit,
    HumanApprovalCallbackHandler,
    HumanRejectedException,
    JsonLinesCallbackHandler,
    Reject,
    approved,
)


@tool
def remove(path: str, times: int = 1, state: Annotated[dict | None, InjectedState] = None) -> str:
    """Remove a file."""
    return f"removed {path} {times} times, after {len(state['messages']) if state else 0}"


class Counter(BaseTool):
    """A tool in the form of a class."""

    name: str = "counter"
    description: str = "Adds one."

    def _run(self, number: int, run_manager=None) -> str:
        return f"{number + 1}, {type(run_manager).__name__}"


def refusing(request):
    return Reject("too risky")


CALL = {"name": "remove", "args": {"path": "/a"}, "id": "call-1", "type": "tool_call"}


def graph(*tools, **options):
    builder = StateGraph(MessagesState)
    builder.add_node("tools", ToolNode(list(tools), **options))
    builder.add_edge(START, "tools")
    return builder.compile(checkpointer=InMemorySaver())


STATE = {"messages": [AIMessage("", tool_calls=[CALL])]}
CONFIG = {"configurable": {"thread_id": "1"}}


def test_an_edited_tool_is_another_and_keeps_its_face():
    wrapped = approved(decide=lambda request: Edit({"path": "/b", "times": "3"}))(remove)
    assert (wrapped.name, wrapped.description, wrapped.args) == (
        remove.name,
        remove.description,
        remove.args,
    )
    assert wrapped.invoke({"path": "/a"}) == "removed /b 3 times, after 0"
    assert remove.invoke({"path": "/a"}) == "removed /a 1 times, after 0"


async def test_an_edit_goes_through_the_tools_own_validation():
    wrapped = approved(decide=lambda request: Edit({"path": "/b", "times": "often"}))(remove)
    with pytest.raises(ValidationError):
        wrapped.invoke({"path": "/a"})
    with pytest.raises(ValidationError):
        await wrapped.ainvoke({"path": "/a"})


async def test_a_tool_of_a_class_is_asked_for_once():
    asked = []
    wrapped = approved(decide=lambda request: asked.append(request.inputs) or True)(Counter())
    assert wrapped.invoke({"number": 1}) == "2, CallbackManagerForToolRun"
    assert await wrapped.ainvoke({"number": 1}) == "2, CallbackManagerForToolRun"
    assert asked == [{"number": 1}, {"number": 1}]


async def test_a_person_is_asked_in_the_applications_event_loop_for_sync_tools_too():
    """So that a decider may wait for what another request of the same server brings."""
    answers = asyncio.Queue()

    async def decide(request):
        return await answers.get()

    call = asyncio.create_task(approved(decide=decide)(remove).ainvoke({"path": "/a"}))
    await asyncio.sleep(0)
    answers.put_nowait(Edit({"path": "/b"}))
    assert (await call).startswith("removed /b")


def test_an_input_that_is_a_text_is_asked_for_by_its_name():
    wrapped = approved(decide=lambda request: Edit({"path": request.inputs["path"] * 2}))(remove)
    assert wrapped.invoke("/a").startswith("removed /a/a")


def test_the_tools_run_tells_the_decision_and_the_edited_input(tmp_path):
    path = tmp_path / "runs.jsonl"
    wrapped = approved(decide=lambda request: Edit({"path": "/b"}))(remove)
    with JsonLinesCallbackHandler(path) as handler:
        wrapped.invoke({"path": "/a"}, {"callbacks": [handler]})
    [run] = map(json.loads, path.read_text().splitlines())
    assert run["metadata"]["approval"] == "edit"
    assert run["inputs"] == {"path": "/b"}


@pytest.mark.parametrize("is_async", [False, True])
async def test_a_graph_is_interrupted_and_goes_on_with_what_the_person_says(is_async):
    def decide(request):
        assert request.inputs == {"path": "/a"}  # What is injected is nobody's business.
        return Edit(interrupt({"tool": request.tool, "inputs": request.inputs}))

    app = graph(approved(decide=decide)(remove))
    if is_async:
        first = await app.ainvoke(STATE, CONFIG)
        last = await app.ainvoke(Command(resume={"path": "/b"}), CONFIG)
    else:
        first = app.invoke(STATE, CONFIG)
        last = app.invoke(Command(resume={"path": "/b"}), CONFIG)
    assert first["__interrupt__"][0].value == {"tool": "remove", "inputs": {"path": "/a"}}
    assert last["messages"][-1].content == "removed /b 1 times, after 1"


SENTENCE = "The tool remove was not run: it was rejected: too risky"


def test_a_model_is_told_of_a_refusal_by_langgraph():
    def told(error: HumanRejectedException) -> str:
        return str(error)

    app = graph(approved(decide=refusing)(remove), handle_tool_errors=told)
    [*_, message] = app.invoke(STATE, CONFIG)["messages"]
    assert (message.content, message.status) == (SENTENCE, "error")


def test_a_model_is_told_of_a_refusal_by_the_tool():
    def told(refusal):
        return ToolMessage(str(refusal), tool_call_id=refusal.tool_call_id, status="error")

    app = graph(approved(decide=refusing, rejected=told)(remove))
    [*_, message] = app.invoke(STATE, CONFIG)["messages"]
    assert (message.content, message.tool_call_id) == (SENTENCE, "call-1")


both_handlers = pytest.mark.parametrize(
    "kind", [HumanApprovalCallbackHandler, AsyncHumanApprovalCallbackHandler]
)


@tool
async def aremove(path: str) -> str:
    """Remove a file."""
    return f"removed {path}"


@both_handlers
async def test_handlers_refuse_tools_in_async_code(kind):
    """Sync tools too, which LangChain calls in a thread with its sync managers."""
    for each in (remove, aremove):
        with pytest.raises(HumanRejectedException, match="too risky") as refused:
            await each.ainvoke(CALL, {"callbacks": [kind(refusing)]})
        assert refused.value.tool_call_id == "call-1"
        said = await each.ainvoke({"path": "/a"}, {"callbacks": [kind(lambda request: True)]})
        assert said.startswith("removed /a")


@both_handlers
def test_handlers_refuse_tools_in_sync_code(kind):
    with pytest.raises(HumanRejectedException, match="too risky"):
        remove.invoke(CALL, {"callbacks": [kind(refusing)]})


async def test_the_sync_handler_refuses_tools_in_sync_code_in_a_loop():
    with pytest.raises(HumanRejectedException, match="too risky"):
        remove.invoke(CALL, {"callbacks": [HumanApprovalCallbackHandler(refusing)]})


def test_a_handler_can_not_change_what_langchain_calls_a_tool_with():
    """Why a handler refuses edits: LangChain gives handlers a copy of the arguments."""

    def decide(request):
        request.inputs["path"] = "/b"
        return True

    class Meddler(HumanApprovalCallbackHandler):
        def on_tool_start(self, serialized, input_str, **kwargs):
            kwargs["inputs"]["path"] = "/b"

    for handler in (HumanApprovalCallbackHandler(decide), Meddler(decide)):
        assert "removed /a" in remove.invoke({"path": "/a"}, {"callbacks": [handler]})
