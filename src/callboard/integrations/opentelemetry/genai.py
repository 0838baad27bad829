"""The GenAI semantic conventions, as instrumentations emit them today, and as they are to become.

Today is the state of semantic conventions 1.41, which was the last in the main repository. The next
names, of the conventions' own repository, are used where the standard variable asks for them:
``OTEL_SEMCONV_STABILITY_OPT_IN=gen_ai_latest_experimental``.
"""

from __future__ import annotations

from typing import Any

from callboard.integrations.messages import Said, said_in, said_out
from callboard.integrations.opentelemetry.conventions import (
    Attributes,
    as_json,
    parameter,
    without_none,
)
from callboard.integrations.records import RunRecord

__all__ = ["GenAI", "operation_of", "provider_of"]

_OPERATIONS = {
    "chat_model": "chat",
    "embedding": "embeddings",
    "llm": "text_completion",
    "retriever": "retrieval",
    "tool": "execute_tool",
    "agent": "invoke_agent",
}
# LangChain's names of providers; those that the conventions call the same are not listed.
_PROVIDERS = {
    "amazon_bedrock": "aws.bedrock",
    "anthropic_bedrock": "aws.bedrock",
    "azure": "azure.ai.openai",
    "azure_ai": "azure.ai.inference",
    "azure_openai": "azure.ai.openai",
    "bedrock": "aws.bedrock",
    "bedrock_converse": "aws.bedrock",
    "google_genai": "gcp.gemini",
    "google_vertexai": "gcp.vertex_ai",
    "ibm": "ibm.watsonx.ai",
    "mistral": "mistral_ai",
    "mistralai": "mistral_ai",
    "watsonx": "ibm.watsonx.ai",
    "xai": "x_ai",
}
# Attribute, the names that providers have for it, and what its value is.
_REQUEST: tuple[tuple[str, tuple[str, ...], type], ...] = (
    ("gen_ai.request.temperature", ("temperature",), float),
    ("gen_ai.request.top_p", ("top_p",), float),
    ("gen_ai.request.top_k", ("top_k",), float),
    (
        "gen_ai.request.max_tokens",
        ("max_tokens", "max_completion_tokens", "max_output_tokens"),
        int,
    ),
    ("gen_ai.request.seed", ("seed",), int),
    ("gen_ai.request.frequency_penalty", ("frequency_penalty",), float),
    ("gen_ai.request.presence_penalty", ("presence_penalty",), float),
)


def operation_of(record: RunRecord) -> str | None:
    """Return what the conventions call a run; None for a step inside of a workflow.

    Args:
        record: The record.
    """
    if record.type != "chain":
        return _OPERATIONS.get(record.type)
    if record.metadata.get("lc_agent_name") == record.name:
        return "invoke_agent"
    return "invoke_workflow" if record.parent is None else None


def provider_of(record: RunRecord) -> str | None:
    """Return what the conventions call a model's provider.

    Args:
        record: The record.
    """
    return _PROVIDERS.get(record.provider or "", record.provider)


