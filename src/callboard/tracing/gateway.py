"""What a gateway says of a model's call: LangSmith's gateway tells which model really answered."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from callboard.payloads import Payload, field
from callboard.tracing.run import Run

__all__ = ["promote_gateway_metadata"]

# Where integrations leave what the gateway said, and where LangSmith looks for it.
_TOLD_AS = "lc_gateway_metadata"
_KEPT_AS = "ls_gateway_info"
_IDENTITY = (("model", "ls_model_name"), ("provider", "ls_provider"))


def promote_gateway_metadata(run: Run, response: Payload) -> None:
    """Put what the gateway said into a run's metadata; its model and provider over those asked for.

    Args:
        run: The model's run.
        response: What it ended with.
    """
    told = _told(response)
    if told is None:
        return
    metadata = {**run.extra.get("metadata", {}), _KEPT_AS: dict(told)}
    for name, key in _IDENTITY:
        value = told.get(name)
        if isinstance(value, str) and value.strip():
            metadata[key] = value.strip()
    run.extra["metadata"] = metadata


def _told(response: Payload) -> Mapping[str, Any] | None:
    for candidates in field(response, "generations") or ():
        for generation in candidates:
            told = (field(generation, "generation_info") or {}).get(_TOLD_AS)
            if isinstance(told, Mapping):
                return told
    return None
