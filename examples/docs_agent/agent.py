"""The application: a LangGraph agent that answers questions about Callboard.

It knows of no tracer and no server. Three variables have LangChain's own tracer send its runs to
one: LANGSMITH_TRACING, LANGSMITH_ENDPOINT and LANGSMITH_API_KEY.
"""

import sys
from collections.abc import Sequence
from typing import Any

from langchain_core.callbacks import CallbackManagerForRetrieverRun
from langchain_core.documents import Document
from langchain_core.messages import AIMessageChunk, SystemMessage
from langchain_core.retrievers import BaseRetriever
from langchain_core.tools import tool

# OpenAI's own class, though the model is a stand-in: its traces are those that users have. The
# five packages that it brings are small beside the type checkers'.
from langchain_openai import ChatOpenAI
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.graph import START, MessagesState, StateGraph
from langgraph.graph.state import CompiledStateGraph
from langgraph.prebuilt import ToolNode, tools_condition

from callboard.events import EVENTS
from examples.docs_agent.documents import search

PROMPT = "You answer questions about Callboard. Use the tools, and nothing that you know besides."


class DocsRetriever(BaseRetriever):
    """Finds the sections of the documents that fit a question."""

    def _get_relevant_documents(
        self, query: str, *, run_manager: CallbackManagerForRetrieverRun
    ) -> list[Document]:
        return [Document(each.text, metadata={"source": each.source}) for each in search(query)]


@tool
def search_docs(question: str) -> str:
    """Search Callboard's documents."""
    return "\n".join(found.page_content for found in DocsRetriever().invoke(question))


@tool
def describe_event(name: str) -> str:
    """Say who may ignore an event."""
    if name not in EVENTS:
        raise LookupError(f"there is no event {name}")
    return f"{name} is silenced by {EVENTS[name].ignore or 'nothing'}."


def make_agent() -> CompiledStateGraph[Any, Any, Any, Any]:
    """Return the agent: the model is asked, and asked again while it calls tools."""
    tools = [search_docs, describe_event]
    # Where it is, is in OPENAI_BASE_URL.
    model = ChatOpenAI(model="rule-based-stand-in", stream_usage=True).bind_tools(tools)

    def ask_model(state: MessagesState) -> dict[str, Any]:
        return {"messages": [model.invoke([SystemMessage(PROMPT), *state["messages"]])]}

    graph = StateGraph(MessagesState)
    graph.add_node("ask_model", ask_model)
    graph.add_node("tools", ToolNode(tools, handle_tool_errors=lambda error: f"Sorry, {error}."))
    graph.add_edge(START, "ask_model")
    graph.add_conditional_edges("ask_model", tools_condition)
    graph.add_edge("tools", "ask_model")
    return graph.compile(checkpointer=InMemorySaver(), name="docs agent")


def converse(questions: Sequence[str], thread_id: str, callbacks: Sequence[Any] = ()) -> None:
    """Ask one question after the other in one thread, and print the answers as they come."""
    agent = make_agent()
    config = {"configurable": {"thread_id": thread_id}, "callbacks": list(callbacks)}
    for question in questions:
        print(f"You:   {question}\nAgent: ", end="", flush=True)
        asked = {"messages": [("user", question)]}
        for message, _ in agent.stream(asked, config, stream_mode="messages"):
            if isinstance(message, AIMessageChunk):
                print(message.text, end="", flush=True)
        print()


if __name__ == "__main__":
    converse(sys.argv[2:], thread_id=sys.argv[1])
