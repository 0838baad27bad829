"""What boxes are called. Labels are Markdown; what runs bring into them is quoted."""

from __future__ import annotations

from typing import NamedTuple

from callboard.integrations.excerpts import excerpt
from callboard.integrations.markdown import quoted
from callboard.integrations.records import RunRecord
from callboard.integrations.streamlit.contents import plain, text_of, without_images

__all__ = ["LLMThoughtLabeler", "ToolRecord", "label_of"]

_ICONS = {
    "chat_model": ":material/chat:",
    "llm": ":material/chat:",
    "retriever": ":material/search:",
}
_MAX_INPUT = 60


class ToolRecord(NamedTuple):
    """A tool and what it is called with, as labels tell it.

    Attributes:
        name: The tool's name.
        input_str: What it is called with: the one argument if that is a text, or else JSON. It is
            told as it is: a labeler that writes it into a label should quote it.
    """

    name: str
    input_str: str


class LLMThoughtLabeler:
    """Says what boxes are called, in Markdown. Override what you want otherwise."""

    @staticmethod
    def get_initial_label() -> str:
        """Return the label of a model that is thinking."""
        return "Thinking..."

    @staticmethod
    def get_tool_label(tool: ToolRecord, is_complete: bool) -> str:  # noqa: ARG004 - for overriders
        """Return the label of a tool.

        Args:
            tool: The tool.
            is_complete: Whether it has returned.
        """
        # By this name LangChain's agents tell of an answer of the model's that they can't read.
        name = "Parsing error" if tool.name == "_Exception" else _escaped(tool.name)
        said = " ".join(tool.input_str.split())
        short = excerpt(said, _MAX_INPUT)
        return f"**{name}:** {quoted(short)}" if short else f"**{name}**"

    @staticmethod
    def get_history_label() -> str:
        """Return the label of the box that earlier ones move into."""
        return "**History**"

    @staticmethod
    def get_final_agent_thought_label() -> str:
        """Return the label of an outermost run that is done."""
        return "**Complete!**"


def label_of(record: RunRecord, labels: LLMThoughtLabeler) -> str:
    """Return what a run's box is called, as far as the run has come.

    Args:
        record: The run's record.
        labels: Says what boxes are called.
    """
    label = without_images(_name(record, labels))
    figures = " · ".join(_figures(record))
    return f"{label} ({figures})" if figures else label


def _name(record: RunRecord, labels: LLMThoughtLabeler) -> str:
    if record.type == "tool":
        tool = ToolRecord(record.name, text_of(plain(record.inputs)))
        return labels.get_tool_label(tool, record.status != "running")
    if record.is_model and record.status == "running":
        return labels.get_initial_label()
    name = _escaped(record.name)
    if record.parent is None and record.status == "ok":
        return f"{labels.get_final_agent_thought_label()} {name}"
    return f"{_ICONS.get(record.type, '')} {name}".strip()


def _figures(record: RunRecord) -> list[str]:
    """Return how long a run took, what it used and cost, as far as that is known."""
    told = [] if record.latency is None else [f"{record.latency:.1f} s"]
    if record.tokens is not None and record.tokens.total:
        told.append(f"{record.tokens.total:,} tokens")
    if record.cost is not None and record.cost.total is not None:
        told.append(f"\\${record.cost.total:.4f}")
    if record.status == "unfinished":
        told.append("unfinished")
    return told


def _escaped(text: str) -> str:
    return "".join(f"\\{each}" if each in _MARKUP else each for each in " ".join(text.split()))


_MARKUP = frozenset("\\`*[]<>!:$~|&#")
