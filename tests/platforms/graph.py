"""An agent of LangGraph's, as its users write them, with a model that answers by heart."""

from typing import Annotated, TypedDict

from langchain_core.language_models import GenericFakeChatModel
from langchain_core.messages import AIMessage, AnyMessage, HumanMessage, ToolCall
from langchain_core.tools import tool
from langgraph.graph import START, StateGraph
from langgraph.graph.message import add_messages
from langgraph.prebuilt import ToolNode, tools_condition

USAGE = {"input_tokens": 100, "output_tokens": 20, "total_tokens": 120}
THREAD = {"configurable": {"thread_id": "thread-7"}}


class State(TypedDict):
    messages: Annotated[list[AnyMessage], add_messages]


@tool
def weigh(leaves: str) -> str:
    """Weigh tea."""
    return f"{leaves}: 50 g"


@tool
def taste(leaves: str) -> str:
    """Taste tea."""
    raise ValueError(f"{leaves}: too hot")


def agent():
    calls = [
        ToolCall(name="weigh", args={"leaves": "Assam"}, id="call-1"),
        ToolCall(name="taste", args={"leaves": "Sencha"}, id="call-2"),
    ]
    said = {"model_name": "gpt-5-2025", "finish_reason": "stop"}
    model = GenericFakeChatModel(
        messages=iter(
            [
                AIMessage("", tool_calls=calls, usage_metadata=USAGE, response_metadata=said),
                AIMessage("Fifty grams.", usage_metadata=USAGE, response_metadata=said),
            ]
        ),
        metadata={"ls_model_name": "gpt-5", "ls_provider": "openai"},
    )

    def think(state):
        return {"messages": [model.invoke(state["messages"])]}

    graph = StateGraph(State)
    graph.add_node("think", think)
    graph.add_node("tools", ToolNode([weigh, taste], handle_tool_errors=True))
    graph.add_edge(START, "think")
    graph.add_conditional_edges("think", tools_condition)
    graph.add_edge("tools", "think")
    return graph.compile(name="tea agent")


def run(handler, **metadata):
    """Have the agent answer, its tools in parallel; return what it says."""
    config = {**THREAD, "callbacks": [handler], "metadata": metadata}
    told = agent().invoke({"messages": [HumanMessage("How much?")]}, config)
    return told["messages"][-1].content
