"""The GenAI semantic conventions, as instrumentations emit them today, and as they are to become.

Today is the state of semantic conventions 1.41, which was the last in the main repository. The next
names, of the conventions' own repository, are used where the standard variable asks for them:
``OTEL_SEMCONV_STABILITY_OPT_IN=gen_ai_latest_experimental``.
"""

from __future__ import annotations

from callboard.integrations.opentelemetry.content import content_of
from callboard.integrations.opentelemetry.conventions import (
    Attributes,
    parameter,
    told_parameters,
    without_none,
)
from callboard.integrations.records import RunRecord
from callboard.payloads import field

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
# What providers call a parameter: the attribute, and what its value is.
_PARAMETERS: dict[str, tuple[str, type]] = {
    "temperature": ("gen_ai.request.temperature", float),
    "top_p": ("gen_ai.request.top_p", float),
    "top_k": ("gen_ai.request.top_k", float),
    "max_tokens": ("gen_ai.request.max_tokens", int),
    "max_completion_tokens": ("gen_ai.request.max_tokens", int),
    "max_output_tokens": ("gen_ai.request.max_tokens", int),
    "seed": ("gen_ai.request.seed", int),
    "frequency_penalty": ("gen_ai.request.frequency_penalty", float),
    "presence_penalty": ("gen_ai.request.presence_penalty", float),
}


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
        self._latest = latest
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
            if self._latest:
                attributes |= _next_request(record, attributes)
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
        """Return response, usage and error."""
        attributes: Attributes = {"error.type": record.error_type}
        if record.is_model:
            attributes |= self._response(record)
        return without_none(attributes)

    def content(self, record: RunRecord) -> Attributes:
        """Return messages, tools, queries and documents, in the form that events tell them in."""
        # Of the next, messages do not say any more why they ended: the response does.
        return without_none(content_of(record, finish_reasons=not self._latest))

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
    for name, value in told_parameters(record):
        if (known := _PARAMETERS.get(name)) and type(value) in {int, float}:
            attribute, kind = known
            attributes.setdefault(attribute, kind(value))
    count = parameter(record, "n", "candidate_count")
    if isinstance(count, int) and count != 1:
        attributes["gen_ai.request.choice.count"] = count
    return attributes


def _stop(record: RunRecord) -> list[str] | None:
    stop = parameter(record, "stop", "stop_sequences")
    stops = [stop] if isinstance(stop, str) else stop
    return [str(each) for each in stops] if isinstance(stops, list) and stops else None


def _next_request(record: RunRecord, today: Attributes) -> Attributes:
    """Return what the next conventions tell of a request besides, or otherwise."""
    level = parameter(record, "reasoning_effort")
    if level is None:
        level = field(parameter(record, "reasoning"), "effort")
    top_k = today.get("gen_ai.request.top_k")
    return {
        "gen_ai.request.reasoning.level": level if isinstance(level, str) else None,
        "gen_ai.request.top_k": None if top_k is None else int(top_k),
    }
