"""OpenTelemetry: runs as spans and metrics, in the GenAI conventions or in OpenInference's.

The conventions themselves need nothing installed; the handler is loaded when it is asked for.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

from callboard.integrations.extras import load

if TYPE_CHECKING:
    from callboard.integrations.opentelemetry.handler import OpenTelemetryCallbackHandler

__all__ = ["OpenTelemetryCallbackHandler"]


def __getattr__(name: str) -> object:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    load("opentelemetry.trace", "opentelemetry-api", "otel")
    return getattr(import_module(f"{__name__}.handler"), name)