class GenAI:
    """The GenAI conventions."""

    def __init__(self, *, latest: bool = False) -> None:
        """Choose between today's names and the next.

        Args:
            latest: Whether the next ones are wanted.
        """
        # The next ones have not been published as a schema yet.
        self.schema_url = None if latest else "https://opentelemetry.io/schemas/1.41.0"
        self._cache_write = "cache_write" if latest else "cache_creation"

    def name(self, record: RunRecord) -> str:
        """Return the operation, and what it is done with: a model, or what runs."""
        operation = operation_of(record)
        subject = record.model if record.is_model else record.name
        return " ".join(part for part in (operation, subject) if part) or record.name

    def at_start(self, record: RunRecord) -> Attributes:
        """Return operation, provider, model and request, and what is called."""
        operation = operation_of(record)
        attributes: Attributes = {
            "gen_ai.operation.name": operation,
            "gen_ai.conversation.id": record.conversation,
        }
        if record.is_model:
            attributes |= _request(record)
        elif operation == "execute_tool":
            attributes |= {
                "gen_ai.tool.name": record.name,
                "gen_ai.tool.type": "function",
                "gen_ai.tool.call.id": record.tool_call_id,
            }
        elif operation == "invoke_agent":
            attributes["gen_ai.agent.name"] = record.name
        elif operation == "invoke_workflow":
            attributes["gen_ai.workflow.name"] = record.name
        return without_none(attributes)

    def at_end(self, record: RunRecord) -> Attributes:
        """Return response, usage and error, and content if the record has it."""
        attributes: Attributes = {"error.type": record.error_type}
        if record.is_model:
            attributes |= self._response(record)
        return without_none(attributes | _content(record))

    def _response(self, record: RunRecord) -> Attributes:
        attributes: Attributes = {
            "gen_ai.response.model": record.response_model,
            "gen_ai.response.id": record.response_id,
            "gen_ai.response.finish_reasons": record.finish_reasons or None,
            "gen_ai.response.time_to_first_chunk": record.time_to_first_token,
            "gen_ai.request.stream": True if record.token_events else None,
        }
        tokens = record.tokens
        if tokens is not None:
            cached = f"gen_ai.usage.{self._cache_write}.input_tokens"
            attributes |= {
                "gen_ai.usage.input_tokens": tokens.prompt,
                "gen_ai.usage.output_tokens": tokens.completion,
                "gen_ai.usage.cache_read.input_tokens": tokens.prompt_details.get("cache_read"),
                cached: tokens.prompt_details.get("cache_creation"),
                "gen_ai.usage.reasoning.output_tokens": tokens.completion_details.get("reasoning"),
            }
        return attributes


def _request(record: RunRecord) -> Attributes:
    attributes: Attributes = {
        "gen_ai.provider.name": provider_of(record),
        "gen_ai.request.model": record.model,
        "gen_ai.request.stop_sequences": _stop(record),
    }
    for name, names, kind in _REQUEST:
        value = parameter(record, *names)
        if isinstance(value, int | float) and not isinstance(value, bool):
            attributes[name] = kind(value)
    count = parameter(record, "n", "candidate_count")
    if isinstance(count, int) and count != 1:
        attributes["gen_ai.request.choice.count"] = count
    return attributes


def _stop(record: RunRecord) -> list[str] | None:
    stop = parameter(record, "stop", "stop_sequences")
    stops = [stop] if isinstance(stop, str) else stop
    return [str(each) for each in stops] if isinstance(stops, list) and stops else None


def _content(record: RunRecord) -> Attributes:
    """Return what a run was given and returned, by its kind; nothing if that is not to be told."""
    if record.inputs is None:
        return {}
    if record.is_model:
        return _conversation(record)
    returned = None if record.outputs is None else as_json(record.outputs.get("output"))
    if record.type == "tool":
        return {
            "gen_ai.tool.call.arguments": as_json(record.inputs),
            "gen_ai.tool.call.result": returned,
        }
    if record.type == "retriever":
        found = None if record.outputs is None else record.outputs.get("documents")
        return {
            "gen_ai.retrieval.query.text": _text(record.inputs.get("query")),
            "gen_ai.retrieval.documents": None if found is None else as_json(found),
        }
    return {}


def _conversation(record: RunRecord) -> Attributes:
    said = said_in(record)
    asked = [_message(each) for each in said if each.role != "system"]
    system = [part for each in said if each.role == "system" for part in _parts(each)]
    answers = [_message(each) for each in said_out(record)]
    tools = parameter(record, "tools", "functions")
    return {
        "gen_ai.system_instructions": as_json(system) if system else None,
        "gen_ai.input.messages": as_json(asked),
        "gen_ai.output.messages": as_json(answers) if answers else None,
        "gen_ai.tool.definitions": as_json(tools) if tools else None,
    }


def _message(said: Said) -> dict[str, Any]:
    message: dict[str, Any] = {"role": said.role, "parts": _parts(said)}
    if said.finish_reason is not None:
        message["finish_reason"] = said.finish_reason
    return message


def _parts(said: Said) -> list[dict[str, Any]]:
    if said.role == "tool":
        return [{"type": "tool_call_response", "id": said.answers, "response": said.text}]
    text = [{"type": "text", "content": said.text}] if said.text else []
    return text + [
        {
            "type": "tool_call",
            "id": call.get("id"),
            "name": call.get("name"),
            "arguments": call.get("args"),
        }
        for call in said.tool_calls
        if isinstance(call, dict)
    ]


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) else None
