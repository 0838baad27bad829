"""The table of events: what can happen to a run, and who may ignore it.

One row an event. Dispatch, managers, the no-ops of the async handler, the recording
handler, the documentation and the tests all read this table; it is the only list of
event names in the project.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

__all__ = ["EVENTS", "Event", "named"]


class Event:
    """One kind of event.

    Attributes:
        name: The handler method that hears it, such as ``"on_llm_end"``.
        ignore: The handler attribute that, when true, silences it; None if nothing does.
        closes: Whether it ends its run. The ends of runs are shielded from cancellation.
        fallback: The event that is sent instead to a handler that does not implement this
            one. A chat model's start falls back on a model's start.
    """

    __slots__ = ("closes", "fallback", "ignore", "name")

    def __init__(
        self,
        name: str,
        ignore: str | None,
        *,
        closes: bool = False,
        fallback: Event | None = None,
    ) -> None:
        self.name = name
        self.ignore = ignore
        self.closes = closes
        self.fallback = fallback

    def __repr__(self) -> str:
        return f"<Event {self.name}>"


LLM_START = Event("on_llm_start", "ignore_llm")
CHAT_MODEL_START = Event("on_chat_model_start", "ignore_chat_model", fallback=LLM_START)
LLM_NEW_TOKEN = Event("on_llm_new_token", "ignore_llm")
STREAM_EVENT = Event("on_stream_event", "ignore_llm")
LLM_END = Event("on_llm_end", "ignore_llm", closes=True)
LLM_ERROR = Event("on_llm_error", "ignore_llm", closes=True)

CHAIN_START = Event("on_chain_start", "ignore_chain")
CHAIN_END = Event("on_chain_end", "ignore_chain", closes=True)
CHAIN_ERROR = Event("on_chain_error", "ignore_chain", closes=True)

AGENT_ACTION = Event("on_agent_action", "ignore_agent")
AGENT_FINISH = Event("on_agent_finish", "ignore_agent")

# Tools have no flag of their own: a handler that ignores agents ignores their tools too.
TOOL_START = Event("on_tool_start", "ignore_agent")
TOOL_END = Event("on_tool_end", "ignore_agent", closes=True)
TOOL_ERROR = Event("on_tool_error", "ignore_agent", closes=True)

RETRIEVER_START = Event("on_retriever_start", "ignore_retriever")
RETRIEVER_END = Event("on_retriever_end", "ignore_retriever", closes=True)
RETRIEVER_ERROR = Event("on_retriever_error", "ignore_retriever", closes=True)

TEXT = Event("on_text", None)
RETRY = Event("on_retry", "ignore_retry")
CUSTOM = Event("on_custom_event", "ignore_custom_event")

EVENTS: Mapping[str, Event] = MappingProxyType(
    {row.name: row for row in list(globals().values()) if isinstance(row, Event)}
)
"""Every event by the name of its handler method."""


def named(name: str, ignore: str | None) -> Event:
    """Return the event of that name and ignore flag.

    An event that is not in the table is made for the occasion: other libraries, LangGraph
    among them, dispatch events of their own to handlers of their own.

    Args:
        name: The handler method, such as ``"on_llm_end"``.
        ignore: The handler attribute that silences it, or None.
    """
    row = EVENTS.get(name)
    if row is not None and row.ignore == ignore:
        return row
    if row is not None:
        return Event(name, ignore, closes=row.closes, fallback=row.fallback)
    return Event(name, ignore)
