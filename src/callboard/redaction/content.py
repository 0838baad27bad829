"""Content off: of a run's values what kind they are and how big, and nothing of what they say.

Kept are the structure, who says something (roles), which tool is called, what a model is
called and why it stopped, and tokens. What may be kept is listed here, so that whatever is not
known is not told.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

__all__ = ["error_type", "marker", "without_content", "without_content_of_extra"]

# A word of a program, as keys are; a key that looks otherwise may say what it should not.
_WORD = re.compile(r"[A-Za-z_$][\w$.-]{0,63}")
_ERROR = re.compile(r"[A-Za-z_][\w.]{0,127}(?=\()|[A-Za-z_.]{1,64}(?:Error|Exception|Exit)(?=:)")
_MARKER = re.compile(r"<redacted \w{1,64}(?: \d{1,20})?>")
_ERROR_MARKER = re.compile(rf"[A-Za-z_][\w.]{{0,127}}: {_MARKER.pattern}")


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


_WORDS_OF_ROLES = _words("system developer user assistant tool function human ai model chat remove")
_WORDS_OF_TYPES = _WORDS_OF_ROLES | _words(
    "text image image_url audio input_audio video file document media reasoning thinking "
    "text-plain redacted_thinking refusal tool_use tool_call tool_call_chunk invalid_tool_call "
    "tool_result server_tool_use server_tool_call server_tool_result function_call "
    "function_call_output input_text output_text input_image message constructor "
    "not_implemented secret AIMessageChunk HumanMessageChunk SystemMessageChunk ToolMessageChunk "
    "ChatGeneration Generation ChatGenerationChunk GenerationChunk Document LLMResult"
)
_TOLD_WORDS: Mapping[str, frozenset[str]] = {"role": _WORDS_OF_ROLES, "type": _WORDS_OF_TYPES}

# What makes a dictionary a message, a tool's call or a tool's definition: then its name is that
# of a tool or a role, and its id an id.
_NAMED_BY = _words("args arguments tool_calls tool_call_id parameters input_schema args_schema")
_NAMES = frozenset(("name", "id", "tool_call_id"))

_USAGE = frozenset(("usage", "usage_metadata", "token_usage", "tokenUsage", "usageMetadata"))

# Where a model is spoken about, and what may be told of it there.
_ABOUT = frozenset(("response_metadata", "llm_output", "generation_info", "invocation_params"))
_ABOUT_MODEL = _words(
    "model model_name modelName model_id model_provider provider finish_reason stop_reason "
    "done_reason service_tier system_fingerprint object _type temperature top_p top_k max_tokens "
    "max_completion_tokens n seed presence_penalty frequency_penalty stream streaming "
    "reasoning_effort created total_duration load_duration prompt_eval_count eval_count"
)

_METADATA = _words(
    "ls_provider ls_model_name ls_model_type ls_temperature ls_max_tokens ls_integration ls_method "
    "ls_run_depth ls_tracing_sample_rate ls_agent_type ls_message_format lc_versions lc_agent_name "
    "thread_id session_id conversation_id revision_id langgraph_step langgraph_node "
    "langgraph_path langgraph_triggers langgraph_checkpoint_ns checkpoint_ns"
)

_FEW = 16
_SIZED = str | bytes | bytearray


def marker(value: Any) -> Any:
    """Return what is told in place of a value: its type, and its size if it has one.

    Args:
        value: A leaf. None, and what a marker looks like already, stay what they are.
    """
    if value is None or (isinstance(value, str) and _MARKER.fullmatch(value)):
        return value
    kind = type(value).__name__
    return f"<redacted {kind} {len(value)}>" if isinstance(value, _SIZED) else f"<redacted {kind}>"


def without_content(value: Any) -> Any:
    """Return the structure of a value.

    Args:
        value: A structure of dictionaries, lists and leaves.
    """
    if isinstance(value, dict):
        return _members(value, _member)
    if isinstance(value, list | tuple):
        if len(value) > _FEW and all(isinstance(each, int | float) for each in value):
            return f"<redacted list {len(value)}>"  # An embedding, say.
        return [without_content(each) for each in value]
    return marker(value)


def without_content_of_extra(extra: Mapping[str, Any]) -> dict[str, Any]:
    """Return what else is told of a run: about its model, where it ran, and numbers.

    Args:
        extra: With ``metadata``, ``invocation_params`` and ``runtime``, perhaps.
    """
    return {name: _extra(name, each) for name, each in extra.items()}


def _extra(name: str, value: Any) -> Any:
    if name == "runtime":
        return value
    if name == "metadata" and isinstance(value, dict):
        return _members(value, _of_metadata)
    if isinstance(value, bool | int | float):
        return value
    return _member({}, name, value)


def _of_metadata(_: Mapping[str, Any], key: str, value: Any) -> Any:
    return value if key in _METADATA else _member({}, key, value)


_Read = Callable[[Mapping[str, Any], str, Any], Any]


def _members(held: Mapping[Any, Any], read: _Read) -> dict[str, Any]:
    told: dict[str, Any] = {}
    for place, (key, value) in enumerate(held.items()):
        known = isinstance(key, str) and _WORD.fullmatch(key)
        told[key if known else f"<redacted key {place}>"] = read(held, key, value)
    return told


def _member(held: Mapping[str, Any], key: str, value: Any) -> Any:
    if key in _USAGE:
        return _counts(value)
    if key in _ABOUT and isinstance(value, dict):
        return _members(value, _of_model)
    return value if _is_told(held, key, value) else without_content(value)


def _of_model(held: Mapping[str, Any], key: str, value: Any) -> Any:
    if key in _ABOUT_MODEL and not isinstance(value, dict | list | tuple):
        return value
    return _member(held, key, value)


def _is_told(held: Mapping[str, Any], key: str, value: Any) -> bool:
    if key == "lc" or (key == "id" and isinstance(value, list)):
        return held.get("lc") == 1  # A serialised object: which class it is.
    if not isinstance(value, str):
        return False
    if key in _TOLD_WORDS:
        return value in _TOLD_WORDS[key]
    return key in _NAMES and (
        not _NAMED_BY.isdisjoint(held) or held.get("type") in ("tool_use", "tool", "tool_result")
    )


def _counts(value: Any) -> Any:
    if isinstance(value, dict):
        return _members(value, lambda _held, _key, each: _counts(each))
    return value if isinstance(value, int | float) else marker(value)


def error_type(error: str) -> str:
    """Return what kind of error a text tells of, and how long the text is.

    Args:
        error: As a run has it: an exception's repr and its stack trace.
    """
    if _ERROR_MARKER.fullmatch(error):
        return error  # It has been through this before.
    found = _ERROR.match(error)
    return f"{found[0]}: {marker(error)}" if found else str(marker(error))
