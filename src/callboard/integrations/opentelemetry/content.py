"""Content in the GenAI conventions' form: messages and their parts, tools, documents.

Events tell it as it is here, spans as JSON.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from callboard.integrations.messages import Said, said_in, said_out
from callboard.integrations.opentelemetry.conventions import Attributes, parameter
from callboard.integrations.opentelemetry.parts import part_of
from callboard.integrations.records import RunRecord
from callboard.payloads import field, unwrapped

__all__ = ["content_of"]


def content_of(record: RunRecord, *, finish_reasons: bool) -> Attributes:
    """Return what a run was given and returned, by its kind; None for what there is none of.

    Args:
        record: The record, which has content.
        finish_reasons: Whether messages say why they ended.
    """
    if record.is_model:
        return _conversation(record, finish_reasons=finish_reasons)
    returned = record.outputs or {}
    if record.type == "tool":
        return {
            "gen_ai.tool.call.arguments": record.inputs,
            "gen_ai.tool.call.result": returned.get("output"),
        }
    if record.type == "retriever":
        found = returned.get("documents")
        return {
            "gen_ai.retrieval.query.text": _text(field(record.inputs, "query")),
            "gen_ai.retrieval.documents": (
                [_document(each) for each in found] if isinstance(found, list) else None
            ),
        }
    return {}


def _conversation(record: RunRecord, *, finish_reasons: bool) -> Attributes:
    said = said_in(record)
    tools = parameter(record, "tools", "functions")
    return {
        "gen_ai.system_instructions": [
            part for each in said if each.role == "system" for part in _parts(each)
        ]
        or None,
        "gen_ai.input.messages": [_message(each) for each in said if each.role != "system"],
        "gen_ai.output.messages": [
            _message(each, each.finish_reason if finish_reasons else None)
            for each in said_out(record)
        ]
        or None,
        "gen_ai.tool.definitions": (
            [_tool(each) for each in tools] if isinstance(tools, list) and tools else None
        ),
    }


def _message(said: Said, finish_reason: str | None = None) -> dict[str, Any]:
    message: dict[str, Any] = {"role": said.role, "parts": list(_parts(said))}
    if finish_reason is not None:
        message["finish_reason"] = finish_reason
    return message


def _parts(said: Said) -> Iterator[dict[str, Any]]:
    if said.role == "tool":
        yield {"type": "tool_call_response", "id": said.answers, "response": said.text}
        return
    yield from filter(None, map(part_of, said.blocks))
    if said.text:
        yield {"type": "text", "content": said.text}
    for call in said.tool_calls:
        if isinstance(call, dict):
            told = {"id": call.get("id"), "name": call.get("name"), "arguments": call.get("args")}
            yield {"type": "tool_call", **told}


def _tool(tool: Any) -> Any:
    """Return a tool's definition in the conventions' form, whichever provider's it has."""
    told = field(tool, "function") or tool
    name = field(told, "name")
    if not isinstance(tool, dict) or name is None:
        return tool
    schema = field(told, "parameters") or field(told, "input_schema")
    definition = {
        "type": "function",
        "name": name,
        "description": field(told, "description"),
        "parameters": schema,
    }
    return {key: value for key, value in definition.items() if value is not None}


def _document(found: Any) -> dict[str, Any]:
    document = unwrapped(found)
    metadata = field(document, "metadata") or {}
    told = {
        "id": field(document, "id"),
        "score": field(metadata, "score", field(metadata, "relevance_score")),
        "content": field(document, "page_content"),
        "metadata": metadata or None,
    }
    return {key: value for key, value in told.items() if value is not None}


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) else None
