"""OpenInference's conventions, which Phoenix and Arize read."""

from __future__ import annotations

from typing import Any

from opentelemetry import context

from callboard.integrations.messages import Said, said_in, said_out
from callboard.integrations.opentelemetry.conventions import (
    Attributes,
    as_json,
    parameter,
    without_none,
)
from callboard.integrations.opentelemetry.genai import operation_of
from callboard.integrations.opentelemetry.hiding import shown
from callboard.integrations.records import RunRecord
from callboard.payloads import field, unwrapped

__all__ = ["OpenInference"]

_KINDS = {
    "chat_model": "LLM",
    "embedding": "EMBEDDING",
    "llm": "LLM",
    "prompt": "PROMPT",
    "retriever": "RETRIEVER",
    "tool": "TOOL",
}


# Where OpenInference's `using_session` and its like put what they are given.
_IN_CONTEXT = (
    "session.id",
    "user.id",
    "metadata",
    "tag.tags",
    "llm.prompt_template.template",
    "llm.prompt_template.version",
    "llm.prompt_template.variables",
)


class OpenInference:
    """OpenInference's conventions."""

    schema_url: str | None = None

    def name(self, record: RunRecord) -> str:
        """Return what runs."""
        return record.name

    def at_start(self, record: RunRecord) -> Attributes:
        """Return the span's kind, whom it belongs to, and what is called.

        What the application has set for a block is told unless the run says otherwise.
        """
        is_agent = operation_of(record) == "invoke_agent"
        attributes: Attributes = {
            "openinference.span.kind": "AGENT" if is_agent else _KINDS.get(record.type, "CHAIN"),
            "session.id": record.conversation,
            "user.id": record.user,
            "tag.tags": record.tags or None,
            "metadata": as_json(record.metadata) if record.metadata else None,
        }
        if record.is_model:
            attributes |= {
                "llm.model_name": record.model,
                "llm.provider": record.provider,
                "llm.invocation_parameters": (
                    as_json(record.parameters) if record.parameters else None
                ),
            }
        elif record.type == "tool":
            attributes["tool.name"] = record.name
        elif is_agent:
            attributes["agent.name"] = record.name
        return _in_context() | shown(without_none(attributes))

    def at_end(self, record: RunRecord) -> Attributes:
        """Return tokens and cost."""
        attributes: Attributes = {"error.type": record.error_type}
        if record.is_model:
            attributes |= _figures(record)
        return without_none(attributes)

    def content(self, record: RunRecord) -> Attributes:
        """Return inputs, outputs, messages and documents."""
        told = _value("input", record.inputs) | _value("output", record.outputs)
        return shown(without_none(told | _details(record)))


def _in_context() -> Attributes:
    """Return what the application has set for all spans in a block, with `using_attributes`."""
    told = {name: context.get_value(name) for name in _IN_CONTEXT}
    return without_none(told)


def _figures(record: RunRecord) -> Attributes:
    attributes: Attributes = {"llm.model_name": record.response_model or record.model}
    if (tokens := record.tokens) is not None:
        given, returned = tokens.prompt_details, tokens.completion_details
        attributes |= {
            "llm.token_count.prompt": tokens.prompt,
            "llm.token_count.completion": tokens.completion,
            "llm.token_count.total": tokens.total,
            "llm.token_count.prompt_details.cache_read": given.get("cache_read"),
            "llm.token_count.prompt_details.cache_write": given.get("cache_creation"),
            "llm.token_count.prompt_details.audio": given.get("audio"),
            "llm.token_count.completion_details.reasoning": returned.get("reasoning"),
            "llm.token_count.completion_details.audio": returned.get("audio"),
        }
    if (cost := record.cost) is not None:
        attributes |= {
            "llm.cost.prompt": cost.prompt,
            "llm.cost.completion": cost.completion,
            "llm.cost.total": cost.total,
        }
    return attributes


def _value(side: str, told: dict[str, Any] | None) -> Attributes:
    """Return what a run was given or returned: as text if that is all, else as JSON."""
    if told is None:
        return {}
    values = list(told.values())
    if len(values) == 1 and isinstance(values[0], str):
        return {f"{side}.value": values[0], f"{side}.mime_type": "text/plain"}
    return {f"{side}.value": as_json(told), f"{side}.mime_type": "application/json"}


def _details(record: RunRecord) -> Attributes:
    if record.is_model:
        return (
            _messages("llm.input_messages", said_in(record))
            | _messages("llm.output_messages", said_out(record))
            | _tools(record)
        )
    if record.type == "retriever" and record.outputs is not None:
        return _documents(record.outputs.get("documents"))
    return {}


def _tools(record: RunRecord) -> Attributes:
    tools = parameter(record, "tools", "functions")
    return {
        f"llm.tools.{number}.tool.json_schema": as_json(each)
        for number, each in enumerate(tools if isinstance(tools, list) else ())
    }


def _messages(prefix: str, said: list[Said]) -> Attributes:
    attributes: Attributes = {}
    for number, each in enumerate(said):
        place = f"{prefix}.{number}.message"
        attributes |= {
            f"{place}.role": each.role,
            f"{place}.content": each.text or None,
            f"{place}.tool_call_id": each.answers,
        }
        for index, call in enumerate(each.tool_calls):
            at = f"{place}.tool_calls.{index}.tool_call"
            attributes |= {
                f"{at}.id": field(call, "id"),
                f"{at}.function.name": field(call, "name"),
                f"{at}.function.arguments": as_json(field(call, "args")),
            }
    return attributes


def _documents(found: Any) -> Attributes:
    attributes: Attributes = {}
    for number, each in enumerate(found if isinstance(found, list) else ()):
        place, document = f"retrieval.documents.{number}.document", unwrapped(each)
        metadata = field(document, "metadata") or {}
        attributes |= {
            f"{place}.id": field(document, "id"),
            f"{place}.content": field(document, "page_content"),
            f"{place}.metadata": as_json(metadata) if metadata else None,
            f"{place}.score": field(metadata, "score"),
        }
    return attributes
