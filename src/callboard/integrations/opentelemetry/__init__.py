"""OpenTelemetry: runs as spans and metrics, in the GenAI conventions or in OpenInference's."""

from __future__ import annotations

from callboard.integrations.extras import load

load("opentelemetry.trace", "opentelemetry-api", "otel")

from callboard.integrations.opentelemetry.handler import (  # noqa: E402 - what is missing comes first
    OpenTelemetryCallbackHandler,
)

__all__ = ["OpenTelemetryCallbackHandler"]
