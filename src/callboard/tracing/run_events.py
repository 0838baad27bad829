"""What an event of a run says, in the schema of ``astream_events``, v2.

Each event is a dictionary:

==============  ===============================================================
``event``       ``on_``, the type of the run, and ``start``, ``stream``, ``end``
                or ``error``; or ``on_custom_event``
``name``        what runs, or the custom event's name
``run_id``      the run's id, as text
``parent_ids``  the ids of the runs that it is inside of, the outermost first
``tags``        the run's tags
``metadata``    its metadata
``data``        ``input``, ``chunk``, ``output`` or ``error``; or what the
                custom event carries
==============  ===============================================================

Types of runs are chain, chat_model, llm, tool, retriever, prompt and parser, or whatever else a
chain says that it is. Events of one run share their tags, metadata and parent ids: they are for
reading.
"""

from __future__ import annotations

from typing import Any, TypeAlias

from callboard.payloads import Payload, field

__all__ = ["ABSENT", "Event", "RunInfo", "message_of", "texts_of"]

Event: TypeAlias = dict[str, Any]

ABSENT: Any = object()
"""In place of an input that is not known."""


class RunInfo:
    """What the events of a run have in common.

    Attributes:
        run_type: Its type.
        inputs: What it was given; `ABSENT` if that was not known when it started.
        tool_call_id: The tool call that it answers, if it is a tool and one was named.
        told: Whether the stream's filters choose it.
        common: What all of its events say.
    """

    __slots__ = ("common", "inputs", "run_type", "told", "tool_call_id")

    def __init__(
        self,
        run_type: str,
        inputs: Any,
        *,
        tool_call_id: str | None,
        told: bool,
        common: dict[str, Any],
    ) -> None:
        """Make it."""
        self.run_type = run_type
        self.inputs = inputs
        self.tool_call_id = tool_call_id
        self.told = told
        self.common = common

    def event(self, what: str, data: dict[str, Any]) -> Event:
        """Return an event of the run.

        Args:
            what: What happens: start, stream, end or error.
            data: What it carries.
        """
        return {"event": f"on_{self.run_type}_{what}", "data": data, **self.common}


def message_of(response: Payload) -> Any:
    """Return the first message of a response; its text where generations have none.

    Args:
        response: What the run ended with.
    """
    for candidates in field(response, "generations") or ():
        for generation in candidates:
            message = field(generation, "message")
            return field(generation, "text") if message is None else message
    return {}


def texts_of(response: Payload) -> dict[str, Any]:
    """Return a text model's response as a dictionary.

    Args:
        response: What the run ended with.
    """
    return {
        "generations": [
            [
                {
                    "text": field(generation, "text"),
                    "generation_info": field(generation, "generation_info"),
                    "type": field(generation, "type"),
                }
                for generation in candidates
            ]
            for candidates in field(response, "generations") or ()
        ],
        "llm_output": field(response, "llm_output"),
    }
