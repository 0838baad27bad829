"""What OpenInference's own variables hide, for those who have set them for its instrumentation."""

from __future__ import annotations

from typing import NamedTuple

from callboard.environment import is_on
from callboard.integrations.opentelemetry.conventions import Attributes

__all__ = ["shown"]


class _Hidden(NamedTuple):
    """Attributes by how their names begin and end."""

    beginnings: tuple[str, ...]
    ending: str = ""


_VARIABLES = {
    "OPENINFERENCE_HIDE_INPUTS": _Hidden(("input.", "llm.input_messages.", "llm.tools.")),
    "OPENINFERENCE_HIDE_OUTPUTS": _Hidden(
        ("output.", "llm.output_messages.", "retrieval.documents.")
    ),
    "OPENINFERENCE_HIDE_INPUT_MESSAGES": _Hidden(("llm.input_messages.",)),
    "OPENINFERENCE_HIDE_INPUT_TEXT": _Hidden(("llm.input_messages.",), ".message.content"),
    "OPENINFERENCE_HIDE_OUTPUT_MESSAGES": _Hidden(("llm.output_messages.",)),
    "OPENINFERENCE_HIDE_OUTPUT_TEXT": _Hidden(("llm.output_messages.",), ".message.content"),
    "OPENINFERENCE_HIDE_RETRIEVAL_DOCUMENTS": _Hidden(("retrieval.documents.",)),
    "OPENINFERENCE_HIDE_LLM_INVOCATION_PARAMETERS": _Hidden(("llm.invocation_parameters",)),
    "OPENINFERENCE_HIDE_LLM_TOOLS": _Hidden(("llm.tools.",)),
}


def shown(attributes: Attributes) -> Attributes:
    """Return those attributes that no variable hides.

    Args:
        attributes: What would be told of a run.
    """
    hidden = [each for name, each in _VARIABLES.items() if is_on(name)]
    if not hidden:
        return attributes
    return {
        name: value
        for name, value in attributes.items()
        if not any(
            name.startswith(each.beginnings) and name.endswith(each.ending) for each in hidden
        )
    }
