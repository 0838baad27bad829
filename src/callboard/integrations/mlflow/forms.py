"""The forms in which MLflow has what a span holds."""

from __future__ import annotations

from typing import Any

from callboard.integrations.messages import Said, said_in, said_out
from callboard.integrations.records import RunRecord
from callboard.payloads import field, unwrapped
from callboard.wire import json

__all__ = [
    "belongs_of",
    "exception_of",
    "figures_of",
    "inputs_of",
    "known",
    "outputs_of",
    "tools_of",
]


def known(told: dict[str, Any]) -> dict[str, Any]:
    """Return what is told of, without what is not known.

    Args:
        told: What is told, by name; None is what is not known.
    """
    return {name: value for name, value in told.items() if value is not None}


def belongs_of(record: RunRecord) -> dict[str, str]:
    """Return the session and the user that a trace belongs to.

    Args:
        record: The record of its outermost run.
    """
    return known({"mlflow.trace.session": record.conversation, "mlflow.trace.user": record.user})


def exception_of(record: RunRecord) -> dict[str, str]:
    """Return what ended a run, as the attributes of an event.

    Args:
        record: The run's record.
    """
    return {
        "exception.type": record.error_type or "unknown",
        "exception.message": record.error_message or "",
        "exception.stacktrace": record.error or "",
    }


def figures_of(record: RunRecord) -> dict[str, Any]:
    """Return models, tokens and cost under the names that MLflow adds up for the whole trace.

    Args:
        record: The run's record.
    """
    told: dict[str, Any] = {
        "mlflow.llm.model": record.response_model or record.model,
        "mlflow.llm.provider": record.provider,
        "time_to_first_token": record.time_to_first_token,
        "callboard.unfinished": True if record.status == "unfinished" else None,
    }
    if record.is_model:
        told["mlflow.message.format"] = "openai"
    if (tokens := record.tokens) is not None:
        told["mlflow.chat.tokenUsage"] = known(
            {
                "input_tokens": tokens.prompt or 0,
                "output_tokens": tokens.completion or 0,
                "total_tokens": tokens.total or 0,
                "cache_read_input_tokens": tokens.prompt_details.get("cache_read"),
                "cache_creation_input_tokens": tokens.prompt_details.get("cache_creation"),
            }
        )
    if (cost := record.cost) is not None:
        told["mlflow.llm.cost"] = {
            "input_cost": cost.prompt or 0.0,
            "output_cost": cost.completion or 0.0,
            "total_cost": cost.total or 0.0,
        }
    return known(told)


def inputs_of(record: RunRecord) -> Any:
    """Return what a run was given, of a model the messages.

    Args:
        record: The run's record.
    """
    if record.inputs is None or not record.is_model:
        return record.inputs
    return {"messages": [_message(said) for said in said_in(record)]}


def outputs_of(record: RunRecord) -> Any:
    """Return what a run returned, of a model the choices, of a retriever the documents.

    Args:
        record: The run's record.
    """
    if record.outputs is None:
        return None
    if record.is_model:
        answers = said_out(record)
        return {
            "choices": [
                {"index": at, "message": _message(each), "finish_reason": each.finish_reason}
                for at, each in enumerate(answers)
            ]
        }
    if record.type == "retriever":
        return [_document(each) for each in record.outputs.get("documents") or ()]
    return record.outputs


def tools_of(record: RunRecord) -> list[Any]:
    """Return the tools that a model may call, as far as they are told in the form MLflow reads.

    Args:
        record: The record of the model's run.
    """
    offered = record.parameters.get("tools")
    return [
        {"type": "function", "function": field(each, "function")}
        for each in (offered if isinstance(offered, list) else ())
        if field(field(each, "function"), "name")
    ]


def _message(said: Said) -> dict[str, Any]:
    calls = [
        {
            "id": call.get("id"),
            "type": "function",
            "function": {
                "name": call.get("name"),
                "arguments": json.encode(call.get("args")).decode(),
            },
        }
        for call in said.tool_calls
        if isinstance(call, dict)
    ]
    return known(
        {
            "role": said.role,
            "content": said.text,
            "tool_calls": calls or None,
            "tool_call_id": said.answers,
        }
    )


def _document(found: Any) -> dict[str, Any]:
    document = unwrapped(found)
    return {
        "page_content": field(document, "page_content"),
        "metadata": field(document, "metadata") or {},
        "id": field(document, "id"),
    }
